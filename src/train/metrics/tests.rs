//! Small tables worked out by hand, and what holds for any.

use proptest::prelude::*;

use super::*;

fn classes(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("c{n}")).collect()
}

/// The figures of `measures` for samples that have these labels and logits.
fn of(measures: &[&str], count: usize, samples: &[(u32, Vec<f32>)]) -> BTreeMap<String, f64> {
    let measures: Vec<Measure> = measures.iter().map(|name| name.parse().unwrap()).collect();
    let labels: Vec<u32> = samples.iter().map(|(label, _)| *label).collect();
    let scored: Vec<Scored> = samples.iter().map(|(label, logits)| score(logits, *label)).collect();
    let probabilities: Vec<f32> = samples.iter().flat_map(|(_, logits)| softmax(logits)).map(|p| p as f32).collect();
    let classes = classes(count);
    let outcome = Outcome { classes: &classes, labels: &labels, scored: &scored, probabilities: &probabilities };
    further(&measures, &outcome)
}

fn close(figures: &BTreeMap<String, f64>, name: &str, expected: f64) {
    let value = figures[name];
    assert!((value - expected).abs() < 1e-6 || value.is_nan() && expected.is_nan(), "{name}: {value}, not {expected}");
}

/// A sample of `label` that is taken for `predicted` among `count` classes.
fn taken(label: u32, predicted: usize, count: usize) -> (u32, Vec<f32>) {
    (label, (0..count).map(|class| if class == predicted { 1.0 } else { 0.0 }).collect())
}

/// A sample of two classes whose second one has this probability.
fn binary(label: u32, probability: f32) -> (u32, Vec<f32>) {
    (label, vec![0.0, (probability / (1.0 - probability)).ln()])
}

#[test]
fn scores_are_those_of_the_confusion_matrix() {
    // true c0: 3 right, 1 as c1; true c1: 2 right, 2 as c0, 1 as c2; true c2: 1 right.
    let pairs = [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 0), (1, 0), (1, 2), (2, 2)];
    let samples: Vec<_> = pairs.map(|(label, predicted)| taken(label, predicted, 3)).into();
    let names = ["precision", "recall", "f1", "precision_weighted", "recall_weighted", "f1_weighted"];
    let figures = of(&names, 3, &samples);
    let (precision, recall) = ([3.0 / 5.0, 2.0 / 3.0, 1.0 / 2.0], [3.0 / 4.0, 2.0 / 5.0, 1.0]);
    let f1 = [2.0 / 3.0, 1.0 / 2.0, 2.0 / 3.0];
    let mean = |of: [f64; 3]| of.iter().sum::<f64>() / 3.0;
    let weighted = |of: [f64; 3]| (4.0 * of[0] + 5.0 * of[1] + of[2]) / 10.0;
    for (name, of) in [("precision", precision), ("recall", recall), ("f1", f1)] {
        close(&figures, &format!("val_{name}"), mean(of));
        close(&figures, &format!("val_{name}_weighted"), weighted(of));
        let each = format!("{name}_per_class");
        let per_class = of_each(&each, &samples);
        assert_eq!(per_class.len(), 3);
        (0..3).for_each(|class| close(&per_class, &format!("val_{name}/c{class}"), of[class]));
        let one = self::of(&[&format!("{name}/c1")], 3, &samples);
        assert_eq!(one.keys().collect::<Vec<_>>(), [&format!("val_{name}/c1")]);
        close(&one, &format!("val_{name}/c1"), of[1]);
    }
    close(&figures, "val_recall_weighted", 6.0 / 10.0);
}

fn of_each(measure: &str, samples: &[(u32, Vec<f32>)]) -> BTreeMap<String, f64> {
    of(&[measure], 3, samples)
}

#[test]
fn a_class_that_is_not_there_counts_only_where_it_is_predicted() {
    // c2 is neither there nor predicted: scikit-learn's means are over c0 and c1.
    let samples = [taken(0, 0, 3), taken(1, 0, 3)];
    let figures = of(&["precision", "recall", "f1", "recall_per_class", "precision_per_class"], 3, &samples);
    close(&figures, "val_precision", (0.5 + 0.0) / 2.0);
    close(&figures, "val_recall", (1.0 + 0.0) / 2.0);
    close(&figures, "val_f1", (2.0 / 3.0 + 0.0) / 2.0);
    close(&figures, "val_recall/c2", f64::NAN);
    close(&figures, "val_precision/c1", 0.0);
    // Here it is predicted: its precision and recall are 0 and count.
    let figures = of(&["precision", "recall", "recall_weighted"], 3, &[taken(0, 0, 3), taken(1, 2, 3)]);
    close(&figures, "val_precision", 1.0 / 3.0);
    close(&figures, "val_recall", 1.0 / 3.0);
    close(&figures, "val_recall_weighted", 0.5);
    let nothing = of(&["precision", "f1_weighted", "top_2", "auroc", "ece", "f1/unknown"], 3, &[]);
    assert!(nothing.len() == 6 && nothing.values().all(|value| value.is_nan()), "{nothing:?}");
}

