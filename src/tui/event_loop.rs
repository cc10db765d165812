//! The loop: all waiting messages are taken, then one frame is drawn, if anything changed.

use std::io;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use ratatui::layout::{Position, Size};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::action::{Action, Effect, Motion, News};
use super::app::{App, Notice};
use super::editor::Keyboard;
use super::log::Logs;
use super::meters::Meters;
use super::output::Output;
use super::picture::Setting;
use super::probe::{Heard, Sieve, Terminal};
use super::reader::Reader;
use super::theme::Theme;
use super::update::{hear, update};
use super::{Options, orders};
use crate::base::clock::{self, Stopwatch};
use crate::record::Store;

/// Least time between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// How often the clock is read while something runs.
const TICK: Duration = Duration::from_secs(2);

/// What the loop works with.
struct Dashboard {
    app: App,
    keyboard: Keyboard,
    output: Output,
    reader: Reader,
    logs: Logs,
    meters: Meters,
    /// Stands before the keymap, since the questions to the terminal went out.
    sieve: Sieve,
    store: Store,
    options: Options,
    say: UnboundedSender<News>,
    /// Whether the state may differ from what is shown.
    dirty: bool,
}

/// Shows the dashboard until the person leaves.
pub async fn run(store: Store, options: Options, theme: Theme) -> io::Result<()> {
    let (width, height) = crossterm::terminal::size()?;
    let (say, mut news) = unbounded_channel();
    let heard = say.clone();
    let reader = Reader::start(store.clone(), move |news| drop(heard.send(news)));
    let heard = say.clone();
    let logs = Logs::start(store.clone(), move |news| drop(heard.send(news)));
    let mut app = App::new(Size { width, height }, options.selected);
    app.terminal = Terminal { cell: cell(), ..Terminal::detect(|name| std::env::var(name).ok()) };
    match std::env::var(Setting::VARIABLE).ok().as_deref().map(Setting::read) {
        Some(Ok(setting)) => app.results.setting = setting,
        Some(Err(problem)) => app.notice = Some(Notice::Wrong(problem)),
        None => {}
    }
    let heard = say.clone();
    let meters = Meters::start(store.root().to_owned(), move |reading| drop(heard.send(News::Meters(reading))));
    let (keyboard, sieve, output) = (Keyboard::new(), Sieve::start(), Output::start(theme));
    Dashboard { app, keyboard, output, reader, logs, meters, sieve, store, options, say, dirty: true }
        .live(&mut news)
        .await
}

impl Dashboard {
    async fn live(mut self, news: &mut UnboundedReceiver<News>) -> io::Result<()> {
        let mut ticks = tokio::time::interval(TICK);
        // Nobody ticks while nothing runs; an hour of that is not made up for afterwards.
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last_frame: Option<Stopwatch> = None;
        loop {
            let wait = last_frame.map_or(Duration::ZERO, |frame| FRAME.saturating_sub(frame.elapsed()));
            let must_draw = self.dirty && self.output.is_free() && self.keyboard.is_ours();
            let mut leaving = false;
            // In this order: a frame is drawn when nothing waits to be taken. The keyboard is never asked but here, since
            // it remembers only the first who asked.
            tokio::select! {
                biased;
                event = self.keyboard.next() => leaving |= self.on_event(event)?,
                Some(news) = news.recv() => leaving |= self.on_news(news),
                _ = ticks.tick(), if self.app.runs.any_live() => self.tick(),
                () = self.output.arrived(), if self.dirty && !must_draw => {}
                () = tokio::time::sleep(wait), if must_draw => {
                    #[cfg(debug_assertions)]
                    super::panic_where_asked("loop");
                    self.output.show(&self.app)?;
                    self.dirty = self.output.is_unfinished();
                    last_frame = Some(Stopwatch::start());
                }
            }
            if leaving {
                return Ok(());
            }
        }
    }

