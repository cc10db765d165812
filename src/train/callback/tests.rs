//! What Keras' figures do not show; those are replayed by `train::verify`.

use super::*;
use crate::experiment::{self, Metric, Mode};

fn stopping(patience: u32) -> EarlyStopping {
    EarlyStopping::new(&experiment::EarlyStopping {
        watch: Watch { monitor: Metric::ValLoss, mode: Mode::Min },
        patience,
        min_delta: 0.0,
        baseline: None,
        start_from_epoch: 0,
        restore_best_weights: true,
    })
}

#[test]
fn a_first_epoch_with_nan_can_be_beaten() {
    let mut stopping = stopping(3);
    let verdicts: Vec<Verdict> = [f64::NAN, f64::INFINITY, 0.5, f64::NAN, 0.6, 0.7]
        .into_iter()
        .zip(1..)
        .map(|(value, epoch)| stopping.epoch_end(epoch, epoch, value))
        .collect();
    use Verdict::{Best, GoOn, Stop};
    assert_eq!(verdicts, [GoOn, GoOn, Best, GoOn, GoOn, Stop]);
    assert_eq!((stopping.state().best, stopping.state().best_epoch), (Some(0.5), Some(3)));
}

#[test]
fn patience_0_acts_like_1() {
    for values in [[1.0, 0.9, 0.9], [1.0, 1.1, 0.2], [1.0, 0.5, 0.4]] {
        let verdicts = |patience| {
            let (mut stopping, mut epoch) = (stopping(patience), 0);
            values.map(|value| {
                epoch += 1;
                stopping.epoch_end(epoch, epoch, value)
            })
        };
        assert_eq!(verdicts(0), verdicts(1));
    }
}

#[test]
fn plateau_cooldown_1_acts_like_0() {
    let rates = |cooldown| {
        let mut reduce_lr = ReduceLrOnPlateau::new(&experiment::ReduceLrOnPlateau {
            watch: Watch { monitor: Metric::ValLoss, mode: Mode::Min },
            factor: 0.5,
            patience: 2,
            min_delta: 0.0,
            cooldown,
            min_lr: 0.0,
        });
        let mut lr = 1.0;
        [1.0; 12].map(|value| {
            lr = reduce_lr.epoch_end(value, lr).map_or(lr, |reduction| reduction.to);
            lr
        })
    };
    assert_eq!(rates(0), rates(1));
    assert_ne!(rates(0), rates(2));
}
