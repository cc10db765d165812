use super::*;
use crossterm::event::{MouseEvent, MouseEventKind};
use proptest::prelude::*;

/// The events that crossterm 0.29 makes of bytes (`event/sys/unix/parse.rs`): Esc and a letter in one read are the letter
/// with Alt, Esc at the end of a read is a key of its own, two of them are one, control bytes are letters with Ctrl.
fn events(bytes: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut letters = bytes.chars().peekable();
    while let Some(letter) = letters.next() {
        let (letter, alt) = match (letter, letters.peek()) {
            ('\x1b', Some('\x1b')) => (letters.next().unwrap(), KeyModifiers::NONE),
            ('\x1b', Some(_)) => (letters.next().unwrap(), KeyModifiers::ALT),
            _ => (letter, KeyModifiers::NONE),
        };
        let event = match letter {
            '\x1b' => KeyEvent::new(KeyCode::Esc, alt),
            '\x01'..='\x1a' => {
                KeyEvent::new(KeyCode::Char((letter as u8 - 1 + b'a') as char), KeyModifiers::CONTROL | alt)
            }
            letter if letter.is_uppercase() => KeyEvent::new(KeyCode::Char(letter), KeyModifiers::SHIFT | alt),
            letter => KeyEvent::new(KeyCode::Char(letter), alt),
        };
        events.push(Event::Key(event));
    }
    events
}

/// What is heard when the terminal sends these pieces, each in a read of its own, at once after the questions.
fn heard(pieces: &[&str]) -> Vec<Heard> {
    let mut sieve = Sieve::start();
    let events = pieces.iter().flat_map(|piece| events(piece));
    events.flat_map(|event| sieve.sift(event, Duration::ZERO)).collect()
}

fn keys(bytes: &str) -> Vec<Heard> {
    events(bytes).into_iter().map(Heard::Event).collect()
}

