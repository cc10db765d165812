//! Runs as the record would hold them, folded from real events; and a dashboard to press keys in.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::action::{Effect, News};
use super::app::App;
use super::meters::Reading;
use super::runs::Delta;
use super::theme::palette::Palette;
use super::theme::{Colors, Theme};
use super::update::{hear, update};
use super::{keymap, view};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::record::event::{
    Best, Callbacks, EarlyStopped, EarlyStoppingCounters, Epoch, Event, Failed, FinishReason, Finished, Line,
    LrChanged, LrReason, Parameters, PhasePlan, PhaseStarted, ReduceLrCounters, RunStarted, Skipped, Stage, Step,
};
use crate::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome};
use crate::record::state::RunState;
use crate::record::summary::Row;

/// A run to which lines are added a second apart.
pub struct Recording {
    run: RunState,
    seq: u64,
}

impl Recording {
    /// A queued run.
    pub fn queued(id: u32, name: &str) -> Self {
        let mut recording = Recording { run: RunState::new(RunId(id), name.to_owned()), seq: 0 };
        recording.life(LifeEvent::Queued {
            name: name.to_owned(),
            priority: 0,
            group: None,
            after: vec![],
            needs: Default::default(),
        });
        recording
    }

    /// A run whose worker was started.
    pub fn started(id: u32, name: &str) -> Self {
        let mut recording = Recording::queued(id, name);
        recording.life(LifeEvent::Started {
            attempt: 1,
            executor: ExecutorKind::Local,
            process: None,
            job_id: None,
            host: "lab".into(),
            gpu: None,
        });
        recording
    }

    /// A run with two phases of which the first has begun.
    pub fn training(id: u32, name: &str) -> Self {
        let mut recording = Recording::started(id, name);
        let plan = |name: &str, epochs| PhasePlan { name: name.to_owned(), epochs };
        recording.event(Event::RunStarted(RunStarted {
            attempt: 1,
            version: "0.1.0".into(),
            host: "lab".into(),
            device: "cpu".into(),
            threads: 2,
            seed: 42,
            classes: ["animals", "food", "transport"].map(str::to_owned).to_vec(),
            train_samples: 488,
            val_samples: 164,
            parameters: Parameters { total: 854_595, trainable: 734_179 },
            phases: vec![plan("head", 10), plan("fine_tune", 8)],
            resumed_from: None,
        }));
        recording.phase(0, "head", 10, 1e-3);
        recording
    }

    fn time(&mut self) -> Timestamp {
        self.seq += 1;
        Timestamp::from_millis(1_764_063_667_000 + 1000 * self.seq as i64)
    }

    /// Puts it into a group.
    pub fn group(&mut self, name: &str) -> &mut Self {
        self.run.life.group = Some(name.to_owned());
        self
    }

    pub fn life(&mut self, event: LifeEvent) -> &mut Self {
        let time = self.time();
        self.run.life(Line { seq: self.seq, time, event });
        self
    }

    pub fn event(&mut self, event: Event) -> &mut Self {
        let time = self.time();
        self.run.training.take(Line { seq: self.seq, time, event });
        self
    }

    pub fn phase(&mut self, index: usize, name: &str, epochs: u32, lr: f64) -> &mut Self {
        self.event(Event::PhaseStarted(PhaseStarted {
            phase: name.to_owned(),
            index,
            epochs,
            trainable: vec!["dense".into()],
            trainable_parameters: 132_099,
            optimizer: "adam".into(),
            lr,
        }))
    }

    pub fn step(&mut self, epoch: u32, step: u32, loss: f64) -> &mut Self {
        let phase = self.run.training.phase().unwrap_or("head").to_owned();
        let accuracy = 1.0 - loss / 3.0;
        self.event(Event::Step(Step { phase, epoch, step, steps: 4, loss, accuracy, lr: 1e-3, samples_per_s: 310.0 }))
    }

    /// An epoch with its steps.
    pub fn epoch(&mut self, epoch: u32, loss: f64, val_loss: f64) -> &mut Self {
        for step in 1..=4 {
            self.step(epoch, step, loss * (1.3 - 0.15 * f64::from(step)));
        }
        let phase = self.run.training.phase().unwrap_or("head").to_owned();
        let counters = EarlyStoppingCounters {
            monitor: "val_loss".into(),
            waited: 3,
            patience: 5,
            best: Some(0.2398),
            best_epoch: Some(9),
        };
        let reduce =
            ReduceLrCounters { monitor: "val_loss".into(), waited: 1, patience: 2, cooldown: 0, best: Some(0.2398) };
        self.event(Event::Epoch(Epoch {
            phase,
            epoch,
            phase_epoch: epoch + 1 - self.run.training.phases.last().map_or(1, |(first, _)| *first),
            phase_epochs: self.run.training.phases.last().map_or(10, |(_, phase)| phase.epochs),
            lr: 1e-3,
            loss,
            accuracy: 1.0 - loss / 3.0,
            val_loss,
            val_accuracy: 1.0 - val_loss / 3.0,
            seconds: 3.0,
            samples_per_s: 310.0,
            callbacks: Callbacks { early_stopping: Some(counters), reduce_lr_on_plateau: Some(reduce) },
            metrics: Default::default(),
        }))
    }

