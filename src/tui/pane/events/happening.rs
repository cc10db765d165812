//! A line of the pane: something the worker or the runner wrote down.

use crate::base::clock::Timestamp;
use crate::base::text::counted;
use crate::record::event::{Event, Line};
use crate::record::life::{Exited, LifeEvent, Outcome};
use crate::record::state::RunState;
use crate::record::words;
use crate::tui::theme::{Role, Theme};

/// What a line is about; each kind can be shown or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Run,
    Phase,
    Epoch,
    Best,
    Lr,
    Stop,
    Advice,
    Log,
    Saved,
}

impl Kind {
    /// All of them, in the order of the pane's title.
    pub const ALL: [Kind; 9] =
        [Kind::Run, Kind::Phase, Kind::Epoch, Kind::Best, Kind::Lr, Kind::Stop, Kind::Advice, Kind::Log, Kind::Saved];

    /// As the title says it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Phase => "phase",
            Kind::Epoch => "epoch",
            Kind::Best => "best",
            Kind::Lr => "lr",
            Kind::Stop => "stop",
            Kind::Advice => "advice",
            Kind::Log => "log",
            Kind::Saved => "saved",
        }
    }

    /// The kind of what the worker wrote; none for what says the same as others, or nothing to a person.
    pub fn of_event(event: &Event) -> Option<Kind> {
        Some(match event {
            Event::RunStarted(_) | Event::Finished(_) | Event::Failed(_) => Kind::Run,
            Event::PhaseStarted(_) | Event::Unfroze(_) => Kind::Phase,
            Event::Epoch(_) => Kind::Epoch,
            Event::Best(_) => Kind::Best,
            Event::LrChanged(_) => Kind::Lr,
            Event::EarlyStopped(_) => Kind::Stop,
            Event::Advice(_) => Kind::Advice,
            Event::Log(_) | Event::Skipped(_) => Kind::Log,
            Event::Checkpoint(_) => Kind::Saved,
            Event::Stage(_) | Event::Step(_) | Event::Confusion(_) | Event::Samples(_) | Event::Unknown => return None,
        })
    }

    /// The kind of what the runner wrote.
    pub fn of_life(event: &LifeEvent) -> Option<Kind> {
        (*event != LifeEvent::Unknown).then_some(Kind::Run)
    }
}

/// A line, by whom it was written.
#[derive(Debug, Clone, Copy)]
pub enum Happening<'a> {
    Life(&'a Line<LifeEvent>),
    Training(&'a Line<Event>),
}

impl Happening<'_> {
    /// When it was written.
    pub fn time(&self) -> Timestamp {
        match self {
            Happening::Life(line) => line.time,
            Happening::Training(line) => line.time,
        }
    }

    /// Its kind in at most six letters, and the role of that.
    pub fn label(&self, theme: &Theme) -> (&'static str, Role) {
        match self {
            Happening::Training(line) => (words::kind(&line.event), theme.event(&line.event)),
            Happening::Life(line) => match &line.event {
                LifeEvent::Exited(exit) => ("end", of_outcome(exit.outcome)),
                LifeEvent::Started { .. } => ("run", Role::Live),
                LifeEvent::RetryScheduled { .. } => ("retry", Role::Warning),
                LifeEvent::Note { .. } => ("note", Role::Plain),
                LifeEvent::Tagged { .. } => ("tag", Role::Dim),
                _ => ("queue", Role::Dim),
            },
        }
    }

    /// The role of its words.
    pub fn role(&self, theme: &Theme) -> Role {
        match self {
            Happening::Training(line) => match &line.event {
                Event::Epoch(_) | Event::PhaseStarted(_) | Event::RunStarted(_) => Role::Plain,
                event => theme.event(event),
            },
            Happening::Life(line) => match &line.event {
                LifeEvent::Exited(exit) => of_outcome(exit.outcome),
                _ => Role::Plain,
            },
        }
    }

    /// What it says.
    pub fn words(&self) -> String {
        match self {
            Happening::Life(line) => life_words(&line.event),
            Happening::Training(line) => words::words(&line.event),
        }
    }

    /// The epoch that it is about, from 1, where it is about one.
    pub fn epoch(&self, run: &RunState) -> Option<u32> {
        let Happening::Training(line) = self else { return None };
        match &line.event {
            Event::Epoch(epoch) => Some(epoch.epoch),
            Event::Best(best) => Some(best.epoch),
            Event::LrChanged(change) => Some(change.epoch),
            Event::Unfroze(unfroze) => Some(unfroze.epoch),
            Event::EarlyStopped(stop) => Some(stop.epoch),
            Event::Checkpoint(checkpoint) => Some(checkpoint.epoch),
            Event::Confusion(confusion) => Some(confusion.epoch),
            Event::Samples(samples) => Some(samples.epoch),
            Event::Step(step) => Some(step.epoch),
            Event::PhaseStarted(phase) => {
                let mut phases = run.training.phases.iter();
                phases.find(|(_, begun)| begun.index == phase.index).map(|(first, _)| *first)
            }
            Event::RunStarted(started) => started.resumed_from.map(|from| from.epoch),
            Event::Stage(_) | Event::Advice(_) | Event::Skipped(_) | Event::Log(_) => None,
            Event::Finished(_) | Event::Failed(_) | Event::Unknown => None,
        }
    }
}

