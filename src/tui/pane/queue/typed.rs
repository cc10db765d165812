//! Lines that are typed about runs: tags, a priority, a number of slots.

use super::given::{fit, give};
use super::{Action, ask_for};
use crate::base::id::RunId;
use crate::record::select::is_label;
use crate::tui::action::Effect;
use crate::tui::app::{App, Notice};
use crate::tui::orders::Order;
use crate::tui::prompt::Purpose;

/// Asks for tags.
pub fn tag(app: &mut App) {
    begin(app, Action::Tag, Purpose::Tag, |_, _| String::new());
}

/// Asks for a priority; the line has the one that they have.
pub fn priority(app: &mut App) {
    begin(app, Action::Priority, Purpose::Priority, |app, ids| {
        let mut priorities = ids.iter().filter_map(|&id| Some(app.runs.row(id)?.place.priority));
        let first = priorities.next();
        first.filter(|&first| priorities.all(|other| other == first)).map_or(String::new(), |first| first.to_string())
    });
}

/// Asks for the number of runs that may train at once.
pub fn slots(app: &mut App) {
    ask_for(app, Purpose::Slots, app.queue.slots.map_or(String::new(), |slots| slots.to_string()));
}

/// Opens a line about what is marked or chosen now, whatever will be when it is done.
fn begin(app: &mut App, action: Action, purpose: Purpose, text: fn(&App, &[RunId]) -> String) {
    match fit(app, action) {
        Ok(ids) => {
            let text = text(app, &ids);
            app.queue.about = ids;
            ask_for(app, purpose, text);
        }
        Err(text) => app.notice = Some(Notice::Wrong(text)),
    }
}

/// The line is done.
pub fn accept(app: &mut App, purpose: Purpose, text: &str) -> Vec<Effect> {
    let ids = std::mem::take(&mut app.queue.about);
    let order = match purpose {
        _ if text.trim().is_empty() => return Vec::new(),
        Purpose::Tag => tags(text).map(|(add, remove)| Order::Tag { ids, add, remove }),
        Purpose::Priority => match text.trim().parse() {
            Ok(priority) => Ok(Order::Priority([(priority, ids)].into())),
            Err(_) => Err(format!("{text} is no priority: a whole number, as 5 or -1")),
        },
        Purpose::Slots => match text.trim().parse() {
            Ok(slots) if slots > 0 => Ok(Order::Slots(slots)),
            _ => Err(format!("{text} is no number of slots: 1 or more; p keeps runs back")),
        },
        _ => return Vec::new(),
    };
    match order {
        Ok(order) => give(app, order),
        Err(text) => {
            app.notice = Some(Notice::Wrong(text));
            Vec::new()
        }
    }
}

/// The tags to add and those to take away: `new +also-new -old`.
fn tags(text: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for word in text.split_whitespace() {
        let (list, tag) = match word.strip_prefix('-') {
            Some(tag) => (&mut remove, tag),
            None => (&mut add, word.strip_prefix('+').unwrap_or(word)),
        };
        if !is_label(tag) {
            return Err(format!("{word} is no tag: up to 64 letters, without commas"));
        }
        list.push(tag.to_owned());
    }
    Ok((add, remove))
}