    /// Epochs whose losses fall, the validation's to .24 at the ninth.
    pub fn epochs(&mut self, numbers: std::ops::RangeInclusive<u32>) -> &mut Self {
        for epoch in numbers {
            let n = f64::from(epoch);
            self.epoch(epoch, 1.2 / n, 0.24 + 0.9 * (n - 9.0).abs() / 9.0 * if n < 9.0 { 1.0 } else { 0.2 });
        }
        self
    }

    pub fn best(&mut self, epoch: u32, value: f64) -> &mut Self {
        self.event(Event::Best(Best { epoch, monitor: "val_loss".into(), value }))
    }

    pub fn lr_drop(&mut self, epoch: u32) -> &mut Self {
        self.event(Event::LrChanged(LrChanged {
            epoch,
            from: 1e-3,
            to: 3e-4,
            reason: LrReason::ReduceLrOnPlateau,
            monitor: Some("val_loss".into()),
            value: Some(0.2412),
            best: Some(0.2398),
            waited: Some(3),
        }))
    }

    pub fn early_stop(&mut self, epoch: u32, phase: &str) -> &mut Self {
        self.event(Event::EarlyStopped(EarlyStopped {
            epoch,
            phase: phase.to_owned(),
            monitor: "val_loss".into(),
            best: Some(0.2398),
            best_epoch: Some(9),
            waited: 5,
            restored: true,
        }))
    }

    pub fn finished(&mut self, reason: FinishReason, epochs: u32) -> &mut Self {
        let best = self.run.training.best.clone();
        self.event(Event::Finished(Finished { reason, epochs, seconds: 61.0, best }));
        let cause = match reason {
            FinishReason::Completed => Cause::Completed,
            FinishReason::EarlyStopped => Cause::EarlyStopped,
        };
        self.exited(Outcome::Finished, cause, None)
    }

    pub fn failed(&mut self, cause: Cause, error: &str, hint: &str) -> &mut Self {
        let (error, hint) = (error.to_owned(), Some(hint.to_owned()));
        self.event(Event::Failed(Failed { cause, error: error.clone(), causes: vec![], hint }));
        self.exited(Outcome::Failed, cause, Some(error))
    }

    pub fn exited(&mut self, outcome: Outcome, cause: Cause, message: Option<String>) -> &mut Self {
        self.life(LifeEvent::Exited(Exited { attempt: 1, outcome, cause, exit_code: Some(0), signal: None, message }))
    }

    pub fn run(&self) -> RunState {
        self.run.clone()
    }
}

/// A run in its second phase, after a learning-rate drop.
pub fn running() -> RunState {
    let mut run = Recording::training(15, "emoji-squeezenet");
    run.epochs(1..=9).best(9, 0.2398).lr_drop(9).early_stop(9, "head").phase(1, "fine_tune", 8, 1e-4);
    run.epochs(10..=11).step(12, 2, 0.2);
    run.run()
}

/// A run that computes features before it trains.
pub fn in_a_stage() -> RunState {
    let mut run = Recording::training(21, "features");
    let stage = Stage { name: "features".into(), done: 340, total: 488, unit: "pictures".into() };
    run.event(Event::Skipped(Skipped { source: "train/food/a.png".into(), reason: "it is empty".into() }));
    run.event(Event::Stage(stage));
    run.run()
}

/// A run whose figures are of the odd kinds.
pub fn odd(id: u32, values: &[f64]) -> RunState {
    let mut run = Recording::training(id, "odd");
    for (epoch, &value) in (1..).zip(values) {
        run.epoch(epoch, value, value);
    }
    run.run()
}

/// Names and messages that would like to be obeyed.
pub fn hostile() -> RunState {
    let mut run = Recording::training(22, "a\x1b[2J\u{9b}31m\u{202e}🍎");
    run.epochs(1..=2);
    run.event(Event::Skipped(Skipped { source: "x\x1b]0;title\x07".into(), reason: "\r\n\x1b[?1049l".into() }));
    run.failed(Cause::Crashed, "panic \x1b[31m at\n\ttab", "see \x1b[0m");
    run.run()
}

