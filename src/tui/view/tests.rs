mod gallery;

use proptest::prelude::*;

use crate::tui::app::Notice;
use crate::tui::fixtures::{self, ASCII, UNICODE, app, delta, frame, press, text};
use crate::tui::layout::Focus;
use crate::tui::pane::{self, Tab};
use crate::tui::runs::Delta;

const SIZES: [(u16, u16); 5] = [(200, 60), (120, 40), (80, 24), (60, 15), (50, 10)];

#[test]
fn frames_at_every_size() {
    for (width, height) in SIZES {
        let app = app((width, height), fixtures::store());
        insta::assert_snapshot!(format!("frame_{width}x{height}"), text(&frame(&app, &UNICODE)));
    }
    let app = app((80, 24), fixtures::store());
    let ascii = text(&frame(&app, &ASCII));
    assert!(ascii.is_ascii(), "{ascii}");
    insta::assert_snapshot!("frame_80x24_ascii", ascii);
}

#[test]
fn runs_of_the_odd_kinds() {
    for (name, run) in [
        ("stage", fixtures::in_a_stage()),
        ("one_epoch", fixtures::odd(31, &[1.0])),
        ("equal_values", fixtures::odd(32, &[0.5, 0.5, 0.5])),
        ("all_nan", fixtures::odd(33, &[f64::NAN, f64::NAN])),
        ("hostile", fixtures::hostile()),
    ] {
        insta::assert_snapshot!(name, text(&frame(&app((100, 30), delta([run])), &UNICODE)));
    }
    insta::assert_snapshot!("empty_store", text(&frame(&app((100, 30), Delta::default()), &UNICODE)));
}

#[test]
fn nothing_from_a_record_is_obeyed() {
    for focus in [Focus::Queue, Focus::Run, Focus::Bottom] {
        for tab in Tab::ALL {
            let mut app = app((120, 40), delta([fixtures::hostile()]));
            press(&mut app, if focus == Focus::Run { "c" } else { "" });
            app.screen.focus = focus;
            app.screen.tab = tab;
            pane::log::tests::say(&mut app, "a\x1b[2Jb\x07\u{9b}1m\n");
            app.notice = Some(Notice::Wrong("x\x1b[31m".into()));
            let buf = frame(&app, &UNICODE);
            assert!(buf.content().iter().all(|cell| !cell.symbol().contains(char::is_control)));
        }
    }
}

#[test]
fn the_chosen_row_is_seen_without_colour() {
    let buf = frame(&app((80, 24), fixtures::store()), &ASCII);
    let reversed = |y: u16| buf[(3, y)].modifier.contains(ratatui::style::Modifier::REVERSED);
    assert!(reversed(2) && !reversed(3));
}

fn any_runs() -> impl Strategy<Value = Delta> {
    prop_oneof![
        Just(Delta::default()),
        Just(fixtures::store()),
        Just(delta([fixtures::in_a_stage()])),
        Just(delta([fixtures::hostile()])),
        prop::collection::vec(prop::num::f64::ANY, 0..6).prop_map(|values| delta([fixtures::odd(3, &values)])),
    ]
}

/// Keys in any order, those with a meaning more often.
fn any_keys() -> impl Strategy<Value = Vec<String>> {
    let known: Vec<String> =
        crate::tui::keymap::all().flat_map(|binding| binding.keys).map(|key| fixtures::written(*key)).collect();
    let any = prop_oneof![4 => prop::sample::select(known), 1 => any::<char>().prop_map(|letter| letter.to_string())];
    prop::collection::vec(any, 0..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_state_and_no_size_panics(
        size in (1u16..220, 1u16..70),
        runs in any_runs(),
        keys in any_keys(),
        ascii in any::<bool>(),
    ) {
        let mut app = app(size, runs);
        for key in keys {
            press(&mut app, &key);
            pane::log::tests::say(&mut app, &format!("one\n{}\n", "🍎".repeat(200)));
            frame(&app, if ascii { &ASCII } else { &UNICODE });
        }
    }
}
