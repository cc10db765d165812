//! The loop: all waiting messages are taken, then one frame is drawn, if anything changed.

use std::io;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use ratatui::layout::{Position, Size};
use signal_hook::consts::SIGCONT;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

use super::action::{Action, Effect, Motion, News};
use super::app::{App, Notice};
use super::editor::{Edit, Keyboard};
use super::kept::{self, Keeper, Kept};
use super::log::Logs;
use super::meters::Meters;
use super::output::Output;
use super::picture::Setting;
use super::probe::{Answer, Heard, Question, Rgb, Sieve, Terminal};
use super::reader::Reader;
use super::rhythm::Rhythm;
use super::theme::Theme;
use super::update::{hear, update};
use super::{Options, orders, terminal};
use crate::base::clock::{self, Stopwatch};
use crate::record::Store;

/// How long a notice stands in the header, unless a key is pressed.
const NOTICE: Duration = Duration::from_secs(20);
/// How often the clock is read while something runs.
const TICK: Duration = Duration::from_secs(2);
/// How long a shell may take to stop us; where there is none, nobody does.
const STOPPED_WITHIN: Duration = Duration::from_millis(200);

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
    /// Whether a person waits for the next frame.
    awaited: bool,
    began: Stopwatch,
    rhythm: Rhythm,
    next: Next,
    /// When the newest notice came.
    announced: Option<Stopwatch>,
    keeper: Keeper,
}

/// What the loop does next.
#[derive(Debug)]
enum Next {
    GoOn,
    /// The terminal is the shell's until it says to go on.
    Suspend,
    /// The terminal is an editor's until that ends.
    Lend(Edit),
    Leave,
}

/// Shows the dashboard until the person leaves.
pub async fn run(store: Store, options: Options, theme: Theme) -> io::Result<()> {
    // Listens for changes of the size first, so that none is lost between the two.
    crossterm::event::poll(Duration::ZERO)?;
    let (width, height) = crossterm::terminal::size()?;
    let (say, mut news) = unbounded_channel();
    let heard = say.clone();
    let reader = Reader::start(store.clone(), move |news| drop(heard.send(news)));
    let heard = say.clone();
    let logs = Logs::start(store.clone(), move |news| drop(heard.send(news)));
    let mut app = App::new(Size { width, height }, options.selected);
    app.terminal = Terminal { cell: cell(), ..Terminal::detect(|name| std::env::var(name).ok()) };
    app.results.setting = options.settings.pictures;
    match std::env::var(Setting::VARIABLE).ok().as_deref().map(Setting::read) {
        Some(Ok(setting)) => app.results.setting = setting,
        Some(Err(problem)) => app.notice = Some(Notice::Wrong(problem)),
        None => {}
    }
    app.keymap = options.settings.keymap.clone();
    let file = kept::path(|name| std::env::var(name).ok());
    let kept = file.as_deref().map(|file| kept::read(file, store.root())).unwrap_or_default();
    kept.give(&mut app);
    let keeper = Keeper::start(file, store.root().to_owned(), Kept::of(&app));
    let heard = say.clone();
    let meters = Meters::start(store.root().to_owned(), move |reading| drop(heard.send(News::Meters(reading))));
    let (keyboard, sieve, output) = (Keyboard::listen(), Sieve::start(), Output::start(theme, true));
    let (dirty, awaited, next, announced) = (true, false, Next::GoOn, None);
    let (began, rhythm) = (Stopwatch::start(), Rhythm::default());
    Dashboard {
        app,
        keyboard,
        output,
        reader,
        logs,
        meters,
        sieve,
        store,
        options,
        say,
        dirty,
        awaited,
        began,
        rhythm,
        next,
        announced,
        keeper,
    }
    .live(&mut news)
    .await
}

impl Dashboard {
    async fn live(mut self, news: &mut UnboundedReceiver<News>) -> io::Result<()> {
        let mut continued = signal(SignalKind::from_raw(SIGCONT))?;
        let mut ticked: Option<Stopwatch> = None;
        loop {
            let must_draw = self.dirty && self.output.is_free() && self.keyboard.is_ours();
            let wait = self.until_next_frame();
            // In this order: a frame is drawn when nothing waits to be taken. The keyboard is never asked but here, since
            // it remembers only the first who asked. A timer is there only while something runs or is to be drawn.
            tokio::select! {
                biased;
                event = self.keyboard.next() => self.on_event(event)?,
                Some(news) = news.recv() => self.on_news(news)?,
                Some(()) = continued.recv(), if self.keyboard.is_ours() => self.take_terminal()?,
                () = sleep(left(TICK, ticked)), if self.app.runs.any_live() => {
                    ticked = Some(Stopwatch::start());
                    self.tick();
                }
                () = sleep(left(NOTICE, self.announced)), if self.app.notices.is_fresh => {
                    self.app.notices.is_fresh = false;
                    self.dirty = true;
                }
                () = self.output.arrived(), if self.dirty && !must_draw => {}
                () = pass(wait), if must_draw => {
                    #[cfg(debug_assertions)]
                    super::panic_where_asked("loop");
                    self.rhythm.drawn(self.began.elapsed(), self.pause());
                    self.awaited = false;
                    if self.output.show(&self.app)? {
                        self.sieve.asked(Question::Background);
                    }
                    self.dirty = self.output.is_unfinished();
                }
            }
            if !self.goes_on(&mut continued).await? {
                return Ok(());
            }
        }
    }

    /// Least time between two frames.
    fn pause(&self) -> Duration {
        self.output.pause(self.options.settings.frame())
    }

    /// Least time to the next frame.
    fn until_next_frame(&mut self) -> Duration {
        let early = if self.awaited { self.options.settings.frame() } else { Duration::ZERO };
        self.rhythm.wait(self.began.elapsed(), self.pause(), early).max(self.output.held_back())
    }