#[test]
fn the_top_k_hold_the_class_and_the_first_of_equals_comes_first() {
    let samples = [
        (0, vec![3.0, 2.0, 1.0, 0.0]), // first
        (2, vec![3.0, 2.0, 1.0, 0.0]), // third
        (3, vec![1.0, 1.0, 1.0, 1.0]), // last of equals
        (1, vec![1.0, 1.0, 0.0, 0.0]), // second of equals
    ];
    let figures = of(&["top_1", "top_2", "top_3", "top_4"], 4, &samples);
    for (k, share) in [(1, 0.25), (2, 0.5), (3, 0.75), (4, 1.0)] {
        close(&figures, &format!("val_top_{k}"), share);
    }
}

#[test]
fn the_area_counts_pairs_and_half_of_a_tie() {
    // The second class: .9 .6 .4; the first: .6 .3. Of 6 pairs 4 are in order (.9 twice, .6 and .4 over .3), one is a tie.
    let samples = [binary(1, 0.9), binary(1, 0.6), binary(1, 0.4), binary(0, 0.6), binary(0, 0.3)];
    close(&of(&["auroc"], 2, &samples), "val_auroc", (4.0 + 0.5) / 6.0);
    close(&of(&["auroc"], 2, &samples.map(|(_, logits)| (1, logits))), "val_auroc", f64::NAN);
    let equal = [0, 0, 1].map(|label| (label, vec![0.0, 0.0]));
    close(&of(&["auroc"], 2, &equal), "val_auroc", 0.5);
}

#[test]
fn the_area_of_several_classes_is_the_mean_of_those_that_are_there() {
    let sample = |label, probabilities: [f32; 4]| (label, probabilities.map(f32::ln).to_vec());
    let samples = [
        sample(0, [0.5, 0.3, 0.1, 0.1]),
        sample(0, [0.2, 0.6, 0.1, 0.1]),
        sample(1, [0.3, 0.4, 0.2, 0.1]),
        sample(2, [0.1, 0.2, 0.6, 0.1]),
    ];
    // c0: own .5 .2 against .3 .1: 3 of 4. c1: own .4 against .3 .6 .2: 2 of 3. c2: own .6 against .1 .1 .2: 3 of 3.
    close(&of(&["auroc"], 4, &samples), "val_auroc", (3.0 / 4.0 + 2.0 / 3.0 + 1.0) / 3.0);
}

#[test]
fn the_calibration_error_is_by_15_bins_without_their_lower_edges() {
    let scored = |probability, is_right: bool| Scored {
        loss: 0.0,
        predicted: usize::from(!is_right),
        probability,
        rank: usize::from(!is_right),
    };
    let error = |samples: &[(f64, bool)]| {
        let scored: Vec<Scored> = samples.iter().map(|&(p, is_right)| scored(p, is_right)).collect();
        calibration::calibration_error(&vec![0; samples.len()], &scored)
    };
    let is = |samples: &[(f64, bool)], expected: f64| {
        assert!((error(samples) - expected).abs() < 1e-12, "{samples:?}: {}, not {expected}", error(samples));
    };
    // In (.8, .867]: accuracy 1/2, probability .83; in (.933, 1]: accuracy 1, probability .96; 2 of 3 and 1 of 3.
    is(&[(0.82, true), (0.84, false), (0.96, true)], (2.0 * (0.83 - 0.5) + (1.0 - 0.96)) / 3.0);
    // .8 is 12 of 15 and belongs to the bin below it, where nothing evens it out.
    is(&[(0.8, false), (0.85, true)], (0.8 + 0.15) / 2.0);
    is(&[(0.81, false), (0.85, true)], (0.83 - 0.5) * 2.0 / 2.0);
    is(&[(1.0, true), (1.0, true)], 0.0);
    is(&[(1.0, false), (0.0, false)], 0.5);
}

#[test]
fn only_the_area_takes_the_probabilities_of_all_classes() {
    let measures = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Measure>>();
    assert!(takes_probabilities(&measures(&["f1", "auroc"])));
    assert!(!takes_probabilities(&measures(&["top_3", "f1_per_class", "ece"])));
}

