use std::fs;

use proptest::prelude::*;
use ratatui::style::{Color, Modifier};

use super::*;
use crate::tui::action;
use crate::tui::fixtures::{self, ASCII, UNICODE, frame, press, text};
use crate::tui::log::reading::Reading;
use crate::tui::theme::{Colors, Theme};
use crate::tui::update::hear;

/// The log of the chosen run says `text`.
pub fn say(app: &mut App, text: &str) {
    let Some(id) = app.runs.chosen() else { return };
    app.log.followed = Some(id);
    let window = Window::of(text.as_bytes().to_vec(), 0, text.len() as u64);
    let heard = Heard::Window { window, go: Some(Place::End) };
    hear(app, action::News::Log(News { id, heard }));
}

/// A dashboard whose log is read, without a thread between the two.
struct Live {
    app: App,
    reading: Reading,
    path: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Live {
    fn new(size: (u16, u16), log: &str) -> Live {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        fs::write(&path, log).unwrap();
        let app = fixtures::app(size, fixtures::store());
        let mut live = Live { app, reading: Reading::new(path.clone()), path, _folder: folder };
        live.press("l");
        live
    }

    /// Presses keys, each when what the one before asked for was heard.
    fn press(&mut self, keys: &str) {
        let mut rest = keys;
        while let Some(letter) = rest.chars().next() {
            let length = if letter == '<' { rest.find('>').unwrap() + 1 } else { letter.len_utf8() };
            self.press_one(&rest[..length]);
            rest = &rest[length..];
        }
    }

    fn press_one(&mut self, key: &str) {
        for effect in press(&mut self.app, key) {
            let Effect::Log(order) = effect else { continue };
            let heard = match order {
                Order::Follow(_) => self.reading.refresh(),
                Order::Show(place) => self.reading.show(place),
                Order::Find(find) => {
                    self.reading.find(find);
                    std::iter::from_fn(|| self.reading.is_searching().then(|| self.reading.step())).flatten().last()
                }
                Order::Stop => None,
            };
            self.hear(heard);
        }
    }

    fn hear(&mut self, heard: Option<Heard>) {
        let id = self.app.runs.chosen().unwrap();
        if let Some(heard) = heard {
            hear(&mut self.app, action::News::Log(News { id, heard }));
        }
    }

    fn write(&mut self, log: &str) {
        fs::write(&self.path, log).unwrap();
        let heard = self.reading.refresh();
        self.hear(heard);
    }

    /// The lines inside of the pane's frame.
    fn lines(&self) -> Vec<String> {
        let area = self.app.layout().bottom.unwrap();
        let frame = text(&frame(&self.app, &UNICODE));
        let rows = frame.lines().skip(usize::from(area.y) + 1).take(usize::from(area.height) - 2);
        rows.map(|row| row.trim_matches(|letter| matches!(letter, '┃' | '│')).trim_end().to_owned()).collect()
    }
}

fn numbered(lines: std::ops::Range<usize>) -> String {
    lines.map(|n| format!("line {n}\n")).collect()
}

#[test]
fn it_follows_the_chosen_run_while_it_is_shown() {
    let mut app = fixtures::app((120, 40), fixtures::store());
    let first = app.runs.chosen();
    let follow = |id| vec![Effect::Log(Order::Follow(id))];
    assert_eq!(press(&mut app, "l"), follow(first));
    press(&mut app, "<Esc>");
    let effects = press(&mut app, "j");
    assert_eq!(effects, follow(app.runs.chosen()));
    assert_eq!(press(&mut app, "e"), follow(None));
    let effects = press(&mut app, "5");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Log(_))), "nothing was followed");
}

#[test]
fn it_sticks_to_the_end_until_it_is_scrolled_and_again_from_there() {
    let mut live = Live::new((120, 40), &numbered(0..5000));
    let height = live.lines().len();
    let ends = |live: &Live, line: usize| assert_eq!(live.lines().last().unwrap(), &format!(" line {line}"));
    ends(&live, 4999);
    live.write(&numbered(0..5001));
    ends(&live, 5000);
    live.press("kkk");
    ends(&live, 4997);
    live.write(&numbered(0..5002));
    ends(&live, 4997);
    live.press("j");
    ends(&live, 4998);
    live.press("g");
    ends(&live, height - 1);
    live.press("<PgDn>");
    ends(&live, 2 * (height - 1));
    live.press("F");
    ends(&live, 5001);
    live.press("<PgUp><PgDn>");
    live.write(&numbered(0..5003));
    ends(&live, 5002);
    assert!(text(&frame(&live.app, &UNICODE)).contains("Log follows"));
}