/// A store with a run of every kind.
pub fn store() -> Delta {
    let mut finished = Recording::training(14, "vgg16-head");
    finished.epochs(1..=10).best(9, 0.2398).finished(FinishReason::Completed, 10);
    let mut early = Recording::training(13, "resnet50-all");
    early.epochs(1..=12).best(9, 0.2398).lr_drop(11).early_stop(12, "head").finished(FinishReason::EarlyStopped, 12);
    let mut diverged = Recording::training(12, "vgg16-bad-lr");
    diverged.epoch(1, 3.0, 9.0).epoch(2, f64::NAN, f64::NAN);
    diverged.failed(
        Cause::Diverged,
        "the loss became NaN in epoch 2, step 3 of 4 (phase `head`)",
        "use a lower learning rate than 1, as `adam: { lr: 0.1 }`",
    );
    let mut cancelled = Recording::training(11, "resnet18-old");
    cancelled.epochs(1..=3).life(LifeEvent::CancelRequested).exited(Outcome::Cancelled, Cause::User, None);
    let runs = [
        running(),
        Recording::queued(16, "resnet18-lr3e-4").run(),
        Recording::queued(17, "bert-names").run(),
        finished.run(),
        early.run(),
        diverged.run(),
        cancelled.run(),
    ];
    delta(runs)
}

/// Runs as the reader says them.
pub fn delta(runs: impl IntoIterator<Item = RunState>) -> Delta {
    let whole: Vec<Arc<RunState>> = runs.into_iter().map(Arc::new).collect();
    let rows = whole.iter().map(|run| Arc::new(Row::new(run, std::path::Path::new("/store")))).collect();
    Delta { rows, whole, ..Delta::default() }
}

pub const UNICODE: Theme = Theme { colors: Colors::True, ascii: false, palette: Palette::Dark };
pub const ASCII: Theme = Theme { colors: Colors::None, ascii: true, palette: Palette::Dark };

/// A dashboard of so many columns and rows that has heard of these runs.
pub fn app(size: (u16, u16), runs: Delta) -> App {
    let mut app = App::new(Size::new(size.0, size.1), None);
    hear(&mut app, News::Runs(runs));
    app.meters = Some(Reading { cpu: 187, memory_used: 2_254_857_830, memory_total: 24 << 30, ..Reading::default() });
    app.clock = Some(Timestamp::from_millis(1_764_063_667_000 + 600_000));
    app
}

/// A frame of `app`.
pub fn frame(app: &App, theme: &Theme) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, app.screen.size.width, app.screen.size.height));
    view::draw(app, theme, &mut buf);
    buf
}

/// The characters of a frame.
pub fn text(buf: &Buffer) -> String {
    let row = |y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..buf.area.height).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

/// The pane that is on the full screen: a frame without its first and last line.
pub fn pane(app: &App, theme: &Theme) -> String {
    let text = text(&frame(app, theme));
    let rows = usize::from(app.screen.size.height).saturating_sub(2);
    text.lines().skip(1).take(rows).map(|line| format!("{line}\n")).collect()
}

/// Presses keys, written as letters or as `<Enter>`, `<Esc>`, `<C-u>`; gives all effects but what to read whole.
pub fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|named| named.split_once('>'));
        let (event, length) = match named {
            Some((name, _)) => (named_key(name), name.len() + 2),
            None => (KeyEvent::new(KeyCode::Char(first), KeyModifiers::NONE), first.len_utf8()),
        };
        rest = &rest[length..];
        if let Some(action) = app.keymap.action(&app.scopes(), &event) {
            effects.extend(update(app, action));
        }
    }
    effects.retain(|effect| !matches!(effect, Effect::Want(_)));
    effects
}

/// A key as [`press`] reads it.
pub fn written(key: keymap::key::Key) -> String {
    match key.code {
        KeyCode::Char(letter) if key.ctrl => format!("<C-{letter}>"),
        KeyCode::Char(letter) => letter.to_string(),
        KeyCode::PageUp => "<PgUp>".into(),
        KeyCode::PageDown => "<PgDn>".into(),
        KeyCode::Backspace => "<Back>".into(),
        KeyCode::BackTab => "<S-Tab>".into(),
        code => format!("<{code:?}>"),
    }
}

fn named_key(name: &str) -> KeyEvent {
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "S-Tab" => KeyCode::BackTab,
        "Back" => KeyCode::Backspace,
        "Down" => KeyCode::Down,
        "Up" => KeyCode::Up,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PgDn" => KeyCode::PageDown,
        "PgUp" => KeyCode::PageUp,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        function if function.starts_with("F(") => KeyCode::F(function[2..function.len() - 1].parse().unwrap()),
        ctrl => {
            let letter = ctrl.strip_prefix("C-").and_then(|letter| letter.chars().next());
            let letter = letter.unwrap_or_else(|| panic!("{ctrl} is no key of these tests"));
            return KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        }
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}