/// What scikit-learn 1.9 gives for the same probabilities (`zero_division=0`; the area as the mean over the classes that are
/// there), and Guo's own code for the calibration error. The fourth class is predicted and never there; some are equal.
#[test]
fn figures_are_those_of_scikit_learn() {
    let samples: [(u32, [f32; 4]); 12] = [
        (0, [2.0, 0.5, 1.0, 2.0]),
        (0, [0.5, 1.0, 1.5, -1.0]),
        (0, [-2.0, -1.0, -1.0, 1.5]),
        (1, [2.0, -2.0, 0.0, 1.5]),
        (1, [-1.5, 1.5, -1.5, 0.0]),
        (1, [1.5, -1.0, -0.5, -1.0]),
        (1, [1.0, -1.0, 2.0, 0.0]),
        (2, [0.0, 0.0, 0.5, 0.0]),
        (2, [0.0, 2.0, 1.5, 1.5]),
        (0, [1.0, 0.5, -0.5, 2.0]),
        (2, [0.0, -1.5, 1.5, -1.5]),
        (1, [1.5, 0.5, -1.5, -2.0]),
    ];
    let samples = samples.map(|(label, logits)| (label, logits.to_vec()));
    let each = ["precision_per_class", "recall_per_class"];
    let figures = of(&[&ALL[..], &["top_3"], &each].concat(), 4, &samples);
    for (name, expected) in [
        ("precision", 0.3125),
        ("recall", 0.2791666666666667),
        ("f1", 0.2767857142857143),
        ("precision_weighted", 0.4166666666666667),
        ("recall_weighted", 0.3333333333333333),
        ("f1_weighted", 0.3452380952380952),
        ("precision/c1", 0.5),
        ("precision/c3", 0.0),
        ("recall/c2", 0.6666666666666666),
        ("recall/c3", 0.0),
        ("f1/c1", 0.2857142857142857),
        ("f1/c2", 0.5714285714285714),
        ("auroc", 0.5327601410934745),
        ("ece", 0.48256009502348346),
        // Of equals the first, where scikit-learn takes the last: .25, .5, .6667.
        ("top_1", 0.3333333333333333),
        ("top_2", 0.5833333333333334),
        ("top_3", 0.75),
    ] {
        close(&figures, &format!("val_{name}"), expected);
    }
    let two = [(0, 0.1), (1, 0.4), (1, 0.35), (0, 0.8), (1, 0.8), (0, 0.35), (0, 0.2), (1, 0.9)];
    close(&of(&["auroc"], 2, &two.map(|(label, p)| binary(label, p))), "val_auroc", 0.8125);
}

const ALL: [&str; 11] = [
    "top_1",
    "top_2",
    "precision",
    "recall",
    "f1",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
    "auroc",
    "ece",
    "f1_per_class",
];

proptest! {
    #[test]
    fn figures_are_shares_and_no_order_changes_them(
        samples in prop::collection::vec((0u32..4, prop::collection::vec((-3i8..4).prop_map(f32::from), 4)), 1..40),
        seed in any::<u64>(),
    ) {
        let figures = of(&ALL, 4, &samples);
        for (name, value) in &figures {
            prop_assert!(value.is_nan() || (-1e-12..=1.0 + 1e-12).contains(value), "{name} {value}");
        }
        let accuracy = samples.iter().filter(|(label, logits)| score(logits, *label).predicted == *label as usize);
        prop_assert!((figures["val_top_1"] - accuracy.count() as f64 / samples.len() as f64).abs() < 1e-12);
        prop_assert!((figures["val_recall_weighted"] - figures["val_top_1"]).abs() < 1e-12, "as scikit-learn's is");
        prop_assert!(figures["val_top_1"] <= figures["val_top_2"]);
        let mut shuffled = samples.clone();
        crate::base::random::Stream::new(seed, crate::base::random::Purpose::Shuffle, 0, 0).shuffle(&mut shuffled);
        for (name, value) in of(&ALL, 4, &shuffled) {
            prop_assert!((value - figures[&name]).abs() < 1e-9 || value.is_nan() && figures[&name].is_nan(), "{name}");
        }
    }

    /// The area by its definition: of all pairs.
    #[test]
    fn the_area_is_that_of_all_pairs(samples in prop::collection::vec((0u32..2, 0i8..8), 2..30)) {
        let tables: Vec<_> = samples.iter().map(|&(label, at)| (label, vec![0.0, f32::from(at)])).collect();
        let own = || samples.iter().filter(|(label, _)| *label == 1);
        let others = || samples.iter().filter(|(label, _)| *label == 0);
        let pairs = own().flat_map(|(_, a)| others().map(move |(_, b)| if a > b { 2 } else { i32::from(a == b) }));
        let (sum, count) = pairs.fold((0, 0), |(sum, count), pair| (sum + pair, count + 2));
        let area = of(&["auroc"], 2, &tables)["val_auroc"];
        prop_assert!(area.is_nan() && count == 0 || (area - f64::from(sum) / f64::from(count)).abs() < 1e-12);
        // Whichever class is the second one, the area is the same.
        let turned: Vec<_> = tables.iter().map(|(label, logits)| (1 - label, vec![logits[1], logits[0]])).collect();
        let other = of(&["auroc"], 2, &turned)["val_auroc"];
        prop_assert!(area.is_nan() && other.is_nan() || (area - other).abs() < 1e-6, "{area} {other}");
    }
}

#[test]
fn every_measure_changes_what_is_recorded() {
    let samples = [taken(0, 0, 3), taken(1, 2, 3), taken(2, 2, 3), taken(0, 1, 3)];
    let mut seen: Vec<String> = Vec::new();
    for name in ALL.into_iter().chain(["precision_per_class", "recall_per_class"]) {
        let figures = of(&[name], 3, &samples);
        assert!(figures.keys().all(|key| !seen.contains(key)), "{name}");
        seen.extend(figures.into_keys());
    }
}