#[test]
fn all_of_a_long_log_can_be_scrolled_through() {
    let mut live = Live::new((120, 40), &numbered(0..30_000));
    let page = live.lines().len() - 1;
    for number in 1..30_000 / page {
        live.press("<PgUp>");
        assert_eq!(live.lines().last().unwrap(), &format!(" line {}", 29_999 - number * page));
    }
    live.press("<PgUp><PgUp><PgUp>");
    assert_eq!(live.lines()[0], " line 0");
    for _ in 0..200 {
        live.press("<PgDn>");
    }
    assert_eq!(live.lines()[0], format!(" line {}", 200 * page));
}

#[test]
fn what_is_found_is_led_to_and_marked() {
    let log = numbered(0..3000).replace("line 1500\n", "line 1500 Error: \x1b[31mbad\x1b[0m\n");
    let mut live = Live::new((120, 40), &log);
    live.press("/error: b<Enter>");
    assert!(live.lines().iter().any(|line| line.starts_with("▸line 1500 Error: bad")), "{:?}", live.lines());
    let buf = frame(&live.app, &UNICODE);
    let marked: String = buf
        .content()
        .iter()
        .filter(|cell| cell.modifier.contains(Modifier::REVERSED) && cell.fg != Color::Reset)
        .map(|cell| cell.symbol())
        .collect();
    assert!(marked.contains("Error: b"), "{marked}");
    live.press("/line 29<Enter>");
    assert!(live.lines().iter().any(|line| line == "▸line 2900"));
    live.press("n");
    assert!(live.lines().iter().any(|line| line == "▸line 2901"));
    live.press("NN");
    assert!(live.lines().iter().any(|line| line == "▸line 299"));
    live.press("/nowhere<Enter>");
    assert_eq!(live.app.notice, Some(Notice::Wrong("`nowhere` is not in the log".into())));
    live.press("<Esc>");
    assert!(live.app.log.search.pattern.is_none() && live.app.screen.focus == Focus::Bottom);
    live.press("<Esc>");
    assert_eq!(live.app.screen.focus, Focus::Queue);
}

#[test]
fn a_search_under_way_is_said_and_ended() {
    let mut app = fixtures::app((120, 40), fixtures::store());
    press(&mut app, "l");
    say(&mut app, &numbered(0..100));
    let effects = press(&mut app, "/x<Enter>");
    assert!(matches!(&effects[..], [Effect::Log(Order::Find(_))]));
    let id = app.runs.chosen().unwrap();
    hear(&mut app, action::News::Log(News { id, heard: Heard::Searching(40) }));
    assert!(text(&frame(&app, &UNICODE)).contains("searching 40%"));
    assert_eq!(press(&mut app, "<Esc>"), [Effect::Log(Order::Stop)]);
    // A percent that was on its way.
    hear(&mut app, action::News::Log(News { id, heard: Heard::Searching(41) }));
    assert!(!text(&frame(&app, &UNICODE)).contains("searching"));
}

#[test]
fn a_time_is_gone_to() {
    let time = |second: i64| Timestamp::from_millis(1_764_063_667_000 + 1000 * second);
    let log: String = (0..500).map(|n| format!("{}  epoch   number {n}\n", time(n))).collect();
    let mut live = Live::new((120, 40), &log);
    let clock = time(500);
    live.app.clock = Some(clock);
    for (typed, first) in [
        ("-100s", "number 400"),
        ("-5m", "number 200"),
        (&clock.local_date_time(), "number 473"),
        ("09:42", "number 53"),
        ("09:42:30", "number 83"),
    ] {
        live.press(&format!("T{typed}<Enter>"));
        let first = format!(" {first}");
        assert!(live.lines()[0].ends_with(&first), "{typed}: {:?}", live.lines());
    }
    for typed in ["tomorrow", "-10", "-5y", "25:00", "-99999999999999999d", ""] {
        live.press(&format!("T{typed}<Enter>"));
        assert!(matches!(live.app.notice, Some(Notice::Wrong(_))), "{typed}");
    }
    live.write(&numbered(0..100));
    live.press("T-1s<Enter>");
    assert_eq!(live.app.notice, Some(Notice::Wrong("no line of this log says when it was written".into())));
}