    /// Does what the last events asked for, as soon as the terminal has all that was sent to it; false to leave.
    async fn goes_on(&mut self, continued: &mut Signal) -> io::Result<bool> {
        match std::mem::replace(&mut self.next, Next::GoOn) {
            Next::GoOn => {}
            Next::Leave => {
                self.keeper.finish();
                self.last_answers().await;
                return Ok(false);
            }
            later if !self.output.is_free() => self.next = later,
            Next::Suspend => {
                self.last_answers().await;
                terminal::lend()?;
                // As the terminal's own Ctrl-z: whoever started us in the same job stops too.
                rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
                let _ = timeout(STOPPED_WITHIN, continued.recv()).await;
                self.take_terminal()?;
            }
            Next::Lend(edit) => {
                self.last_answers().await;
                let say = self.say.clone();
                self.keyboard.lend(edit, move |news| drop(say.send(news)));
            }
        }
        Ok(true)
    }

    /// What the terminal still answers would be typed into the program that has it next.
    async fn last_answers(&mut self) {
        let began = Stopwatch::start();
        loop {
            let wait = self.output.last_wait().saturating_sub(began.elapsed());
            if wait.is_zero() {
                return;
            }
            let Ok(Some(Ok(event))) = timeout(wait, self.keyboard.next()).await else { return };
            for heard in self.sieve.take(event) {
                if let Heard::Answer(Answer::Background(_)) = heard {
                    self.output.answered();
                }
            }
        }
    }

    /// The end of the keyboard is a way to leave.
    fn on_event(&mut self, event: Option<io::Result<Event>>) -> io::Result<()> {
        let Some(event) = event.transpose()? else {
            self.next = Next::Leave;
            return Ok(());
        };
        let heard = self.sieve.take(event);
        self.on_heard(heard);
        Ok(())
    }

    fn on_heard(&mut self, heard: Vec<Heard>) {
        for heard in heard {
            match heard {
                Heard::Event(event) => self.on_keys(event),
                Heard::Answer(answer) => self.on_answer(answer),
            }
        }
    }

    fn on_answer(&mut self, answer: Answer) {
        if let Answer::Background(_) = answer {
            self.output.answered();
        }
        let before = self.app.terminal.clone();
        self.app.terminal.take(answer);
        if self.app.terminal != before {
            let background = self.app.terminal.background.map(Rgb::is_light);
            self.output.theme = self.options.settings.theme(background, |name| std::env::var(name).ok());
            self.dirty = true;
        }
    }

    fn on_keys(&mut self, event: Event) {
        self.awaited = true;
        if let Event::Resize(..) = event {
            self.app.terminal.cell = cell();
        }
        for event in apart(event) {
            if let Some(action) = action(&self.app, event) {
                let effects = update(&mut self.app, action);
                self.carry_out(effects);
            }
        }
        self.keeper.keep(Kept::of(&self.app));
    }

    fn on_news(&mut self, news: News) -> io::Result<()> {
        match news {
            News::Edited(_) => {
                self.keyboard.take_back();
                self.take_terminal()?;
            }
            // What was done to runs that are over, nothing else would tell soon.
            News::Answered(_) => self.reader.look_at_all(),
            _ => {}
        }
        let effects = hear(&mut self.app, news);
        if !self.app.runs.any_live() {
            // Nothing runs: a clock would be all that changes.
            self.app.clock = None;
        }
        self.carry_out(effects);
        Ok(())
    }

    fn tick(&mut self) {
        self.app.clock = Some(clock::now());
        self.dirty = true;
    }

    /// After whatever somebody else did with the terminal.
    fn take_terminal(&mut self) -> io::Result<()> {
        terminal::take()?;
        let (width, height) = crossterm::terminal::size()?;
        let effects = update(&mut self.app, Action::Resize(Size { width, height }));
        self.carry_out(effects);
        self.redraw();
        Ok(())
    }

    fn redraw(&mut self) {
        self.output.forget();
        self.dirty = true;
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        self.dirty = true;
        for effect in effects {
            let say = self.say.clone();
            match effect {
                Effect::Quit => self.next = Next::Leave,
                Effect::Suspend => self.next = Next::Suspend,
                Effect::Redraw => self.redraw(),
                Effect::Announce(told) => {
                    let wishes = &self.options.settings.notify;
                    let wanted = wishes.wanted(&told);
                    self.output.send_ahead(&wishes.bytes(&wanted, &self.app.terminal));
                    wishes.run(&wanted);
                    self.announced = Some(Stopwatch::start());
                }
                Effect::Log(order) => self.logs.ask(order),
                Effect::Want(ids) => self.reader.want(ids),
                Effect::Measure(wish) => self.meters.wish(wish),
                Effect::Edit(edit) => self.next = Next::Lend(edit),
                Effect::Do(job) => job.start(self.store.clone(), move |news| drop(say.send(news))),
                Effect::Ask(order) => {
                    let (store, start) = (self.store.clone(), self.options.start.clone());
                    orders::carry_out(order, store, start, move |news| drop(say.send(news)));
                }
            }
        }
    }
}

/// Waits so long. A timer goes off a millisecond late, and wakes the loop anew: where there is nothing to wait for there is
/// none.
async fn pass(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// What is left of `whole` since a moment; nothing where there was none.
fn left(whole: Duration, since: Option<Stopwatch>) -> Duration {
    since.map_or(Duration::ZERO, |since| whole.saturating_sub(since.elapsed()))
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
                MouseEventKind::Drag(MouseButton::Left) => Some(Action::Drag(position)),
                MouseEventKind::Up(MouseButton::Left) => Some(Action::Drop),
                _ => None,
            }
        }
        _ => None,
    }
}