    /// Whether the person leaves. The end of the keyboard is one way to.
    fn on_event(&mut self, event: Option<io::Result<Event>>) -> io::Result<bool> {
        let Some(event) = event.transpose()? else { return Ok(true) };
        let mut leaving = false;
        for heard in self.sieve.take(event) {
            match heard {
                Heard::Event(event) => leaving |= self.on_keys(event),
                Heard::Answer(answer) => {
                    self.app.terminal.take(answer);
                    self.dirty = true;
                }
            }
        }
        Ok(leaving)
    }

    fn on_keys(&mut self, event: Event) -> bool {
        if let Event::Resize(..) = event {
            self.app.terminal.cell = cell();
        }
        let mut leaving = false;
        for event in apart(event) {
            if let Some(action) = action(&self.app, event) {
                let effects = update(&mut self.app, action);
                leaving |= self.carry_out(effects);
            }
        }
        leaving
    }

    fn on_news(&mut self, news: News) -> bool {
        if let News::Edited(_) = news {
            self.take_terminal_back();
        }
        let effects = hear(&mut self.app, news);
        if !self.app.runs.any_live() {
            // Nothing runs: a clock would be all that changes.
            self.app.clock = None;
        }
        self.carry_out(effects)
    }

    /// What another program left on the screen is drawn over.
    fn take_terminal_back(&mut self) {
        self.keyboard.take_back();
        self.output.forget();
        if let Ok((width, height)) = crossterm::terminal::size() {
            update(&mut self.app, Action::Resize(Size { width, height }));
        }
    }

    fn tick(&mut self) {
        self.app.clock = Some(clock::now());
        self.dirty = true;
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> bool {
        self.dirty = true;
        let mut leaving = false;
        for effect in effects {
            let say = self.say.clone();
            match effect {
                Effect::Quit => leaving = true,
                Effect::Log(order) => self.logs.ask(order),
                Effect::Want(ids) => self.reader.want(ids),
                Effect::Measure(wish) => self.meters.wish(wish),
                Effect::Edit(edit) => self.keyboard.lend(edit, move |news| drop(say.send(news))),
                Effect::Do(job) => job.start(self.store.clone(), move |news| drop(say.send(news))),
                Effect::Ask(order) => {
                    let (store, start) = (self.store.clone(), self.options.start.clone());
                    orders::carry_out(order, store, start, move |news| drop(say.send(news)));
                }
            }
        }
        leaving
    }
}

/// Width and height of a cell in pixels, where the kernel knows it; through SSH it does.
fn cell() -> Option<(u16, u16)> {
    let size = crossterm::terminal::window_size().ok()?;
    let (width, height) = (size.width.checked_div(size.columns)?, size.height.checked_div(size.rows)?);
    (width > 0 && height > 0).then_some((width, height))
}

/// Escape and a letter that came in one piece, as they do over a slow line, look like the letter with Alt; no key of ours
/// has Alt.
fn apart(event: Event) -> impl Iterator<Item = Event> {
    let (first, second) = match event {
        Event::Key(key) if key.modifiers.contains(KeyModifiers::ALT) => {
            let letter = KeyEvent { modifiers: key.modifiers - KeyModifiers::ALT, ..key };
            (Event::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)), Some(Event::Key(letter)))
        }
        event => (event, None),
    };
    std::iter::once(first).chain(second)
}

/// What an event of the terminal asks for.
fn action(app: &App, event: Event) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => app.keymap.action(&app.scopes(), &key),
        Event::Paste(text) => Some(Action::Paste(text)),
        Event::Resize(width, height) => Some(Action::Resize(Size { width, height })),
        Event::Mouse(mouse) => {
            let position = Position { x: mouse.column, y: mouse.row };
            match mouse.kind {
                MouseEventKind::ScrollUp => Some(Action::Wheel(position, Motion::Up)),
                MouseEventKind::ScrollDown => Some(Action::Wheel(position, Motion::Down)),
                MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(position)),
                _ => None,
            }
        }
        _ => None,
    }
}
