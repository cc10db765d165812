//! A stretch of a training's log, parsed; stretches of one log are parsed at once, and folded one after the other.
//!
//! Invariant: folding a stretch comes to what folding its lines one by one does.

use super::Training;
use crate::base::clock::Timestamp;
use crate::record::event::{Event, Line, Step};
use crate::record::step_line::{StepLine, StepLines};
use crate::record::steps::{self, Rows};

/// What a stretch of whole lines says; those that are no lines of a log are left out.
#[derive(Debug, Default)]
pub struct Batch(Vec<Part>);

#[derive(Debug)]
enum Part {
    Steps(Box<Told>),
    Line(Box<Line<Event>>),
}

/// Steps without anything between them.
#[derive(Debug)]
struct Told {
    rows: Rows,
    /// Milliseconds since 1970, of each.
    times: Vec<i64>,
    last: Step,
}

/// Steps that there is room for from the start: a part of a log has no more.
const MOST: usize = 4096;

impl Batch {
    /// Parses whole lines.
    pub fn read(lines: &[u8]) -> Batch {
        let mut batch = Batch::default();
        let mut rest = lines;
        while !rest.is_empty() {
            let told = Batch::steps(&mut rest);
            batch.0.extend(told.map(|told| Part::Steps(Box::new(told))));
            let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default();
            batch.0.extend(serde_json::from_slice(line).ok().map(|line| Part::Line(Box::new(line))));
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        batch
    }

    /// Takes the steps that come next.
    fn steps(rest: &mut &[u8]) -> Option<Told> {
        let mut lines = StepLines::of(rest);
        let mut last = lines.next()?;
        // Those that follow have lines about as long, if they are steps.
        let line = rest.len() - lines.rest().len();
        let room = (rest.len() / line.max(1) + 1).min(MOST);
        let (mut rows, mut times) = (Rows::with_capacity(room), Vec::with_capacity(room));
        let mut take = |step: &StepLine<'_>| {
            let place = steps::place(step.epoch, step.step, step.steps);
            rows.push(place, [step.loss, step.accuracy, step.lr, step.samples_per_s]);
            times.push(step.time);
        };
        take(&last);
        for step in &mut lines {
            take(&step);
            last = step;
        }
        *rest = lines.rest();
        Some(Told { rows, times, last: last.event().1 })
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Training {
    /// Takes a stretch of `events.jsonl`.
    pub fn take_batch(&mut self, batch: Batch) {
        for part in batch.0 {
            match part {
                Part::Line(line) => self.take(*line),
                Part::Steps(told) => self.take_steps(*told),
            }
        }
    }

    fn take_steps(&mut self, told: Told) {
        let heard = told.times.iter().max().map(|&time| Timestamp::from_millis(time));
        self.heard = self.heard.max(heard);
        let seconds = told.times.iter().map(|&time| self.timer.seconds(Timestamp::from_millis(time))).collect();
        self.steps.extend(told.rows, seconds);
        self.stage = None;
        self.step = Some(told.last);
    }
}
