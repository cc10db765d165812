use proptest::prelude::*;

use super::*;

fn labels(ticks: &[Tick]) -> String {
    ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn ranges_are_never_empty() {
    assert_eq!(range([1.0, f64::NAN, 3.0, f64::INFINITY].into_iter()), Some((1.0, 3.0)));
    assert_eq!(range([f64::NAN].into_iter()), None);
    for same in [0.0, 1.0, -2.5, 1e9, 1e-9] {
        let (low, high) = range([same, same].into_iter()).unwrap();
        assert!(low < same && same < high, "{same}: {low}..{high}");
    }
}

#[test]
fn values_are_round_and_inside() {
    for (range, most, expected) in [
        ((0.0, 1.0), 3, "0 .5 1.0"),
        ((0.2, 1.23), 4, ".5 1.0"),
        ((0.551, 0.953), 5, ".6 .7 .8 .9"),
        ((-1.0, 1.0), 3, "-1 0 1"),
        ((0.0, 2e-5), 3, "0 1e-5 2e-5"),
        ((0.0, 3e7), 4, "0 1e7 2e7 3e7"),
        ((3.0, 3.0), 3, ""),
    ] {
        assert_eq!(labels(&values(range, Measure::Linear, most)), expected, "{range:?}");
    }
}

#[test]
fn logarithms_are_powers_of_ten_where_there_are_enough() {
    for (range, most, expected) in [
        ((-4.0, -1.0), 5, "1e-4 1e-3 .01 .1"),
        ((-8.0, 0.0), 4, "1e-8 1e-5 .01"),
        ((-0.7, 0.1), 4, ".2 .5 1"),
        ((0.301, 0.48), 5, "2.0 2.5 3.0"),
        ((-4.0, -3.5), 4, "1e-4 2e-4"),
        ((0.0, 0.0), 3, ""),
    ] {
        assert_eq!(labels(&values(range, Measure::Log, most)), expected, "{range:?}");
    }
}

#[test]
fn labels_have_the_decimals_of_their_step() {
    for (value, step, text) in [
        (0.95, 0.05, ".95"),
        (1.2, 0.2, "1.2"),
        (40.0, 20.0, "40"),
        (-0.5, 0.5, "-.5"),
        (0.0, 0.5, "0"),
        (3e7, 1e7, "3e7"),
        (1.25e-5, 5e-7, "1.25e-5"),
        (3e-4, 1e-4, ".0003"),
    ] {
        assert_eq!(label(value, step), text);
    }
}

#[test]
fn horizontal_axes_of_each_kind() {
    for (axis, window, most, expected) in [
        (XAxis::Epoch, (0.0, 1.0), 6, "1"),
        (XAxis::Epoch, (0.0, 3.0), 6, "1 2 3"),
        (XAxis::Epoch, (0.0, 18.0), 5, "1 5 10 15 18"),
        (XAxis::Epoch, (0.0, 20.0), 5, "1 5 10 15 20"),
        (XAxis::Epoch, (11.0, 12.5), 4, "11 11.5 12 12.5"),
        (XAxis::Epoch, (40.0, 60.0), 4, "40 50 60"),
        (XAxis::Step, (0.0, 2_000.0), 5, "500 1k 1.5k 2k"),
        (XAxis::Step, (0.0, 1e6), 3, "500k 1M"),
        (XAxis::Step, (10.0, 12.0), 5, "10 11 12"),
        (XAxis::Time, (0.0, 130.0), 5, "0:30 1:00 1:30 2:00"),
        (XAxis::Time, (0.0, 7_300.0), 5, "0:30:00 1h 1h30 2h"),
        (XAxis::Time, (0.0, 4.0 * 86_400.0), 5, "1d 2d 3d 4d"),
        (XAxis::Time, (0.0, 0.9), 4, ".5s"),
    ] {
        let expected = expected.replace("0:30:00", "30:00");
        assert_eq!(labels(&across(axis, window, most)), expected, "{axis:?} {window:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_range_gives_few_ticks_that_rise(low in any::<f64>(), high in any::<f64>(), most in 0usize..9) {
        let measures = [Measure::Linear, Measure::Log].map(|measure| values((low, high), measure, most));
        let axes = [XAxis::Step, XAxis::Epoch, XAxis::Time].map(|axis| across(axis, (low, high), most));
        for ticks in measures.iter().chain(&axes) {
            prop_assert!(ticks.len() <= most + 2, "{ticks:?}");
            prop_assert!(ticks.iter().all(|tick| tick.at.is_finite()));
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at), "{ticks:?}");
        }
    }
}
