use proptest::prelude::*;

use super::*;
use crate::record::event::{Event, Line};

const LINE: &str = r#"{"seq":12,"time":"2025-11-25T04:41:07.120Z","type":"step","phase":"head","epoch":3,"step":1,"steps":16,"loss":0.25,"accuracy":null,"lr":1e-5,"samples_per_s":251.49999999999997}"#;

fn by_serde(line: &str) -> Option<(Timestamp, Step)> {
    match serde_json::from_str::<Line<Event>>(line).ok()? {
        Line { time, event: Event::Step(step), .. } => Some((time, step)),
        _ => None,
    }
}

fn read(lines: &[u8]) -> Option<(StepLine<'_>, &[u8])> {
    let mut steps = StepLines::of(lines);
    Some((steps.next()?, steps.rest()))
}

/// A line as it is read alone, which is how it is read after another one.
fn here(line: &str) -> Option<(Timestamp, Step)> {
    let text = format!("{line}\n");
    let alone = read(text.as_bytes());
    assert!(alone.is_none_or(|(_, rest)| rest.is_empty()));
    let two = format!("{LINE}\n{line}\n");
    let second = StepLines::of(two.as_bytes()).nth(1);
    let step = alone.map(|(step, _)| step.event());
    assert_eq!(step.clone().map(bits), second.map(|step| bits(step.event())), "{line}");
    step
}

fn bits((time, step): (Timestamp, Step)) -> (i64, String, [u32; 3], [u64; 4]) {
    let figures = [step.loss, step.accuracy, step.lr, step.samples_per_s];
    let bits = figures.map(|figure| if figure.is_nan() { u64::MAX } else { figure.to_bits() });
    (time.as_millis(), step.phase, [step.epoch, step.step, step.steps], bits)
}

/// What is read here serde reads the same.
fn agrees(line: &str) -> bool {
    here(line).is_none_or(|step| by_serde(line).map(bits) == Some(bits(step)))
}

#[test]
fn what_the_worker_writes_is_read() {
    assert_eq!(here(LINE).map(bits), by_serde(LINE).map(bits));
    assert!(here(LINE).is_some());
    let two = format!("{LINE}\n{LINE}\nrest");
    let (_, rest) = read(two.as_bytes()).unwrap();
    assert_eq!(read(rest).unwrap().1, b"rest");
}

#[test]
fn what_is_of_another_form_is_left_to_serde() {
    for (from, to) in [
        ("\"seq\":12", "\"seq\":012"),
        ("\"seq\":12", "\"seq\":-12"),
        ("\"seq\":12", "\"seq\": 12"),
        ("\"step\",", "\"epoch\","),
        ("head", "he\\nad"),
        ("head", "he\tad"),
        ("T04", "T24"),
        ("11-25", "02-30"),
        (":07.120Z", ":60.120Z"),
        (":07.120Z", ":07Z"),
        (":07.120Z", ":07.120+01:00"),
        ("0.25", "0.25.5"),
        ("0.25", "00.25"),
        ("0.25", ".25"),
        ("0.25", "1."),
        ("0.25", "+1"),
        ("0.25", "-0"),
        ("0.25", "1e"),
        ("0.25", "1e9999"),
        ("0.25", "1e300"),
        ("0.25", "inf"),
        ("0.25", "\"0.25\""),
        ("0.25", "0.12345678901234567890123"),
        ("\"epoch\":3", "\"epoch\":4294967296"),
        ("\"epoch\":3", "\"epoch\":3.0"),
        ("}", ",\"more\":1}"),
        ("}", ""),
        ("null", "nuLL"),
    ] {
        let line = LINE.replace(from, to);
        assert_ne!(line, LINE, "{from} is there");
        assert_eq!(here(&line).map(bits), None, "{from} as {to}");
    }
    assert!(read(LINE.as_bytes()).is_none(), "a line that is not whole is none");
}

fn figure() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => any::<f64>(),
        6 => -10.0..10.0f64,
        2 => (0..1_000_000u32).prop_map(|n| f64::from(n) / 1e5),
        1 => (-20..20i32).prop_map(|n| 10f64.powi(n)),
        1 => any::<f32>().prop_map(f64::from),
        1 => Just(-0.0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_as_serde_reads_it(
        (seq, millis) in (any::<u64>(), 0..4_000_000_000_000i64),
        phase in "\\PC{0,12}",
        (epoch, number, steps) in any::<(u32, u32, u32)>(),
        [loss, accuracy, lr, samples_per_s] in [figure(), figure(), figure(), figure()],
    ) {
        let step = Step { phase, epoch, step: number, steps, loss, accuracy, lr, samples_per_s };
        let line = Line { seq, time: Timestamp::from_millis(millis), event: Event::Step(step) };
        let text = serde_json::to_string(&line).unwrap();
        prop_assert!(agrees(&text), "{}", text);
    }

    #[test]
    fn usual_figures_are_read_here(n in 0..1_000_000_000u32, millis in 0..4_000_000_000_000i64) {
        let loss = f64::from(n) / 123_456_789.0 + 1e-3;
        let step = Step { phase: "head".into(), epoch: n, step: 1, steps: 9, loss, accuracy: 0.5, lr: 1e-7, samples_per_s: 9.5 };
        let line = Line { seq: 0, time: Timestamp::from_millis(millis), event: Event::Step(step) };
        let text = serde_json::to_string(&line).unwrap();
        prop_assert_eq!(here(&text).map(bits), by_serde(&text).map(bits));
    }

    #[test]
    fn a_changed_line_is_read_as_serde_reads_it_or_not_here(at in 0..LINE.len(), byte in 1..127u8, remove in any::<bool>()) {
        let mut bytes = LINE.as_bytes().to_vec();
        if remove { bytes.remove(at); } else { bytes[at] = byte; }
        let text = String::from_utf8(bytes).unwrap();
        prop_assert!(text.contains('\n') || agrees(&text), "{}", text);
    }
}