#[test]
fn answers_are_no_keys() {
    let dark = Heard::Answer(Answer::Background(Rgb(0x1e, 0x1e, 0x2e)));
    let named = |name: &str| Heard::Answer(Answer::Terminal(name.into()));
    let cases = [
        ("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", dark.clone()),
        ("\x1b]11;rgb:1e1e/1e1e/2e2e\x07", dark.clone()),
        ("\x1b]11;rgb:1e/1e/2e\x07", dark.clone()),
        ("\x1b]11;rgba:1e1e/1e1e/2e2e/ffff\x1b\\", dark),
        ("\x1b]11;rgb:f/f/0\x07", Heard::Answer(Answer::Background(Rgb(255, 255, 0)))),
        ("\x1bP>|kitty(0.40.1)\x1b\\", named("kitty(0.40.1)")),
        ("\x1bP>|WezTerm 20240203-110809-5046fc22\x1b\\", named("WezTerm 20240203-110809-5046fc22")),
        ("\x1bP>|XTerm(390)\x1b\\", named("XTerm(390)")),
        ("\x1b_Gi=31;OK\x1b\\", Heard::Answer(Answer::Kitty(true))),
        ("\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\", Heard::Answer(Answer::Kitty(false))),
    ];
    for (bytes, answer) in cases {
        assert_eq!(heard(&[bytes]), [answer], "{bytes:?}");
    }
}

#[test]
fn an_answer_may_come_in_pieces_and_between_keys() {
    let light = Heard::Answer(Answer::Background(Rgb(255, 255, 255)));
    let whole = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\";
    for cut in 1..whole.len() {
        let all = heard(&["j", &whole[..cut], &whole[cut..], "k"]);
        let esc = keys(if cut == 1 { "\x1b" } else { "" });
        let expected = [keys("j"), esc, vec![light.clone()], keys("k")].concat();
        assert_eq!(all, expected, "cut after {cut} bytes");
    }
    let both = heard(&["\x1b_Gi=31;OK\x1b\\\x1bP>|foot(1.16.2)\x1b\\q"]);
    let expected = [Answer::Kitty(true), Answer::Terminal("foot(1.16.2)".into())].map(Heard::Answer);
    assert_eq!(both, [expected.to_vec(), keys("q")].concat());
}

#[test]
fn what_a_person_types_is_given_on() {
    for typed in
        ["\x1b", "\x1b\x1b", "jjr", "\x1br", "\x1b]r", "\x1b]11r", "\x1bPr", "\x1b_Gq", "\x1b]11;\x07", "]11;rgb"]
    {
        assert_eq!(heard(&[typed]), keys(typed), "{typed:?}");
    }
    // Held until the next key tells.
    assert_eq!(heard(&["\x1b]"]), []);
    assert_eq!(heard(&["\x1b]", "j"]), keys("\x1b]j"));
}

/// A frame's question is often answered just when somebody presses Esc.
#[test]
fn esc_is_a_key_at_once_also_right_before_an_answer() {
    let answer = "\x1b]11;rgb:0/0/0\x07";
    let expected = [keys("\x1b"), vec![Heard::Answer(Answer::Background(Rgb(0, 0, 0)))]].concat();
    assert_eq!(heard(&[&format!("\x1b{answer}")]), expected, "in one read");
    assert_eq!(heard(&["\x1b", answer]), expected, "in two");
    let mut sieve = Sieve::start();
    let [esc] = &events("\x1b")[..] else { panic!("one key") };
    assert_eq!(sieve.sift(esc.clone(), Duration::ZERO), keys("\x1b"));
    let [bracket] = &events("]")[..] else { panic!("one key") };
    assert_eq!(sieve.sift(bracket.clone(), AT_ONCE * 2), keys("]"), "later it is a key");
}

#[test]
fn what_was_answered_or_comes_too_late_is_not_looked_for() {
    let answer = "\x1b]11;rgb:0/0/0\x07";
    assert_eq!(heard(&[answer, answer])[1..], keys(answer));
    let mut sieve = Sieve::start();
    let late: Vec<Heard> = events(answer).into_iter().flat_map(|event| sieve.sift(event, PATIENCE)).collect();
    assert_eq!(late, keys(answer));
}

#[test]
fn what_is_asked_again_is_looked_for_again() {
    let (mut sieve, answer) = (Sieve::start(), "\x1b]11;rgb:0/0/0\x07");
    sieve.asked(Question::Background);
    for expected in std::iter::repeat_n(vec![Heard::Answer(Answer::Background(Rgb(0, 0, 0)))], 2).chain([keys(answer)])
    {
        let heard: Vec<Heard> =
            events(answer).into_iter().flat_map(|event| sieve.sift(event, Duration::ZERO)).collect();
        assert_eq!(heard, expected);
    }
}

#[test]
fn other_events_go_past_it() {
    let mut sieve = Sieve::start();
    let mouse = MouseEvent { kind: MouseEventKind::ScrollUp, column: 1, row: 1, modifiers: KeyModifiers::NONE };
    let mut all = Vec::new();
    for event in events("\x1b]11;rgb:0/0/0") {
        all.extend(sieve.sift(event, Duration::ZERO));
        all.extend(sieve.sift(Event::Mouse(mouse), Duration::ZERO));
    }
    all.extend(sieve.sift(Event::Resize(1, 1), Duration::ZERO));
    assert!(all.iter().all(|heard| matches!(heard, Heard::Event(Event::Mouse(_) | Event::Resize(..)))));
    let end: Vec<Heard> = events("\x07").into_iter().flat_map(|event| sieve.sift(event, Duration::ZERO)).collect();
    assert_eq!(end, [Heard::Answer(Answer::Background(Rgb(0, 0, 0)))]);
}

#[test]
fn an_answer_without_end_does_not_take_the_keyboard_for_ever() {
    let endless = format!("\x1bP>|{}", "x".repeat(LONGEST));
    assert_eq!(heard(&[&endless, "j"]).last(), keys("j").last());
}

proptest! {
    #[test]
    fn whatever_is_typed_nothing_is_lost_unless_it_is_an_answer(typed in "[\x1b\\]P_G>|i=31;rgb:0-9a-f/\x07\\\\ jkr]{0,40}") {
        let has_answer = ["11;rgb", ">|", "Gi=31;"].iter().any(|prefix| typed.contains(prefix));
        // A key tells where something is still held back.
        let typed = format!("{typed}~");
        prop_assume!(!has_answer);
        prop_assert_eq!(heard(&[&typed]), keys(&typed));
    }
}
