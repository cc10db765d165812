//! A question before something that cannot be taken back.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Action, Effect};
use crate::tui::app::{App, Notice, Overlay};
use crate::tui::orders::Order;
use crate::tui::paint::{Row, columns, popup};
use crate::tui::theme::{Role, Theme};

/// What is asked, and what a yes does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub text: String,
    /// What will happen.
    pub consequence: String,
    pub order: Order,
}

impl Question {
    /// Whether to cancel what an order is about; a notice where there is nothing to cancel.
    pub fn cancel(app: &mut App) -> Option<Question> {
        let [id] = app.targets()[..] else { return None };
        let row = app.runs.row(id)?;
        if row.state.is_over() {
            app.notice = Some(Notice::Wrong(format!("{} {} is {} already", row.id, row.name, row.state.name())));
            return None;
        }
        let consequence = match row.state.is_live() {
            true => "Its worker writes a checkpoint and stops.",
            false => "It will not be started.",
        };
        let text = format!("Cancel {id} {}?", row.name);
        Some(Question { text, consequence: consequence.to_owned(), order: Order::Cancel(vec![id]) })
    }
}

/// Takes an action while it is asked; other keys are no answer.
pub fn update(app: &mut App, question: Question, action: Action) -> Vec<Effect> {
    match action {
        Action::Yes => vec![Effect::Ask(question.order)],
        Action::No => Vec::new(),
        _ => {
            app.overlay = Some(Overlay::Question(question));
            Vec::new()
        }
    }
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, _app: &App, question: &Question) {
    let width = columns(&question.text).max(columns(&question.consequence)).max(20).saturating_add(6);
    let inner = popup(buf, area, (width, 6), "Question", theme);
    Row::new(buf, inner, 0).put(&question.text, theme.style(Role::Strong));
    Row::new(buf, inner, 1).put(&question.consequence, theme.style(Role::Dim));
    Row::new(buf, inner, 3)
        .put("y", theme.style(Role::Accent))
        .put(" yes   ", theme.style(Role::Plain))
        .put("n", theme.style(Role::Accent))
        .put(" no", theme.style(Role::Plain));
}
