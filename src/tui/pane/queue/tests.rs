use crate::base::id::RunId;
use crate::runner::protocol::Place;
use crate::tui::action::{Effect, News};
use crate::tui::app::{App, Notice, Overlay};
use crate::tui::fixtures::{self, ASCII, Recording, UNICODE, frame, press, text};
use crate::tui::orders::Order;
use crate::tui::runs::{Choice, Delta};
use crate::tui::update::hear;

use super::line::{bar, shares};
use super::{Any, Focus, Position};

fn app() -> App {
    fixtures::app((120, 40), fixtures::store())
}

/// A store with a sweep that goes on, one that is over, and runs beside them.
fn sweeps() -> Delta {
    let mut store = fixtures::store();
    let mut runs = Vec::new();
    for id in 31..=34 {
        let mut run = Recording::training(id, &format!("lr-sweep lr={id}e-5"));
        run.group("lr-sweep").epochs(1..=id - 28).best(2, 0.3 + 0.01 * f64::from(id));
        if id != 33 {
            run.finished(crate::record::event::FinishReason::Completed, 3);
        }
        runs.push(run.run());
    }
    runs.push(Recording::queued(35, "lr-sweep 🍎🍎 lr=1").group("lr-sweep").run());
    for id in 21..=23 {
        let mut run = Recording::training(id, &format!("old lr={id}"));
        run.group("old").epochs(1..=3).best(3, 0.01 * f64::from(id));
        run.finished(crate::record::event::FinishReason::Completed, 3);
        runs.push(run.run());
    }
    let more = fixtures::delta(runs);
    store.rows.extend(more.rows);
    store.whole.extend(more.whole);
    store
}

fn ids(ids: &[u32]) -> Vec<RunId> {
    ids.iter().copied().map(RunId).collect()
}

#[test]
fn the_filter_is_typed_kept_and_cleared() {
    let mut app = app();
    press(&mut app, "/stat<Back>te:failed");
    assert_eq!((app.runs.filter(), app.runs.shown().len()), ("state:failed", 1));
    assert!(matches!(app.overlay, Some(Overlay::Prompt(_))));
    press(&mut app, "<Enter>");
    assert_eq!((app.overlay.clone(), app.runs.filter()), (None, "state:failed"));
    press(&mut app, "<Esc>");
    assert_eq!(app.runs.filter(), "");
    press(&mut app, "/q");
    assert_eq!(app.runs.filter(), "q", "q is a letter there");
    press(&mut app, "<Esc>");
    assert_eq!((app.overlay.clone(), app.runs.filter()), (None, ""));
}

#[test]
fn cancelling_asks_first_and_only_where_there_is_something_to_cancel() {
    let mut app = app();
    let id = app.runs.chosen().unwrap();
    assert_eq!(press(&mut app, "c"), vec![]);
    assert!(matches!(app.overlay, Some(Overlay::Question(_))));
    assert_eq!(press(&mut app, "x<Tab>"), vec![]);
    assert!(matches!(app.overlay, Some(Overlay::Question(_))), "other keys are no answer");
    assert_eq!(press(&mut app, "n"), vec![]);
    assert_eq!(app.overlay, None);
    assert_eq!(press(&mut app, "cy"), vec![Effect::Ask(Order::Cancel(vec![id]))]);
    assert_eq!(press(&mut app, "Gc"), vec![]);
    assert!(matches!(&app.notice, Some(Notice::Wrong(text)) if text.contains("already")), "{:?}", app.notice);
}

#[test]
fn the_question_is_about_its_run_whatever_is_chosen_meanwhile() {
    let mut app = app();
    let id = app.runs.chosen().unwrap();
    press(&mut app, "c");
    hear(&mut app, News::Runs(Delta { gone: vec![id], ..Default::default() }));
    assert_ne!(app.runs.chosen().unwrap(), id);
    assert_eq!(press(&mut app, "y"), vec![Effect::Ask(Order::Cancel(vec![id]))]);
}

