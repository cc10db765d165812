//! Figures by index: cheap to clone, to append to, and to sum up over any stretch of them.
//!
//! Invariants: a column is a tree of full leaves and a tail that is not; of every part of the tree is known what it spans.
//! What a clone shares never changes: an append to it copies the tail, and now and then the last branch of each level.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Values of a leaf: with the counts of those who share it they fill 512 bytes, of which nothing is wasted.
const LEAF: usize = 62;
/// Children of a branch.
const FANOUT: usize = 32;

/// What the finite values of a stretch span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub first: f64,
    pub last: f64,
    pub min: f64,
    pub max: f64,
}

impl Span {
    /// That of no value; it is never given away.
    const NONE: Span = Span { first: f64::NAN, last: f64::NAN, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn of(values: &[f64]) -> Span {
        let finite = |value: &f64| value.is_finite();
        let (Some(&first), Some(&last)) = (values.iter().find(|v| finite(v)), values.iter().rfind(|v| finite(v)))
        else {
            return Span::NONE;
        };
        // Without a branch, so that several are compared at once.
        let widen = |(min, max): (f64, f64), &value: &f64| {
            let (low, high) = if value.is_finite() { (value, value) } else { (first, first) };
            (if low < min { low } else { min }, if high > max { high } else { max })
        };
        let (min, max) = values.iter().fold((first, first), widen);
        Span { first, last, min, max }
    }

    /// Takes what comes after it.
    fn join(&mut self, later: Span) {
        if later.is_none() {
            return;
        }
        if self.is_none() {
            self.first = later.first;
        }
        self.last = later.last;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
    }

    fn is_none(&self) -> bool {
        self.min > self.max
    }

    fn known(self) -> Option<Span> {
        (!self.is_none()).then_some(self)
    }
}

/// Values by index, NaN and infinities among them.
#[derive(Clone)]
pub struct Column {
    /// The full leaves, `height` levels below.
    root: Arc<Branch>,
    height: usize,
    /// The values after the last full leaf; what is behind them means nothing.
    tail: Arc<[f64; LEAF]>,
    tail_span: Span,
    len: usize,
}

impl Default for Column {
    fn default() -> Self {
        Column { root: Arc::default(), height: 0, tail: Arc::new([f64::NAN; LEAF]), tail_span: Span::NONE, len: 0 }
    }
}

impl Column {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value at `index`.
    pub fn get(&self, index: usize) -> Option<f64> {
        if index >= self.len {
            return None;
        }
        self.leaf(index / LEAF).get(index % LEAF).copied()
    }

    /// The last value.
    pub fn last(&self) -> Option<f64> {
        self.get(self.len.checked_sub(1)?)
    }

    /// All values in order.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        self.range(0..self.len)
    }

    /// The values of `range`, as far as they are there.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = f64> + '_ {
        let (from, to) = (range.start, range.end.min(self.len));
        let leaves = if from < to { from / LEAF..(to - 1) / LEAF + 1 } else { 0..0 };
        leaves.flat_map(move |leaf| {
            let (values, begin) = (self.leaf(leaf), leaf * LEAF);
            let here = from.saturating_sub(begin).min(values.len())..(to - begin).min(values.len());
            values.get(here).unwrap_or_default().iter().copied()
        })
    }

    /// Appends a value.
    pub fn push(&mut self, value: f64) {
        self.extend(&[value]);
    }

    /// Appends values.
    pub fn extend(&mut self, values: &[f64]) {
        let mut rest = values;
        while !rest.is_empty() {
            let filled = self.len % LEAF;
            let (now, later) = rest.split_at(rest.len().min(LEAF - filled));
            if let Some(free) = Arc::make_mut(&mut self.tail).get_mut(filled..filled + now.len()) {
                free.copy_from_slice(now);
            }
            self.tail_span.join(Span::of(now));
            self.len += now.len();
            if self.len.is_multiple_of(LEAF) {
                self.grow();
            }
            rest = later;
        }
    }

    /// Forgets all values from index `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        let leaves = len / LEAF;
        if leaves < self.len / LEAF {
            let mut tail = [f64::NAN; LEAF];
            tail.iter_mut().zip(self.leaf(leaves)).for_each(|(to, from)| *to = *from);
            self.tail = Arc::new(tail);
            Arc::make_mut(&mut self.root).truncate(self.height, leaves);
        }
        self.len = len;
        self.tail_span = Span::of(self.tail());
    }

    /// What the finite values of `range` span; None where there are none. Takes the logarithm of the length.
    pub fn span(&self, range: Range<usize>) -> Option<Span> {
        let (from, to) = (range.start, range.end.min(self.len));
        if from >= to {
            return None;
        }
        let full = self.len - self.len % LEAF;
        let mut span = self.root.span(self.height, from.min(full)..to.min(full));
        if to > full {
            let here = from.saturating_sub(full)..to - full;
            let is_whole = here == (0..self.len - full);
            span.join(if is_whole { self.tail_span } else { Span::of(self.tail().get(here).unwrap_or_default()) });
        }
        span.known()
    }

    /// The index of the first value for which `is_before` no longer holds, in a column of finite values that rises.
    pub fn partition_point(&self, is_before: impl Fn(f64) -> bool) -> usize {
        let full = self.len - self.len % LEAF;
        let tail = self.tail();
        if tail.first().is_some_and(|&first| is_before(first)) {
            return full + tail.partition_point(|&value| is_before(value));
        }
        self.root.partition_point(self.height, &is_before)
    }

    /// The full leaf of this number, or the tail.
    fn leaf(&self, number: usize) -> &[f64] {
        if number >= self.len / LEAF { self.tail() } else { self.root.leaf(self.height, number) }
    }

    fn tail(&self) -> &[f64] {
        self.tail.get(..self.len % LEAF).unwrap_or_default()
    }

    /// The tail became full: a leaf of the tree.
    fn grow(&mut self) {
        let mut leaf = std::mem::replace(&mut self.tail, Arc::new([f64::NAN; LEAF]));
        let span = std::mem::replace(&mut self.tail_span, Span::NONE);
        // A figure that stays as it was, as the learning rate mostly does, is kept once.
        if span.min == span.max
            && let Some(before) = self.root.last_leaf()
            && before.iter().zip(leaf.iter()).all(|(a, b)| a.to_bits() == b.to_bits())
        {
            leaf = Arc::clone(before);
        }
        if self.root.is_full(self.height) {
            let below = std::mem::take(&mut self.root);
            let child = (below.all(), Node::Branch(below));
            self.root = Arc::new(Branch { children: vec![child] });
            self.height += 1;
        }
        Arc::make_mut(&mut self.root).push(self.height, leaf, span);
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<f64> for Column {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut column = Column::default();
        values.into_iter().for_each(|value| column.push(value));
        column
    }
}