fn of_outcome(outcome: Outcome) -> Role {
    match outcome {
        Outcome::Finished => Role::Good,
        Outcome::Failed | Outcome::Lost => Role::Bad,
        Outcome::Paused => Role::Warning,
        Outcome::Cancelled => Role::Dim,
    }
}

fn life_words(event: &LifeEvent) -> String {
    match event {
        LifeEvent::Queued { priority, group, after, .. } => {
            let mut parts = vec!["queued".to_owned()];
            parts.extend((*priority != 0).then(|| format!("priority {priority}")));
            parts.extend(group.iter().map(|group| format!("of the sweep {group}")));
            let ids: Vec<String> = after.iter().map(ToString::to_string).collect();
            parts.extend((!ids.is_empty()).then(|| format!("to start after {}", ids.join(" "))));
            parts.join(", ")
        }
        LifeEvent::Edited { .. } => "its configuration was edited".into(),
        LifeEvent::Moved { .. } => "moved in the queue".into(),
        LifeEvent::Prioritized { priority } => format!("priority {priority}"),
        LifeEvent::Started { attempt, host, gpu, process, .. } => {
            let mut text = format!("attempt {attempt} started on {host}");
            gpu.iter().for_each(|gpu| text.push_str(&format!(", GPU {gpu}")));
            process.iter().for_each(|process| text.push_str(&format!(", pid {}", process.pid)));
            text
        }
        LifeEvent::PauseRequested => "asked to pause".into(),
        LifeEvent::Paused => "paused".into(),
        LifeEvent::Resumed => "put back in the queue".into(),
        LifeEvent::CancelRequested => "asked to cancel".into(),
        LifeEvent::Exited(exit) => exited(exit),
        LifeEvent::RetryScheduled { attempt, after_s: 0 } => format!("attempt {attempt} as soon as there is room"),
        LifeEvent::RetryScheduled { attempt, after_s } => {
            format!("attempt {attempt} in {}", counted(*after_s, "second"))
        }
        LifeEvent::Note { text } => text.clone(),
        LifeEvent::Tagged { tags } if tags.is_empty() => "no tags".into(),
        LifeEvent::Tagged { tags } => format!("tagged {}", tags.join(" ")),
        LifeEvent::Unknown => String::new(),
    }
}

fn exited(exit: &Exited) -> String {
    let outcome = match exit.outcome {
        Outcome::Finished => "finished",
        Outcome::Failed => "failed",
        Outcome::Cancelled => "was cancelled",
        Outcome::Paused => "was paused",
        Outcome::Lost => "was lost",
    };
    let mut text = format!("attempt {} {outcome}: {}", exit.attempt, exit.cause.words());
    match (exit.signal, exit.exit_code) {
        (Some(signal), _) => text.push_str(&format!(", signal {signal}")),
        (None, Some(code)) if exit.outcome == Outcome::Failed => text.push_str(&format!(", exit code {code}")),
        _ => {}
    }
    exit.message.iter().for_each(|message| text.push_str(&format!("; {message}")));
    text
}
