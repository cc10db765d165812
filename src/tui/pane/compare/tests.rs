use std::path::Path;

use proptest::prelude::*;
use ratatui::layout::Size;

use super::*;
use crate::record::event::FinishReason;
use crate::record::state::RunState;
use crate::tui::action::News;
use crate::tui::app::Notice;
use crate::tui::fixtures::{self, Recording, press};
use crate::tui::runs::Delta;
use crate::tui::theme::Theme;
use crate::tui::update::hear;

/// A finished run whose best epoch is its fourth.
fn run(id: u32, best: f64) -> RunState {
    let mut run = Recording::training(id, &format!("emoji-{id}"));
    for epoch in 1..=6u32 {
        run.epoch(epoch, 1.5 / f64::from(epoch), best + 0.1 * f64::from(epoch.abs_diff(4)));
    }
    run.best(4, best).finished(FinishReason::Completed, 6);
    run.run()
}

/// Runs of one group, each with its file in `folder`.
fn group(folder: &Path, runs: &[(u32, f64, &str)]) -> Delta {
    let mut delta = fixtures::delta(runs.iter().map(|&(id, best, _)| run(id, best)));
    for (row, (id, _, resolved)) in delta.rows.iter_mut().zip(runs) {
        let row = Arc::make_mut(row);
        row.place.group = Some("lr".into());
        row.place.path = folder.join(format!("{id:04}-emoji-{id}"));
        std::fs::create_dir_all(&row.place.path).unwrap();
        std::fs::write(row.place.path.join("resolved.yaml"), format!("name: emoji-{id}\n{resolved}\n")).unwrap();
    }
    delta
}

fn sweep(folder: &Path) -> Delta {
    let keys =
        |lr: &str, units: u32, seed: u32| format!("seed: {seed}\ntrain: {{ lr: {lr} }}\nmodel: {{ units: {units} }}");
    let all = [
        (31, 0.5, keys("0.1", 64, 1)),
        (32, 0.3, keys("0.01", 64, 1)),
        (33, 0.2, keys("0.01", 256, 1)),
        (34, 0.24, keys("0.01", 256, 2)),
        (35, 0.4, keys("0.1", 256, 1)),
    ];
    group(folder, &all.each_ref().map(|(id, best, keys)| (*id, *best, keys.as_str())))
}

/// Does the jobs that compare.
fn answer(app: &mut App, effects: Vec<Effect>) -> Vec<Effect> {
    let mut others = Vec::new();
    for effect in effects {
        match effect {
            Effect::Do(Job::Compare(asked)) => {
                let more = hear(app, News::Compared(Box::new(asked.compare())));
                others.extend(more);
            }
            other => others.push(other),
        }
    }
    others
}

fn comparing(size: (u16, u16), delta: Delta) -> App {
    let mut app = fixtures::app(size, delta);
    let effects = press(&mut app, "C");
    answer(&mut app, effects);
    app
}

fn shown(app: &App) -> String {
    fixtures::text(&fixtures::frame(app, &fixtures::UNICODE))
}

/// The ids in the order of the table.
fn ids(app: &App) -> Vec<String> {
    let compared = app.compare.compared.as_ref().unwrap();
    app.compare.place.order.iter().map(|&row| compared.cells[row][0].clone()).collect()
}

#[test]
fn the_group_of_the_chosen_run_is_compared_and_its_files_are_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = fixtures::app((120, 40), sweep(folder.path()));
    let effects = press(&mut app, "C");
    let [Effect::Do(Job::Compare(asked))] = &effects[..] else { panic!("one job: {effects:?}") };
    assert_eq!(asked.rows.iter().map(|row| row.id.0).collect::<Vec<_>>(), [31, 32, 33, 34, 35]);
    assert_eq!(press(&mut app, "v"), vec![], "nothing is there yet, and nothing is asked twice");
    assert_eq!(answer(&mut app, effects), vec![]);
    assert_eq!(ids(&app), ["0031", "0032", "0033-0034", "0035"], "seeds are one row");
    std::fs::remove_dir_all(folder.path().join("0031-emoji-31")).unwrap();
    let mut more = run(31, 0.1);
    more.name = "emoji-31".into();
    let mut delta = fixtures::delta([more]);
    Arc::make_mut(&mut delta.rows[0]).place = app.runs.row(RunId(31)).unwrap().place.clone();
    let effects = hear(&mut app, News::Runs(delta));
    answer(&mut app, effects);
    let compared = app.compare.compared.as_ref().unwrap();
    assert_eq!(compared.comparison.rows.len(), 4, "what it ran is still known");
    assert!(compared.comparison.rows[0].is_best);
    assert_eq!(app.wanted.len(), 5);
    press(&mut app, "C");
    assert!(app.compare.compared.is_none() && app.wanted.len() == 1);
}

#[test]
fn marked_runs_are_compared_before_a_group_and_one_alone_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = fixtures::app((120, 40), sweep(folder.path()));
    for id in [35, 32] {
        app.runs.choose(RunId(id));
        app.runs.mark();
    }
    let effects = press(&mut app, "C");
    answer(&mut app, effects);
    assert_eq!(ids(&app), ["0032", "0035"]);
    let mut app = comparing((120, 40), fixtures::store());
    assert_eq!(ids(&app), ["0015"]);
    assert!(shown(&app).contains("Compare  1 run"));
    press(&mut app, "v");
    assert!(shown(&app).contains("does not differ"), "{}", shown(&app));
    let app = comparing((120, 40), Delta::default());
    assert!(shown(&app).contains("no run is chosen"), "{}", shown(&app));
}

