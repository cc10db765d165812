//! A line that is typed into the footer, and what it is for.

use super::action::{Action, Effect};
use super::app::{App, Overlay};
use super::pane;

/// A line being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub purpose: Purpose,
    pub text: String,
}

/// What a line is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Which runs the queue shows, as it is typed.
    Filter,
    /// What is looked for in the place at the bottom.
    Find,
    /// A time to go to in the log.
    Time,
    /// Tags that runs get or lose.
    Tag,
    Priority,
    /// How many runs may train at once.
    Slots,
    /// The run that the configuration is held against.
    Against,
    /// The file that figures are exported to.
    Export,
}

impl Purpose {
    /// What stands before the line.
    pub fn label(self) -> &'static str {
        match self {
            Purpose::Filter | Purpose::Find => "/",
            Purpose::Against => "the other run, by its number or name: ",
            Purpose::Export => "export epochs to the file (.csv or .json): ",
            Purpose::Time => "go to the time (HH:MM, or -10m before the end): ",
            Purpose::Tag => "tags, -those to go: ",
            Purpose::Priority => "priority: ",
            Purpose::Slots => "runs at once: ",
        }
    }
}

/// Takes an action while `prompt` is open; it stays open unless it is left.
pub fn update(app: &mut App, mut prompt: Prompt, action: Action) -> Vec<Effect> {
    match action {
        Action::Accept => return accept(app, prompt),
        Action::Back => return close(app, prompt),
        Action::Type(letter) => prompt.text.push(letter),
        Action::Paste(text) => prompt.text.push_str(text.lines().next().unwrap_or_default()),
        Action::Erase => drop(prompt.text.pop()),
        Action::Go(motion) => {
            app.overlay = Some(Overlay::Prompt(prompt));
            return pane::go(app, motion);
        }
        _ => {}
    }
    let effects = typed(app, &prompt);
    app.overlay = Some(Overlay::Prompt(prompt));
    effects
}

/// The line changed.
fn typed(app: &mut App, prompt: &Prompt) -> Vec<Effect> {
    match prompt.purpose {
        Purpose::Filter => app.runs.set_filter(prompt.text.clone()),
        Purpose::Find => pane::look_for(app, &prompt.text),
        Purpose::Time | Purpose::Against | Purpose::Export => {}
        Purpose::Tag | Purpose::Priority | Purpose::Slots => {}
    }
    Vec::new()
}

fn accept(app: &mut App, prompt: Prompt) -> Vec<Effect> {
    match prompt.purpose {
        Purpose::Filter => Vec::new(),
        Purpose::Find => pane::find(app),
        Purpose::Export => pane::compare::export(app, &prompt.text),
        Purpose::Time => pane::log::go_to_time(app, &prompt.text),
        Purpose::Against => pane::config::hold_against(app, &prompt.text),
        purpose => pane::queue::accept(app, purpose, &prompt.text),
    }
}

fn close(app: &mut App, prompt: Prompt) -> Vec<Effect> {
    match prompt.purpose {
        Purpose::Filter => app.runs.set_filter(String::new()),
        Purpose::Find => pane::look_for(app, ""),
        Purpose::Time | Purpose::Against | Purpose::Export => {}
        Purpose::Tag | Purpose::Priority | Purpose::Slots => {}
    }
    Vec::new()
}