/// The second is pressed before the store shows what came of the first.
#[test]
fn priorities_count_from_what_was_asked_for_until_it_is_seen() {
    let mut app = app();
    let priority = |priority| [Effect::Ask(Order::Priority([(priority, ids(&[16]))].into()))];
    press(&mut app, "j+");
    assert_eq!(press(&mut app, "+"), priority(2));
    assert_eq!(press(&mut app, "-"), priority(1));
    hear(&mut app, News::Answered(Err("the disk is full".into())));
    assert_eq!(press(&mut app, "+"), priority(1), "nothing came of it");
}

#[test]
fn every_order_is_given_about_what_is_chosen_or_marked() {
    // Rows: 15 runs, 16 and 17 wait, 14 and 13 finished, 12 failed, 11 was cancelled.
    let tags = |add: &[&str], remove: &[&str]| {
        let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        (owned(add), owned(remove))
    };
    let (add, remove) = tags(&["new", "more"], &["old"]);
    for (keys, order) in [
        ("p", Order::Pause(ids(&[15]))),
        ("  p", Order::Pause(ids(&[15, 16]))),
        ("jvjvp", Order::Pause(ids(&[16, 17]))),
        ("*cy", Order::Cancel(ids(&[15, 16, 17]))),
        ("G r", Order::Retry { ids: ids(&[11]), fresh: false }),
        ("GR", Order::Retry { ids: ids(&[11]), fresh: true }),
        ("Gdy", Order::Remove { ids: ids(&[11]), force: false }),
        ("dyy", Order::Remove { ids: ids(&[15]), force: true }),
        ("t+new more -old<Enter>", Order::Tag { ids: ids(&[15]), add, remove }),
        ("jP<Back>7<Enter>", Order::Priority([(7, ids(&[16]))].into())),
        ("jP<Back>-1<Enter>", Order::Priority([(-1, ids(&[16]))].into())),
        ("j+", Order::Priority([(1, ids(&[16]))].into())),
        ("j-", Order::Priority([(-1, ids(&[16]))].into())),
        ("jJ", Order::Move { ids: ids(&[16]), to: Place::Last }),
        ("jjK", Order::Move { ids: ids(&[17]), to: Place::Before(RunId(16)) }),
        ("jj{", Order::Move { ids: ids(&[17]), to: Place::First }),
        ("j}", Order::Move { ids: ids(&[16]), to: Place::Last }),
        ("w3<Enter>", Order::Slots(3)),
    ] {
        let mut app = app();
        assert_eq!(press(&mut app, keys), vec![Effect::Ask(order)], "{keys}: {:?}", app.notice);
    }
}

#[test]
fn what_makes_no_sense_is_said_and_not_asked() {
    for (keys, said) in [
        ("Gp", "0011 resnet18-old is cancelled already"),
        ("ju", "0016 resnet18-lr3e-4 is queued: only a paused one can go on"),
        ("r", "0015 emoji-squeezenet is running: only a failed or cancelled one can be tried again"),
        ("J", "0015 emoji-squeezenet is running: only a queued or paused one can be moved"),
        ("jK", "0016 resnet18-lr3e-4: nothing of its priority is before it; + and - change that"),
        ("G+", "0011 resnet18-old is cancelled already: it is in no queue"),
        ("GP", "0011 resnet18-old is cancelled already: it is in no queue"),
        ("jP<Back>high<Enter>", "high is no priority: a whole number, as 5 or -1"),
        ("ta,b<Enter>", "a,b is no tag: up to 64 letters, without commas"),
        ("w0<Enter>", "0 is no number of slots: 1 or more; p keeps runs back"),
        ("jjj  p", "none of these 2 runs can be: they are finished already"),
    ] {
        let mut app = app();
        assert_eq!(press(&mut app, keys), vec![], "{keys}");
        assert_eq!(app.notice, Some(Notice::Wrong(said.to_owned())), "{keys}");
    }
}