#[test]
fn the_table_is_sorted_and_a_row_is_chosen_in_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = comparing((160, 40), sweep(folder.path()));
    press(&mut app, "sss");
    assert_eq!(app.compare.place.sort, Some(("lr".into(), false)));
    assert_eq!(ids(&app), ["0032", "0033-0034", "0031", "0035"]);
    press(&mut app, "S");
    assert_eq!(ids(&app)[..2], ["0031", "0035"]);
    let column = |app: &App| app.compare.place.sort.clone().map(|(head, _)| head);
    press(&mut app, "sss");
    assert_eq!(column(&app).as_deref(), Some("val_loss"), "after the units and the seeds");
    assert_eq!(ids(&app)[0], "0033-0034", "the best mean");
    press(&mut app, "gG");
    assert_eq!(app.compare.place.row, 3);
    press(&mut app, "g<Enter>");
    assert_eq!(app.runs.chosen(), Some(RunId(33)), "the better of the two");
    for _ in 0..20 {
        press(&mut app, "s");
    }
    press(&mut app, "<Right><Right><Right><Right><Right><Right><Right><Right><Right><Right><Left>");
    shown(&app);
}

#[test]
fn values_tell_which_one_of_which_key_does_best() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = comparing((120, 40), sweep(folder.path()));
    press(&mut app, "v");
    let frame = shown(&app);
    let at = |text: &str| frame.find(text).unwrap_or_else(|| panic!("{text} in {frame}"));
    assert!(at("lr ") < at("units "), "the key that matters most comes first");
    assert!(frame.contains(".2467*"), "{frame}");
    press(&mut app, "j<Enter>");
    assert_eq!(app.runs.chosen(), Some(RunId(33)), "the best run with the first value");
}

#[test]
fn the_best_eight_and_the_chosen_one_have_curves() {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<String> = (0..12).map(|n| format!("seed: 1\nn: {n}")).collect();
    let runs: Vec<(u32, f64, &str)> =
        keys.iter().zip(40..).map(|(keys, id)| (id, f64::from(id), keys.as_str())).collect();
    let mut app = fixtures::app((120, 40), group(folder.path(), &runs));
    app.runs.choose(RunId(51));
    assert_eq!(super::runs(&app), vec![]);
    let effects = press(&mut app, "C");
    answer(&mut app, effects);
    let ids: Vec<u32> = super::runs(&app).iter().map(|id| id.0).collect();
    assert_eq!(ids, [40, 41, 42, 43, 44, 45, 46, 51]);
}

#[test]
fn figures_are_exported_to_the_file_that_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = comparing((120, 40), sweep(folder.path()));
    press(&mut app, "X");
    assert!(shown(&app).contains("finetop-export.csv"));
    let effects = press(&mut app, "<Back><Back><Back>json<Enter>");
    let runs: Vec<_> = (31..=35).map(|id| folder.path().join(format!("{id:04}-emoji-{id}"))).collect();
    assert_eq!(effects, vec![Effect::Do(Job::Export { runs, file: "finetop-export.json".into() })]);
    hear(&mut app, News::Exported(Err("the disk is full".into())));
    assert_eq!(app.notice, Some(Notice::Wrong("the disk is full".into())));
    let mut alone = fixtures::app((120, 40), fixtures::store());
    let effects = press(&mut alone, "X<Enter>");
    assert!(matches!(&effects[..], [Effect::Do(Job::Export { runs, .. })] if runs.len() == 1), "{effects:?}");
}

fn picture(size: (u16, u16), theme: &Theme, keys: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut app = comparing(size, sweep(folder.path()));
    press(&mut app, &format!("z{keys}"));
    fixtures::text(&fixtures::frame(&app, theme))
}

#[test]
fn pictures() {
    let (unicode, ascii) = (&fixtures::UNICODE, &fixtures::ASCII);
    insta::assert_snapshot!("compare_120x40", picture((120, 40), unicode, "ssssss"));
    insta::assert_snapshot!("compare_80x24", picture((80, 24), unicode, "x"));
    insta::assert_snapshot!("compare_60x15", picture((60, 15), unicode, "<Right>j"));
    insta::assert_snapshot!("compare_80x24_ascii", picture((80, 24), ascii, "S"));
    insta::assert_snapshot!("values_80x24", picture((80, 24), unicode, "vj"));
    insta::assert_snapshot!("values_60x15_ascii", picture((60, 15), ascii, "v"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn no_size_and_no_key_panics(width in 0u16..150, height in 0u16..50, keys in "[vmxLsSjkgGz]{0,10}", at in (0u16..150, 0u16..50)) {
        let folder = tempfile::tempdir().unwrap();
        let mut delta = sweep(folder.path());
        delta.rows.extend(fixtures::store().rows);
        delta.whole.extend(fixtures::store().whole);
        let mut app = comparing((120, 40), delta);
        press(&mut app, &keys);
        app.screen.size = Size::new(width, height);
        press(&mut app, "<Right><PgDn>");
        crate::tui::update::update(&mut app, Any::Click(Position { x: at.0, y: at.1 }));
        fixtures::frame(&app, &fixtures::ASCII);
        fixtures::frame(&app, &fixtures::UNICODE);
    }
}
