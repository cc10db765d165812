//! The validation samples that the network is most wrong about.

use super::epoch::Validated;
use crate::data::Dataset;
use crate::record::event::{Sample, SampleKind, Samples};

/// How many are shown.
const SHOWN: usize = 16;

/// Those that are most surely taken for something else, surest first.
pub(super) fn worst(validated: &Validated, data: &Dataset, epoch: u32) -> Samples {
    let is_wrong = |sample: &usize| validated.scored[*sample].predicted != data.val.label(*sample) as usize;
    let mut wrong: Vec<usize> = (0..validated.scored.len()).filter(is_wrong).collect();
    wrong.sort_by(|&a, &b| validated.scored[b].probability.total_cmp(&validated.scored[a].probability));
    let item = |sample: usize| {
        let scored = validated.scored[sample];
        Sample {
            source: data.val.called(sample),
            label: data.classes.get(data.val.label(sample) as usize).cloned().unwrap_or_default(),
            predicted: data.classes.get(scored.predicted).cloned(),
            probability: Some(scored.probability),
            image: None,
        }
    };
    Samples { epoch, kind: SampleKind::Misclassified, items: wrong.into_iter().take(SHOWN).map(item).collect() }
}
