//! The epochs and steps of a run as they count in the end, each with the time when it was written down.

use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::base::clock::Timestamp;
use crate::base::durable;
use crate::record::event::{Epoch, Event, Line, RunStarted, Step};

/// What a run trained.
#[derive(Debug, Default)]
pub struct History {
    pub epochs: Vec<(Timestamp, Epoch)>,
    pub steps: Vec<StepRow>,
    /// The names of phases, which the steps have by number.
    pub phases: Vec<String>,
}

/// A step without its phase's name, of which there are a million.
#[derive(Debug)]
pub struct StepRow {
    pub time: Timestamp,
    pub phase: usize,
    pub epoch: u32,
    pub step: u32,
    pub steps: u32,
    /// `loss`, `accuracy`, `lr`, `samples_per_s`.
    pub figures: [f64; 4],
}

impl History {
    /// Reads the whole lines of `events.jsonl`; a log that is not there has none. Steps are kept only where they are asked
    /// for.
    pub fn read(path: &Path, with_steps: bool) -> io::Result<History> {
        let mut history = History::default();
        let mut file = match durable::open(path) {
            Ok(file) => BufReader::with_capacity(1 << 18, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(history),
            Err(error) => return Err(error),
        };
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            if let Ok(line) = serde_json::from_slice::<Line<Event>>(&line) {
                history.take(line, with_steps);
            }
            line.clear();
        }
        Ok(history)
    }

    fn take(&mut self, line: Line<Event>, with_steps: bool) {
        match line.event {
            Event::RunStarted(started) => self.begin_attempt(&started),
            Event::Step(step) if with_steps => self.take_step(line.time, &step),
            Event::Epoch(epoch) => {
                self.epochs.retain(|(_, before)| before.epoch < epoch.epoch);
                self.epochs.push((line.time, epoch));
            }
            _ => {}
        }
    }

    /// What was trained beyond the checkpoint that an attempt begins with is trained again.
    fn begin_attempt(&mut self, started: &RunStarted) {
        let (epoch, steps) = started.resumed_from.map_or((0, 0), |from| (from.epoch, from.epoch_steps));
        self.epochs.retain(|(_, before)| before.epoch <= epoch);
        self.steps
            .retain(|before| before.epoch <= epoch || before.epoch == epoch.saturating_add(1) && before.step <= steps);
    }

    fn take_step(&mut self, time: Timestamp, step: &Step) {
        let known = self.phases.iter().rposition(|phase| *phase == step.phase);
        let phase = known.unwrap_or_else(|| {
            self.phases.push(step.phase.clone());
            self.phases.len() - 1
        });
        let Step { epoch, step: number, steps, .. } = *step;
        let figures = [step.loss, step.accuracy, step.lr, step.samples_per_s];
        self.steps.push(StepRow { time, phase, epoch, step: number, steps, figures });
    }
}
