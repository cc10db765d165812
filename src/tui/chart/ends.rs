//! What stands at the ends of lines: name and last value, none over another.

/// Moves rows that are the same apart, as little as possible and in their order, within `height` rows; what does
/// not fit
/// has no row.
pub fn apart(wanted: &[u16], height: u16) -> Vec<Option<u16>> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&n| wanted[n]);
    order.truncate(usize::from(height));
    let mut rows: Vec<u16> = Vec::with_capacity(order.len());
    for &n in &order {
        let free = rows.last().map_or(0, |row| row + 1);
        rows.push(wanted[n].max(free));
    }
    // What was pushed out at the bottom moves up, and all above it as far as it must.
    let mut limit = height;
    for row in rows.iter_mut().rev() {
        *row = (*row).min(limit.saturating_sub(1));
        limit = *row;
    }
    let mut placed = vec![None; wanted.len()];
    order.iter().zip(rows).for_each(|(&n, row)| placed[n] = Some(row));
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_that_are_the_same_move_apart() {
        for (wanted, height, placed) in [
            (vec![3, 3], 10, vec![Some(3), Some(4)]),
            (vec![9, 9, 9], 10, vec![Some(7), Some(8), Some(9)]),
            (vec![5, 2, 5], 6, vec![Some(4), Some(2), Some(5)]),
            (vec![0, 1], 1, vec![Some(0), None]),
            (vec![4], 0, vec![None]),
        ] {
            assert_eq!(apart(&wanted, height), placed, "{wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn no_two_share_a_row(wanted in prop::collection::vec(0u16..30, 0..12), height in 0u16..20) {
            let placed = apart(&wanted, height);
            let mut rows: Vec<u16> = placed.iter().flatten().copied().collect();
            prop_assert_eq!(rows.len(), wanted.len().min(usize::from(height)));
            rows.sort_unstable();
            prop_assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(rows.iter().all(|&row| row < height));
        }
    }
}