#[test]
fn long_lines_are_wrapped_or_cut_and_scrolled() {
    let long = "0123456789".repeat(30);
    let mut live = Live::new((120, 40), &format!("first\n{long}\nlast\n"));
    let digits = |lines: Vec<String>| lines.concat().chars().filter(char::is_ascii_digit).count();
    assert_eq!(digits(live.lines()), 300);
    live.press("w");
    assert!(live.lines()[1].ends_with('…') && live.lines()[2] == " last");
    live.press("<Right><Right>");
    assert!(live.lines()[1].starts_with(" …3456"), "{:?}", live.lines());
    live.press("<Left><Left><Left>w");
    assert_eq!(digits(live.lines()), 300);
}

#[test]
fn a_log_that_is_gone_is_not_shown() {
    let mut live = Live::new((120, 40), &numbered(0..100));
    fs::remove_file(&live.path).unwrap();
    let heard = live.reading.refresh();
    live.hear(heard);
    assert_eq!(live.lines()[0], " the worker has not said anything yet");
    live.press("/xnNgG<PgUp>T");
    live.write("back\n");
    assert_eq!(live.lines()[0], " back");
}

#[test]
fn colours_are_those_that_the_terminal_has() {
    let mut app = fixtures::app((120, 40), fixtures::store());
    press(&mut app, "l");
    say(&mut app, "\x1b[1;38;2;255;0;0mred\n");
    let area = app.layout().bottom.unwrap();
    for (colors, color) in
        [(Colors::True, Color::Rgb(255, 0, 0)), (Colors::Sixteen, Color::LightRed), (Colors::None, Color::Reset)]
    {
        let buf = frame(&app, &Theme { colors, ascii: false, ..crate::tui::fixtures::UNICODE });
        let cell = &buf[(area.x + 2, area.y + 1)];
        assert_eq!((cell.symbol(), cell.fg, cell.modifier), ("r", color, Modifier::BOLD));
    }
}

#[test]
fn frames() {
    let log = "2025-11-25T09:41:07.120Z  start   3 classes, 488 training and 164 validation samples\n\
        \x1b[33mwarning\x1b[0m: 🍎 a picture that is wider than it is high was cut on both of its sides, as if nothing were there\n\
        10%\r50%\r100% done\n2025-11-25T09:41:58.120Z  epoch   epoch 1  val_loss .2398\n";
    for (width, height) in [(120, 40), (80, 24), (60, 15), (40, 12)] {
        let mut app = fixtures::app((width, height), fixtures::store());
        press(&mut app, "lz");
        say(&mut app, &(numbered(0..3) + log));
        insta::assert_snapshot!(format!("log_{width}"), fixtures::pane(&app, &UNICODE));
    }
    let mut live = Live::new((60, 14), log);
    live.press("zw/it<Enter><Right>");
    insta::assert_snapshot!("log_ascii", fixtures::pane(&live.app, &ASCII));
}

proptest! {
    #[test]
    fn whatever_the_bytes_and_the_size_nothing_is_obeyed(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        size in (1u16..90, 1u16..30),
        keys in proptest::collection::vec(prop_oneof![
            Just("j"), Just("k"), Just("<PgUp>"), Just("<PgDn>"), Just("g"), Just("G"), Just("w"), Just("<Right>"),
            Just("/a<Enter>"), Just("n"), Just("N"), Just("<Esc>l"), Just("z"), Just("T-1s<Enter>"),
        ], 0..8),
    ) {
        let mut live = Live::new(size, "");
        fs::write(&live.path, &bytes).unwrap();
        let heard = live.reading.refresh();
        live.hear(heard);
        for key in keys {
            live.press(key);
            let buf = frame(&live.app, &UNICODE);
            prop_assert!(buf.content().iter().all(|cell| !cell.symbol().contains(char::is_control)));
        }
    }
}