/// At height 0 the children are leaves; all but the last are as full as they can be.
#[derive(Clone, Default)]
struct Branch {
    children: Vec<(Span, Node)>,
}

#[derive(Clone)]
enum Node {
    Leaf(Arc<[f64; LEAF]>),
    Branch(Arc<Branch>),
}

/// Leaves below a child of a branch at `height`.
fn leaves_below(height: usize) -> usize {
    (0..height).fold(1, |leaves, _| leaves * FANOUT)
}

impl Branch {
    fn is_full(&self, height: usize) -> bool {
        let is_last_full = match self.children.last() {
            Some((_, Node::Branch(last))) => last.is_full(height.saturating_sub(1)),
            Some((_, Node::Leaf(_))) => true,
            None => false,
        };
        self.children.len() >= FANOUT && is_last_full
    }

    fn all(&self) -> Span {
        let mut all = Span::NONE;
        self.children.iter().for_each(|(span, _)| all.join(*span));
        all
    }

    fn push(&mut self, height: usize, leaf: Arc<[f64; LEAF]>, span: Span) {
        if height == 0 {
            self.children.push((span, Node::Leaf(leaf)));
            return;
        }
        match self.children.last_mut() {
            Some((all, Node::Branch(last))) if !last.is_full(height - 1) => {
                Arc::make_mut(last).push(height - 1, leaf, span);
                all.join(span);
            }
            _ => {
                let mut child = Branch::default();
                child.push(height - 1, leaf, span);
                self.children.push((span, Node::Branch(Arc::new(child))));
            }
        }
    }

    fn leaf(&self, height: usize, number: usize) -> &[f64] {
        let below = leaves_below(height);
        match self.children.get(number / below) {
            Some((_, Node::Branch(child))) => child.leaf(height.saturating_sub(1), number % below),
            Some((_, Node::Leaf(leaf))) => leaf.as_slice(),
            None => &[],
        }
    }

    fn last_leaf(&self) -> Option<&Arc<[f64; LEAF]>> {
        match &self.children.last()?.1 {
            Node::Leaf(leaf) => Some(leaf),
            Node::Branch(child) => child.last_leaf(),
        }
    }

    /// Keeps so many leaves.
    fn truncate(&mut self, height: usize, leaves: usize) {
        let below = leaves_below(height);
        self.children.truncate(leaves.div_ceil(below));
        let rest = leaves % below;
        if let (1.., Some((span, Node::Branch(last)))) = (rest, self.children.last_mut()) {
            Arc::make_mut(last).truncate(height.saturating_sub(1), rest);
            *span = last.all();
        }
    }

    fn span(&self, height: usize, range: Range<usize>) -> Span {
        let size = LEAF * leaves_below(height);
        let mut all = Span::NONE;
        if range.is_empty() {
            return all;
        }
        for (n, (span, node)) in
            self.children.iter().enumerate().take((range.end - 1) / size + 1).skip(range.start / size)
        {
            let begin = n * size;
            let here = range.start.saturating_sub(begin)..(range.end - begin).min(size);
            all.join(match node {
                _ if here == (0..size) => *span,
                Node::Leaf(leaf) => Span::of(leaf.get(here).unwrap_or_default()),
                Node::Branch(child) => child.span(height.saturating_sub(1), here),
            });
        }
        all
    }

    fn partition_point(&self, height: usize, is_before: &impl Fn(f64) -> bool) -> usize {
        let after = self.children.partition_point(|(span, _)| is_before(span.first));
        let Some(n) = after.checked_sub(1) else { return 0 };
        let begin = n * LEAF * leaves_below(height);
        begin
            + match &self.children[n].1 {
                Node::Leaf(leaf) => leaf.partition_point(|&value| is_before(value)),
                Node::Branch(child) => child.partition_point(height.saturating_sub(1), is_before),
            }
    }
}

#[cfg(test)]
mod tests;