#[test]
fn a_line_that_is_left_asks_nothing_and_is_about_its_runs() {
    let mut app = app();
    assert_eq!(press(&mut app, "tx<Esc>"), vec![]);
    assert_eq!(press(&mut app, "t<Enter>"), vec![]);
    let order = Order::Tag { ids: ids(&[15]), add: vec!["x".into()], remove: vec![] };
    assert_eq!(press(&mut app, "t<Down>x<Enter>"), vec![Effect::Ask(order)]);
}

#[test]
fn marks_go_first_then_the_filter() {
    let mut app = app();
    press(&mut app, "/vgg<Enter>*");
    assert_eq!(app.targets(), ids(&[12, 14]));
    press(&mut app, "<Esc>");
    assert_eq!((app.runs.marked().len(), app.runs.filter()), (0, "vgg"));
    press(&mut app, "**<Esc>");
    assert_eq!((app.runs.marked().len(), app.runs.filter()), (0, ""), "all twice is none");
}

#[test]
fn a_group_is_folded_marked_and_ordered_about_as_one() {
    let mut app = fixtures::app((120, 40), sweeps());
    press(&mut app, "/group:lr-sweep<Enter>g");
    assert_eq!(app.runs.choice(), Some(&Choice::Group("lr-sweep".into())));
    assert_eq!(app.runs.chosen(), Some(RunId(33)), "the live one stands for all");
    assert_eq!(press(&mut app, "cy"), vec![Effect::Ask(Order::Cancel(ids(&[33, 35])))], "those that are not over");
    press(&mut app, "jj<Left>");
    assert_eq!((app.runs.shown().len(), app.runs.place()), (1, 0));
    press(&mut app, " ");
    assert_eq!(app.runs.marked().len(), 5);
    press(&mut app, "<Esc><Right>");
    assert_eq!(app.runs.shown().len(), 6);
    press(&mut app, "<Enter><Enter>j<Enter>");
    assert_eq!(app.screen.focus, crate::tui::layout::Focus::Run, "a run is opened");
}

#[test]
fn the_order_is_tried_out_and_kept_or_left() {
    let mut app = app();
    press(&mut app, "sj<Enter>");
    assert_eq!((app.overlay.clone(), app.runs.sort().column.name()), (None, "best"));
    press(&mut app, "sss<Esc>");
    assert_eq!(app.runs.sort().column.name(), "best");
    press(&mut app, "S");
    assert!(app.runs.sort().reversed);
}

#[test]
fn the_pane_at_every_width() {
    for (width, height) in [(200, 24), (120, 24), (80, 24), (60, 18), (27, 24)] {
        let mut app = fixtures::app((width, height), sweeps());
        app.queue.slots = Some(2);
        press(&mut app, "z<Right>jj j /sweep<Esc>");
        insta::assert_snapshot!(format!("queue_{width}"), text(&frame(&app, &UNICODE)));
        if width == 80 {
            let ascii = text(&frame(&app, &ASCII));
            assert!(ascii.replace("?", "").is_ascii());
            insta::assert_snapshot!("queue_80_ascii", ascii);
        }
    }
    let mut app = fixtures::app((120, 24), sweeps());
    press(&mut app, "z/!group:old vgg<Enter>sj<Enter>");
    insta::assert_snapshot!("queue_120_filtered", text(&frame(&app, &UNICODE)));
    press(&mut app, "/best.val_los<.2");
    insta::assert_snapshot!("queue_120_wrong_filter", text(&frame(&app, &UNICODE)));
    let mut app = fixtures::app((120, 24), sweeps());
    press(&mut app, "z*d");
    insta::assert_snapshot!("remove_120", text(&frame(&app, &UNICODE)));
    press(&mut app, "y");
    insta::assert_snapshot!("kill_120", text(&frame(&app, &UNICODE)));
    press(&mut app, "ns");
    insta::assert_snapshot!("sort_120", text(&frame(&app, &UNICODE)));
}

