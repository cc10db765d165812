//! The list of runs, one row each; only the rows that are seen are built.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::base::clock::Timestamp;
use crate::base::text::{duration, metric};
use crate::record::state::{RunState, Status};
use crate::tui::action::{Effect, Motion};
use crate::tui::app::{App, Overlay};
use crate::tui::format;
use crate::tui::keymap::key::letter;
use crate::tui::keymap::{Binding, Scope, binding};
use crate::tui::layout::{Focus, first_row};
use crate::tui::orders::Order;
use crate::tui::paint::{Row, columns, frame};
use crate::tui::pane::question::Question;
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::runs::Choice;
use crate::tui::theme::{Role, Theme};

/// From this width on rows say more than a name and a result.
const WIDE: u16 = 80;

/// Columns of the result where there are columns.
const RESULT: u16 = 12;

/// What it alone understands. An order is about the chosen run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Filter,
    Cancel,
    Retry,
}

use crate::tui::action::Action::Queue;
use Action::{Cancel, Filter, Retry};

/// Its keys; orders can be given in any pane.
pub const KEYS: &[Binding] = &[
    binding(Scope::Panes, &[letter('c')], Queue(Cancel), "cancel the run", Some("cancel")),
    binding(Scope::Panes, &[letter('/')], Queue(Filter), "filter: words, state:failed", Some("filter")),
    binding(Scope::Panes, &[letter('r')], Queue(Retry), "queue an ended run again", Some("retry")),
];

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Filter => {
            app.screen.focus = Focus::Queue;
            let text = app.runs.filter().to_owned();
            app.overlay = Some(Overlay::Prompt(Prompt { purpose: Purpose::Filter, text }));
        }
        Action::Cancel => app.overlay = Question::cancel(app).map(Overlay::Question),
        Action::Retry => {
            let ids = app.targets();
            if !ids.is_empty() {
                return vec![Effect::Ask(Order::Retry { ids, fresh: false })];
            }
        }
    }
    Vec::new()
}

/// Moves in it.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    app.runs.go(motion, page);
    Vec::new()
}

/// Chooses the row that was clicked.
pub fn click(app: &mut App, area: Rect, position: Position) -> Vec<Effect> {
    let row = usize::from(position.y.saturating_sub(area.y + 1));
    let height = usize::from(area.height.saturating_sub(2));
    if position.y > area.y && row < height {
        let first = first_row(app.runs.shown().len(), app.runs.place(), height);
        app.runs.go_to(first + row);
    }
    Vec::new()
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let (runs, now) = (&app.runs, app.clock);
    let count = format!("{}", runs.shown().len());
    let filter = format!("{count} for “{}”", runs.filter());
    let second = if runs.filter().is_empty() { &count } else { &filter };
    let title = [("Queue ", theme.style(Role::Strong)), (second.as_str(), theme.style(Role::Dim))];
    let inner = frame(buf, area, &title, focused, theme);
    let rows = usize::from(inner.height);
    let first = first_row(runs.shown().len(), runs.place(), rows);
    for (index, entry) in runs.shown().iter().enumerate().skip(first).take(rows) {
        let Ok(line) = u16::try_from(index - first) else { return };
        let mut row = Row::new(buf, inner, line);
        match entry {
            Choice::Run(id) => {
                if let Some(run) = runs.whole(*id) {
                    draw_row(theme, &mut row, run, now);
                }
            }
            Choice::Group(name) => drop(row.gap(1).put(name, theme.style(Role::Strong))),
        }
        if index == runs.place() {
            row.over(theme.selected());
        }
    }
    if runs.shown().is_empty() {
        let text = if runs.filter().is_empty() { "no runs yet: a adds an experiment" } else { "no run matches" };
        Row::new(buf, inner, 0).gap(1).put(text, theme.style(Role::Dim));
    }
}

