//! The two strings that training hangs by: events go out, and the wish to stop comes in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::error::{Interrupt, Stoppable};
use crate::base::clock::Stopwatch;
use crate::base::durable;
use crate::record::event::{Event, Level, Log, Stage};

/// At most this often is progress told.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Where events go, and whether somebody asked to stop.
pub(super) struct Out<'a> {
    emit: &'a mut dyn FnMut(Event) -> Result<(), durable::Error>,
    stop: &'a AtomicBool,
}

impl<'a> Out<'a> {
    pub fn new(emit: &'a mut dyn FnMut(Event) -> Result<(), durable::Error>, stop: &'a AtomicBool) -> Self {
        Out { emit, stop }
    }

    pub fn event(&mut self, event: Event) -> Result<(), durable::Error> {
        (self.emit)(event)
    }

    pub fn log(&mut self, level: Level, message: String) -> Result<(), durable::Error> {
        self.event(Event::Log(Log { level, message }))
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Set once somebody asked to stop, for other threads to look at.
    pub fn stop(&self) -> &'a AtomicBool {
        self.stop
    }

    /// Interrupts the work if somebody asked to stop.
    pub fn check(&self) -> Stoppable<()> {
        if self.is_stopped() { Err(Interrupt::Stopped) } else { Ok(()) }
    }
}

/// Progress of one piece of work, told now and then and at its end.
pub(super) struct Progress {
    name: &'static str,
    unit: &'static str,
    told: Stopwatch,
    /// Nothing is said of work that is over before the first telling is due.
    is_told: bool,
}

impl Progress {
    pub fn new(name: &'static str, unit: &'static str) -> Self {
        Progress { name, unit, told: Stopwatch::start(), is_told: false }
    }

    /// The event to emit now that `done` of `total` is done, if one is due.
    pub fn at(&mut self, done: u64, total: u64) -> Option<Event> {
        let is_end = done >= total && self.is_told;
        if !is_end && self.told.elapsed() < PROGRESS_EVERY {
            return None;
        }
        self.told = Stopwatch::start();
        self.is_told = true;
        Some(Event::Stage(Stage { name: self.name.to_owned(), done, total, unit: self.unit.to_owned() }))
    }
}
