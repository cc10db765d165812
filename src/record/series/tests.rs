use proptest::prelude::*;

use super::*;

fn plain_span(values: &[f64]) -> Option<Span> {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    Some(Span {
        first: *finite.first()?,
        last: *finite.last()?,
        min: finite.iter().copied().fold(f64::INFINITY, f64::min),
        max: finite.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

/// What can be done to a column.
#[derive(Debug, Clone)]
enum Deed {
    Push(f64),
    Extend(Vec<f64>),
    Truncate(prop::sample::Index),
    /// Go on with a clone, and see later that the original stayed as it was.
    Keep,
}

fn values() -> impl Strategy<Value = f64> {
    prop_oneof![8 => -1e3..1e3, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
}

/// Long enough for a tree of three levels.
fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let many = prop_oneof![0..300usize, 0..2 * LEAF * FANOUT, Just(LEAF), Just(LEAF * FANOUT)];
    let deed = prop_oneof![
        2 => values().prop_map(Deed::Push),
        3 => (many, values(), 0..2u8).prop_map(|(n, value, slope)| {
            Deed::Extend((0..n).map(|n| value + f64::from(slope) * n as f64).collect())
        }),
        1 => any::<prop::sample::Index>().prop_map(Deed::Truncate),
        1 => Just(Deed::Keep),
    ];
    prop::collection::vec(deed, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_column_is_as_a_plain_list(deeds in deeds(), stretches in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 20)) {
        let (mut column, mut plain) = (Column::default(), Vec::new());
        let mut kept = Vec::new();
        for deed in deeds {
            match deed {
                Deed::Push(value) => {
                    column.push(value);
                    plain.push(value);
                }
                Deed::Extend(values) => {
                    column.extend(&values);
                    plain.extend(values);
                }
                Deed::Truncate(len) => {
                    column.truncate(len.index(plain.len() + 1));
                    plain.truncate(len.index(plain.len() + 1));
                }
                Deed::Keep => kept.push((column.clone(), plain.clone())),
            }
        }
        kept.push((column, plain));
        for (column, plain) in &kept {
            prop_assert_eq!(bits(column.iter()), bits(plain.iter().copied()));
            prop_assert_eq!((column.len(), column.is_empty()), (plain.len(), plain.is_empty()));
            prop_assert_eq!(column.last().map(f64::to_bits), plain.last().copied().map(f64::to_bits));
            prop_assert_eq!(column.get(plain.len()), None);
            prop_assert_eq!(column.span(0..usize::MAX), plain_span(plain));
            for [a, b] in &stretches {
                let (a, b) = (a.index(plain.len() + 1), b.index(plain.len() + 1));
                let (from, to) = (a.min(b), a.max(b));
                prop_assert_eq!(column.span(from..to), plain_span(&plain[from..to]), "{} to {}", from, to);
                prop_assert_eq!(bits(column.range(from..to)), bits(plain[from..to].iter().copied()));
                prop_assert_eq!(column.get(from).map(f64::to_bits), plain.get(from).copied().map(f64::to_bits));
            }
        }
    }

    #[test]
    fn the_place_of_a_value_is_found(gaps in prop::collection::vec(0..3u32, 0..5000), wanted in 0..5000u32) {
        let mut sum = 0;
        let plain: Vec<f64> = gaps.iter().map(|gap| { sum += gap; f64::from(sum) }).collect();
        let column: Column = plain.iter().copied().collect();
        let wanted = f64::from(wanted);
        prop_assert_eq!(column.partition_point(|x| x < wanted), plain.partition_point(|&x| x < wanted));
        prop_assert_eq!(column.partition_point(|x| x <= wanted), plain.partition_point(|&x| x <= wanted));
    }
}

#[test]
fn a_clone_shares_and_an_append_copies_little() {
    let mut column: Column = (0..100_000).map(f64::from).collect();
    let shown = column.clone();
    column.push(0.5);
    assert_eq!((shown.len(), column.len()), (100_000, 100_001));
    let shared = |n: usize| std::ptr::eq(shown.leaf(n), column.leaf(n));
    assert!((0..100_000 / LEAF).all(shared), "full leaves are the same ones");
}

#[test]
fn what_stays_as_it_is_is_kept_once() {
    let mut column: Column = std::iter::repeat_n(1e-3, 10 * LEAF).collect();
    column.extend(&[1e-4; LEAF]);
    let leaves: Vec<_> = column
        .root
        .children
        .iter()
        .map(|(_, node)| match node {
            Node::Leaf(leaf) => Arc::as_ptr(leaf),
            Node::Branch(_) => unreachable!("ten leaves are no tree"),
        })
        .collect();
    assert!(leaves[..10].iter().all(|leaf| *leaf == leaves[0]) && leaves[10] != leaves[0]);
    assert_eq!((column.get(9 * LEAF), column.get(10 * LEAF)), (Some(1e-3), Some(1e-4)));
}

#[test]
fn stretches_that_are_not_there_span_nothing() {
    let column: Column = [1.0, f64::NAN].into_iter().collect();
    #[allow(clippy::reversed_empty_ranges)] // as a careless caller might
    for range in [0..0, 1..2, 2..9, 5..3] {
        assert_eq!(column.span(range), None);
    }
    assert_eq!(Column::default().span(0..1), None);
    assert_eq!(Column::default().partition_point(|_| true), 0);
}