fn draw_row(theme: &Theme, row: &mut Row, run: &RunState, now: Option<Timestamp>) {
    let (glyph, role) = theme.state(run);
    let result = format::result(run);
    let result_role = match run.status() {
        Status::Failed => Role::Bad,
        Status::Running | Status::Starting => Role::Live,
        _ => Role::Dim,
    };
    row.gap(1).put(glyph, theme.style(role)).gap(1).put(&run.id.to_string(), theme.style(Role::Dim)).gap(1);
    let details = if row.left() + 8 >= WIDE { details(run, now) } else { String::new() };
    let reserved = if details.is_empty() { columns(&result) + 2 } else { RESULT + columns(&details) + 2 };
    let name_role = if run.status().is_over() { Role::Plain } else { Role::Strong };
    row.put_within(&run.name, row.left().saturating_sub(reserved), theme.style(name_role));
    if !details.is_empty() {
        row.right_but(&details, RESULT, theme.style(Role::Dim));
    }
    row.right(&format!("{result} "), theme.style(result_role));
}

/// Phase, epochs, best and time, in columns.
fn details(run: &RunState, now: Option<Timestamp>) -> String {
    let training = &run.training;
    let epochs = match (training.epochs.last(), training.planned_epochs()) {
        (_, 0) => String::new(),
        (last, planned) => format!("{}/{planned}", last.map_or(0, |epoch| epoch.epoch)),
    };
    let best = training.best.as_ref().map_or(String::new(), |best| format!("{} {}", best.monitor, metric(best.value)));
    let time = now.or(run.life.ended).and_then(|now| run.running_time(now)).map_or(String::new(), duration);
    let phase = crate::base::text::truncated(training.phase().unwrap_or_default(), 12);
    format!("{phase:<12} {epochs:>7}  {best:<19} {time:>8}")
}

#[cfg(test)]
mod tests {
    use crate::tui::action::{Effect, News};
    use crate::tui::app::{Notice, Overlay};
    use crate::tui::fixtures::{self, press};
    use crate::tui::orders::Order;
    use crate::tui::update::hear;

    #[test]
    fn the_filter_is_typed_kept_and_cleared() {
        let mut app = fixtures::app((120, 40), fixtures::store());
        press(&mut app, "/stat<Back>te:failed");
        assert_eq!((app.runs.filter(), app.runs.shown().len()), ("state:failed", 1));
        assert!(matches!(app.overlay, Some(Overlay::Prompt(_))));
        press(&mut app, "<Enter>");
        assert_eq!((app.overlay.clone(), app.runs.filter()), (None, "state:failed"));
        press(&mut app, "<Esc>");
        assert_eq!(app.runs.filter(), "");
        press(&mut app, "/q");
        assert_eq!(app.runs.filter(), "q", "q is a letter there");
        press(&mut app, "<Esc>");
        assert_eq!((app.overlay.clone(), app.runs.filter()), (None, ""));
    }

    #[test]
    fn cancelling_asks_first_and_only_where_there_is_something_to_cancel() {
        let mut app = fixtures::app((120, 40), fixtures::store());
        let id = app.runs.chosen().unwrap();
        assert_eq!(press(&mut app, "c"), vec![]);
        assert!(matches!(app.overlay, Some(Overlay::Question(_))));
        assert_eq!(press(&mut app, "x<Tab>"), vec![]);
        assert!(matches!(app.overlay, Some(Overlay::Question(_))), "other keys are no answer");
        assert_eq!(press(&mut app, "n"), vec![]);
        assert_eq!(app.overlay, None);
        assert_eq!(press(&mut app, "cy"), vec![Effect::Ask(Order::Cancel(vec![id]))]);
        assert_eq!(press(&mut app, "Gc"), vec![]);
        assert!(matches!(&app.notice, Some(Notice::Wrong(text)) if text.contains("already")), "{:?}", app.notice);
    }

    #[test]
    fn the_question_is_about_its_run_whatever_is_chosen_meanwhile() {
        let mut app = fixtures::app((120, 40), fixtures::store());
        let id = app.runs.chosen().unwrap();
        press(&mut app, "c");
        hear(&mut app, News::Runs(crate::tui::runs::Delta { gone: vec![id], ..Default::default() }));
        assert_ne!(app.runs.chosen().unwrap(), id);
        assert_eq!(press(&mut app, "y"), vec![Effect::Ask(Order::Cancel(vec![id]))]);
    }
}
