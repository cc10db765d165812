use super::*;

fn rising(n: usize) -> Vec<(f64, f64)> {
    (0..n).map(|i| (i as f64, (i % 7) as f64)).collect()
}

#[test]
fn few_points_are_drawn_each_with_their_neighbours() {
    let points = rising(10);
    let found = spots(&points, (3.0, 5.0), 40, 0.0);
    assert_eq!(found.iter().map(|spot| spot.x).collect::<Vec<_>>(), [2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(spots(&points, (100.0, 200.0), 40, 0.0).len(), 1, "the line that leaves the window");
    assert!(spots(&Vec::new(), (0.0, 1.0), 40, 0.0).is_empty());
    assert!(spots(&points, (1.0, 1.0), 40, 0.0).is_empty());
    assert!(spots(&points, (f64::NAN, 1.0), 40, 0.0).is_empty());
}

#[test]
fn many_points_become_as_many_spans_as_there_are_columns_and_none_is_lost() {
    let points = rising(10_000);
    let found = spots(&points, (0.0, 9_999.0), 50, 0.0);
    assert_eq!(found.len(), 50);
    for spot in &found {
        let span = spot.span.unwrap();
        assert_eq!((span.min, span.max), (0.0, 6.0));
    }
    assert_eq!(found[49].span.unwrap().last, points[9_999].1, "the right end is in the last column");
}

#[test]
fn what_is_not_finite_breaks_dense_lines_too() {
    let points: Vec<(f64, f64)> =
        (0..1000).map(|i| (f64::from(i), if (400..600).contains(&i) { f64::NAN } else { 1.0 })).collect();
    let found = spots(&points, (0.0, 999.0), 10, 0.0);
    assert_eq!(found.iter().map(|spot| spot.span.is_some()).filter(|is| !is).count(), 2);
}

/// The average as TensorBoard computes it, from the first point on.
fn debiased(values: &[f64], weight: f64) -> Vec<f64> {
    let mut last = 0.0;
    (1..)
        .zip(values)
        .map(|(n, value)| {
            last = last * weight + (1.0 - weight) * value;
            last / (1.0 - weight.powi(n))
        })
        .collect()
}

#[test]
fn smoothing_is_that_of_tensorboard() {
    let points: Vec<(f64, f64)> = (0..300).map(|i| (f64::from(i), f64::from(i * 37 % 11))).collect();
    let values: Vec<f64> = points.iter().map(|point| point.1).collect();
    for weight in [0.3, 0.6, 0.9] {
        let expected = debiased(&values, weight);
        for window in [(0.0, 299.0), (120.0, 180.0), (290.0, 400.0)] {
            for spot in spots(&points, window, 200, weight) {
                let found = spot.span.unwrap().last;
                assert!((found - expected[spot.x as usize]).abs() < 2e-4, "{weight} at {}: {found}", spot.x);
            }
        }
    }
}

#[test]
fn smoothing_leaves_out_what_is_not_finite() {
    let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0)];
    let found: Vec<_> = spots(&points, (0.0, 2.0), 40, 0.9).iter().map(|spot| spot.span.is_some()).collect();
    assert_eq!(found, [true, false, true]);
}
