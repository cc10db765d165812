use proptest::prelude::*;

use super::*;

fn step(epoch: u32, step: u32, loss: f64) -> Step {
    Step { phase: "head".into(), epoch, step, steps: 4, loss, accuracy: 0.5, lr: 1e-3, samples_per_s: 9.0 }
}

fn places(steps: &Steps) -> Vec<f64> {
    steps.place().iter().collect()
}

#[test]
fn steps_are_columns_of_one_length() {
    let mut steps = Steps::default();
    (1..=4).for_each(|n| steps.push(&step(1, n, f64::from(n)), f64::from(n)));
    assert_eq!(places(&steps), [0.25, 0.5, 0.75, 1.0]);
    for name in ["loss", "accuracy", "lr", "samples_per_s"] {
        assert_eq!(steps.named(name).map(Column::len), Some(4), "{name}");
    }
    assert!(steps.named("val_loss").is_none());
    steps.truncate(1);
    assert_eq!((places(&steps), steps.seconds().len()), (vec![0.25], 1));
}

#[test]
fn a_step_that_is_told_again_replaces_what_follows() {
    let mut steps = Steps::default();
    (1..=4).for_each(|n| steps.push(&step(1, n, 1.0), f64::from(n)));
    steps.push(&step(1, 2, 7.0), 9.0);
    assert_eq!(places(&steps), [0.25, 0.5]);
    assert_eq!(steps.named("loss").unwrap().last(), Some(7.0));
}

#[test]
fn a_clock_that_goes_back_stands_still_in_the_curve() {
    let mut steps = Steps::default();
    for (n, seconds) in [(1, 5.0), (2, 3.0), (3, f64::NAN), (4, 6.0)] {
        steps.push(&step(1, n, 1.0), seconds);
    }
    assert_eq!(steps.seconds().iter().collect::<Vec<_>>(), [5.0, 5.0, 5.0, 6.0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_in_the_window_is_in_one_part(
        len in 0..3000usize,
        (left, width) in (-5.0..40.0f64, 0.0..40.0f64),
        columns in 0..200usize,
    ) {
        let x: Column = (0..len).map(|n| n as f64 * 0.01).collect();
        let y: Column = (0..len).map(|n| ((n * 7919) % 1000) as f64).collect();
        let window = (left, left + width);
        let parts: Vec<_> = spans(&x, &y, window, columns).collect();
        prop_assert_eq!(parts.len(), columns);
        let inside = x.partition_point(|x| x < window.0)..x.partition_point(|x| x <= window.1);
        let all = y.span(inside).filter(|_| columns > 0);
        let known: Vec<Span> = parts.into_iter().flatten().collect();
        prop_assert_eq!(known.first().map(|span| span.first), all.map(|all| all.first));
        prop_assert_eq!(known.last().map(|span| span.last), all.map(|all| all.last));
        prop_assert_eq!(known.iter().map(|span| span.max).reduce(f64::max), all.map(|all| all.max));
        prop_assert_eq!(known.iter().map(|span| span.min).reduce(f64::min), all.map(|all| all.min));
    }

    #[test]
    fn whatever_is_asked_nothing_panics(window in any::<(f64, f64)>(), columns in 0..50usize) {
        let x: Column = (0..100).map(f64::from).collect();
        prop_assert_eq!(spans(&x, &x, window, columns).count(), columns);
    }
}
