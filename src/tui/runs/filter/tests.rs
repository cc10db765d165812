use super::*;
use crate::record::event::Best;
use crate::record::summary::Row;
use crate::tui::fixtures::{self, Recording};
use crate::tui::runs::run::Run;
use proptest::prelude::*;

/// Runs of every kind, with groups, tags and priorities.
fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = fixtures::store().rows.iter().map(|row| (**row).clone()).collect();
    let mut sweep = Recording::training(21, "Sweep lr=0.1, batch=8");
    sweep.group("sweep").epochs(1..=4).best(4, 0.5);
    let runs = fixtures::delta([sweep.run(), Recording::queued(22, "grün 🍎 two words").run()]);
    rows.extend(runs.rows.iter().map(|row| (**row).clone()));
    for row in &mut rows {
        match row.id.0 {
            16 => row.place.priority = 3,
            17 => row.place.tags = vec!["base".into(), "baseline".into()],
            12 => {
                row.attempts = 2;
                row.place.tags = vec!["bad".into()];
            }
            11 => {
                row.best = Some(Best { epoch: 2, monitor: "val_accuracy".into(), value: 0.9 });
                row.mode = Some(crate::experiment::Mode::Max);
            }
            _ => {}
        }
        // Nothing is known but what is monitored.
        row.figures = row.best.iter().map(|best| (best.monitor.clone(), best.value)).collect();
    }
    rows
}

fn matching(text: &str) -> (Vec<u32>, Option<String>) {
    let rows = rows();
    let filter = Filter::new(text, rows.iter());
    let mut ids: Vec<u32> =
        rows.iter().filter(|row| filter.takes(&Run::new(row, None)).is_some()).map(|row| row.id.0).collect();
    ids.sort_unstable();
    (ids, filter.problem().map(str::to_owned))
}

#[test]
fn what_a_filter_takes() {
    let all = &[11, 12, 13, 14, 15, 16, 17, 21, 22][..];
    for (text, ids) in [
        ("", all),
        ("   ", all),
        ("!", all),
        ("~", all),
        ("SQUEEZE", &[15]),
        ("vgg head", &[14]),
        ("001", &[11, 12, 13, 14, 15, 16, 17]),
        ("!vgg", &[11, 13, 15, 16, 17, 21, 22]),
        ("!!vgg", all),
        ("ejsqz", &[15]),
        ("~ejsqz", &[15]),
        ("!~resnet", &[12, 14, 15, 17, 21, 22]),
        ("GRÜN", &[22]),
        ("\"two words\"", &[22]),
        ("\"two words", &[22]),
        ("state:failed", &[12]),
        ("state:F", &[12, 13, 14]),
        ("state:live", &[15, 21]),
        ("state:ov", &[11, 12, 13, 14]),
        ("!state:over !state:live", &[16, 17, 22]),
        ("state:over,tag:bad", &[12]),
        ("tag:base", &[17]),
        ("tag:ba", &[12, 17]),
        ("tag:baseline", &[17]),
        ("bad", &[12]),
        ("group:sweep", &[21]),
        ("group:sw", &[21]),
        ("sweep", &[21]),
        ("lr=0.1", &[21]),
        ("lr=0.1, batch", &[21]),
        ("name:vgg*", &[12, 14]),
        ("name:*LR*", &[12, 16, 21]),
        ("best.val_loss<0.3", &[13, 14, 15]),
        ("val_loss<.3", &[13, 14, 15]),
        ("val_loss>=.5", &[21]),
        ("val_accuracy>=.9", &[11]),
        ("best>=0.5", &[11, 21]),
        ("!val_loss>0", &[11, 12, 16, 17, 22]),
        ("epoch>5", &[13, 14, 15]),
        ("epoch=12", &[13]),
        ("epoch==12", &[13]),
        ("epoch!=12 epoch>9", &[14, 15]),
        ("epochs=18", &[11, 12, 13, 14, 15, 21]),
        ("progress>60%", &[13, 15]),
        ("priority>0", &[16]),
        ("attempts>1", &[12]),
        ("id<=12", &[11, 12]),
        ("elapsed>1m state:over", &[13]),
        ("elapsed>0h1m0.5s state:over", &[13]),
        ("elapsed>2d state:over", &[]),
    ] {
        assert_eq!(matching(text), (ids.to_vec(), None), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_and_the_rest_counts() {
    for (text, said, ids) in [
        ("state:", "nothing comes after state:", 9),
        ("vgg state:sleeping", "there is no state sleeping, only queued", 2),
        ("vgg epoch>", "nothing comes after epoch>", 2),
        ("epoch>many", "many is no number, as 5 or 0.3", 9),
        ("elapsed>10x", "10x is no number, as 90s, 10m or 1h30m", 9),
        ("name:[", "", 9),
        ("val_los<1", "no run has val_los; did you mean val_loss?", 0),
        ("zzz<1", "no run has zzz", 0),
        ("group:", "nothing comes after group:", 9),
    ] {
        let (found, problem) = matching(text);
        assert!(problem.as_ref().is_some_and(|problem| problem.starts_with(said)), "{text}: {problem:?}");
        assert_eq!(found.len(), ids, "{text}");
    }
}

#[test]
fn matched_letters_are_known() {
    let rows = rows();
    let hits = |text: &str, name: &str| {
        let hits = Filter::new(text, rows.iter()).hits(name);
        hits.into_iter().map(|hit| name[hit].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(hits("VGG head", "vgg16-head"), ["vgg", "head"]);
    assert_eq!(hits("vgg gg16", "vgg16-head"), ["vgg16"], "what overlaps is one");
    assert_eq!(hits("~vhd", "vgg16-head"), ["v", "h", "d"]);
    assert_eq!(hits("grün !vgg state:over", "GRÜN 🍎"), ["GRÜN"]);
    assert_eq!(hits("🍎", "GRÜN 🍎"), ["🍎"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_is_a_filter(text in "(\\PC|[ :<>=!~\",.a-e0-9]){0,24}", name in "\\PC{0,12}") {
        let rows = rows();
        let filter = Filter::new(&text, rows.iter());
        for row in &rows {
            filter.takes(&Run::new(row, None));
        }
        let mut end = 0;
        for hit in filter.hits(&name) {
            prop_assert!(hit.start >= end && name.get(hit.clone()).is_some(), "{hit:?} of {name}");
            end = hit.end;
        }
    }

    #[test]
    fn a_part_of_a_name_finds_it(name in "[a-zA-Zäß0-9-]{1,16}", from in 0usize..16, length in 1usize..8) {
        let letters: Vec<char> = name.chars().collect();
        let from = from % letters.len();
        let part: String = letters[from..].iter().take(length).collect();
        let mut row = rows().swap_remove(0);
        row.name = name;
        let filter = Filter::new(&format!("\"{part}\""), std::iter::once(&row));
        prop_assert!(filter.takes(&Run::new(&row, None)).is_some());
    }
}