#[test]
fn the_choice_is_always_seen_and_rows_stay_as_long_as_it_is() {
    for size in [(80, 24), (200, 60), (60, 15), (20, 3), (1, 1)] {
        let runs = (1..=90).map(|id| Recording::queued(id, "one of many").run());
        let mut app = fixtures::app(size, fixtures::delta(runs));
        for keys in ["", "j", "jj", "<PgDn>", "<PgDn>k", "G", "k", "kk<PgUp>", "g", "/many", "<Esc>z<PgDn>"] {
            let before = super::first(&app, 5);
            press(&mut app, keys);
            let rows = app.layout().queue.map_or(0, |area| super::rows(super::inside(area)));
            let (first, place) = (super::first(&app, rows), app.runs.place());
            assert!(
                first <= place && (place < first + rows || rows == 0),
                "{size:?} {keys}: {place} of {first}+{rows}"
            );
            if keys == "j" && rows > 5 {
                assert_eq!(super::first(&app, 5), before, "one down moves the choice, not the rows");
            }
        }
    }
}

#[test]
fn bars_are_as_long_as_they_say() {
    for (share, width, full, rest) in [
        (0.0, 4, "", "░░░░"),
        (1.0, 4, "████", ""),
        (0.5, 4, "██", "░░"),
        (0.55, 4, "██▏", "░"),
        (2.0, 2, "██", ""),
        (f64::NAN, 2, "", "░░"),
        (0.5, 0, "", ""),
    ] {
        assert_eq!(bar(false, share, width), (full.to_owned(), rest.to_owned()), "{share} of {width}");
    }
    assert_eq!(bar(true, 0.6, 5), ("###".into(), "..".into()));
}

#[test]
fn every_state_has_its_share() {
    for (counts, width, expected) in [
        (&[2, 0, 1][..], 8, &[2, 0, 1][..]),
        (&[100, 1, 0], 8, &[7, 1, 0]),
        (&[50, 50, 1], 8, &[3, 4, 1]),
        (&[0, 0], 5, &[0, 0]),
        (&[9, 9, 9], 2, &[1, 1, 0]),
    ] {
        assert_eq!(shares(counts, width), expected, "{counts:?} in {width}");
    }
}

#[test]
fn a_member_that_has_no_room_is_named_without_its_group() {
    let mut runs = Vec::new();
    for id in 1..=2 {
        let mut run = Recording::training(id, &format!("tiny-lr-1e-3-dropout-0.5-seed-{id}"));
        runs.push(run.group("tiny").epochs(1..=2).run());
    }
    let mut app = fixtures::app((80, 24), fixtures::delta(runs));
    let shown = |app: &App| text(&frame(app, &UNICODE));
    assert!(shown(&app).contains("0001 lr-1e-3-d"), "{}", shown(&app));
    app.screen.size = ratatui::layout::Size::new(200, 24);
    app.screen.zoomed = true;
    assert!(shown(&app).contains("0001 tiny-lr-1e-3-dropout-0.5-seed-1"), "{}", shown(&app));
}

#[test]
fn a_run_is_opened_by_enter_and_by_a_second_click_also_out_of_a_comparison() {
    let mut app = fixtures::app((120, 40), fixtures::store());
    press(&mut app, "C<Tab><Tab><Enter>");
    assert_eq!((app.screen.focus, app.screen.comparing), (Focus::Run, false));
    let row = u16::try_from(app.runs.place()).unwrap() + 2;
    let click = |app: &mut App, y: u16| crate::tui::update::update(app, Any::Click(Position { x: 5, y }));
    for (y, focus) in [(row, Focus::Queue), (row, Focus::Run), (row + 1, Focus::Queue), (row + 1, Focus::Run)] {
        click(&mut app, y);
        assert_eq!(app.screen.focus, focus, "row {y}");
    }
}
