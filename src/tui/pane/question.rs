//! A question before something that cannot be taken back.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::id::RunId;
use crate::tui::action::{Action, Effect};
use crate::tui::app::{App, Overlay};
use crate::tui::orders::Order;
use crate::tui::paint::{Row, columns, popup, wrapped};
use crate::tui::pane::queue::give;
use crate::tui::theme::{Role, Theme};

/// Runs that a question names; of more only the number is said.
const NAMED: usize = 4;

/// Columns of a question's lines at most.
const WIDEST: u16 = 72;

/// What is asked, and what a yes does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub text: String,
    /// What will happen.
    pub consequence: String,
    pub then: Then,
}

/// What follows a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    Ask(Order),
    /// It is asked once more, about what is worse.
    Insist(Box<Question>),
}

impl Question {
    /// Whether to cancel runs that are not over.
    pub fn cancel(app: &App, ids: Vec<RunId>) -> Question {
        let consequence = match (live(app, &ids).len(), ids.len()) {
            (0, 1) => "It will not be started.".to_owned(),
            (0, _) => "They will not be started.".to_owned(),
            (1, 1) => "Its worker writes a checkpoint and stops.".to_owned(),
            (live, all) if live == all => "Their workers write checkpoints and stop.".to_owned(),
            (live, _) => format!("{live} of them live, and write checkpoints; the others will not be started."),
        };
        let text = format!("Cancel {}?", named(app, &ids));
        Question { text, consequence, then: Then::Ask(Order::Cancel(ids)) }
    }

    /// Whether to remove runs; once more, where a worker would have to be killed.
    pub fn remove(app: &App, ids: Vec<RunId>) -> Question {
        let live = live(app, &ids);
        let force = !live.is_empty();
        let text = format!("Remove {}?", named(app, &ids));
        let then = Then::Ask(Order::Remove { ids: ids.clone(), force });
        let then = match &live[..] {
            [] => then,
            live => Then::Insist(Box::new(Question {
                text: format!("Kill {}?", named(app, live)),
                consequence: "No checkpoint is written, and none is kept: what was trained is lost.".to_owned(),
                then,
            })),
        };
        let consequence = match ids[..] {
            [_] => "Its files, checkpoints and model are deleted.",
            _ => "Their files, checkpoints and models are deleted.",
        };
        Question { text, consequence: consequence.to_owned(), then }
    }
}

fn live(app: &App, ids: &[RunId]) -> Vec<RunId> {
    ids.iter().copied().filter(|&id| app.runs.row(id).is_some_and(|row| row.state.is_live())).collect()
}

/// Runs by number and name: `0012 a`, `3 runs: 0012 a, 0013 b, 0014 c`.
pub fn named(app: &App, ids: &[RunId]) -> String {
    let name = |id: &RunId| app.runs.row(*id).map_or(id.to_string(), |row| format!("{id} {}", row.name));
    if let [id] = ids {
        return name(id);
    }
    let few: Vec<String> = ids.iter().take(NAMED).map(name).collect();
    let more = if ids.len() > NAMED { format!(" and {} more", ids.len() - NAMED) } else { String::new() };
    format!("{} runs: {}{more}", ids.len(), few.join(", "))
}

/// Takes an action while it is asked; other keys are no answer.
pub fn update(app: &mut App, question: Question, action: Action) -> Vec<Effect> {
    match (action, question.then) {
        (Action::Yes, Then::Ask(order)) => give(app, order),
        (Action::Yes, Then::Insist(question)) => {
            app.overlay = Some(Overlay::Question(*question));
            Vec::new()
        }
        (Action::No, _) => Vec::new(),
        (_, then) => {
            app.overlay = Some(Overlay::Question(Question { then, ..question }));
            Vec::new()
        }
    }
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, _app: &App, question: &Question) {
    let widest = WIDEST.min(area.width.saturating_sub(4)).max(1);
    let lines = |text: &str, role| {
        wrapped(text, usize::from(widest)).into_iter().map(move |line| (line, role)).collect::<Vec<_>>()
    };
    let mut lines_all = lines(&question.text, Role::Strong);
    lines_all.extend(lines(&question.consequence, Role::Dim));
    let width = lines_all.iter().map(|(line, _)| columns(line)).max().unwrap_or(0).max(20).saturating_add(6);
    let height = u16::try_from(lines_all.len()).unwrap_or(u16::MAX).saturating_add(4).min(area.height);
    let inner = popup(buf, area, (width, height), "Question", theme);
    for (line, (text, role)) in (0..inner.height.saturating_sub(1)).zip(&lines_all) {
        Row::new(buf, inner, line).put(text, theme.style(*role));
    }
    Row::new(buf, inner, inner.height.saturating_sub(1))
        .put("y", theme.style(Role::Accent))
        .put(" yes   ", theme.style(Role::Plain))
        .put("n", theme.style(Role::Accent))
        .put(" no", theme.style(Role::Plain));
}
