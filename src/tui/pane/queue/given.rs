//! Orders about runs: to which they can be given as they stand, what is asked before, and what the runner is told.

use std::collections::BTreeMap;

use super::Action;
use crate::base::id::RunId;
use crate::record::state::Status;
use crate::record::summary::Row;
use crate::runner::protocol::Place;
use crate::tui::action::Effect;
use crate::tui::app::{App, Notice, Overlay};
use crate::tui::orders::{self, Order};
use crate::tui::pane::question::{Question, named};
use crate::tui::runs::Choice;

/// Gives an order about the marked runs, else about what is chosen.
pub fn order(app: &mut App, action: Action) -> Vec<Effect> {
    let given = match action {
        Action::Cancel => return ask(app, action, Question::cancel),
        Action::Remove => return ask(app, action, Question::remove),
        Action::Pause => fit(app, action).map(Order::Pause),
        Action::Resume => fit(app, action).map(Order::Resume),
        Action::Retry => fit(app, action).map(|ids| Order::Retry { ids, fresh: false }),
        Action::RetryFresh => fit(app, action).map(|ids| Order::Retry { ids, fresh: true }),
        Action::Raise => fit(app, action).map(|ids| priorities(app, &ids, 1)),
        Action::Lower => fit(app, action).map(|ids| priorities(app, &ids, -1)),
        Action::MoveUp | Action::MoveDown | Action::MoveFirst | Action::MoveLast => {
            fit(app, action).and_then(|ids| moved(app, ids, action))
        }
        _ => return Vec::new(),
    };
    match given {
        Ok(order) => give(app, order),
        Err(text) => {
            app.notice = Some(Notice::Wrong(text));
            Vec::new()
        }
    }
}

/// The command line that does the same about what is marked or chosen; in capitals what would have to be typed.
pub fn command(app: &App, action: Action) -> Option<String> {
    let ids = fit(app, action).unwrap_or_else(|_| app.targets());
    let runs = orders::runs(&ids);
    let order = match action {
        Action::Slots => {
            return Some(app.queue.slots.map_or("finetop slots N".to_owned(), |slots| Order::Slots(slots).command()));
        }
        _ if ids.is_empty() => return None,
        Action::Cancel => Order::Cancel(ids),
        Action::Pause => Order::Pause(ids),
        Action::Resume => Order::Resume(ids),
        Action::Retry => Order::Retry { ids, fresh: false },
        Action::RetryFresh => Order::Retry { ids, fresh: true },
        Action::Remove => Order::Remove { ids, force: false },
        Action::Raise => priorities(app, &ids, 1),
        Action::Lower => priorities(app, &ids, -1),
        Action::MoveUp | Action::MoveDown | Action::MoveFirst | Action::MoveLast => moved(app, ids, action).ok()?,
        Action::Tag => return Some(format!("finetop tag {runs} --add TAG")),
        Action::Priority => return Some(format!("finetop priority N {runs}")),
        Action::Filter | Action::Sort | Action::Reverse | Action::Open | Action::Fold | Action::Unfold => return None,
        Action::Mark | Action::MarkRange | Action::MarkAll => return None,
    };
    Some(order.command())
}

/// Tells the runner. Marks have served then, but those of runs that are moved, which mostly goes on.
pub fn give(app: &mut App, order: Order) -> Vec<Effect> {
    if !matches!(order, Order::Move { .. } | Order::Priority(_)) {
        app.runs.clear_marks();
    }
    if let Order::Priority(levels) = &order {
        let given = levels.iter().flat_map(|(&priority, ids)| ids.iter().map(move |&id| (id, priority)));
        app.queue.priorities.extend(given);
    }
    vec![Effect::Ask(order)]
}

fn ask(app: &mut App, action: Action, question: fn(&App, Vec<RunId>) -> Question) -> Vec<Effect> {
    match fit(app, action) {
        Ok(ids) => {
            let ids = ids.into_iter().filter(|&id| app.runs.row(id).is_some_and(|row| misfit(action, row).is_none()));
            app.overlay = Some(Overlay::Question(question(app, ids.collect())));
        }
        Err(text) => app.notice = Some(Notice::Wrong(text)),
    }
    Vec::new()
}

/// The runs that are meant; of a group those that the order makes sense for. An error where it makes sense for none.
pub fn fit(app: &App, action: Action) -> Result<Vec<RunId>, String> {
    let ids = app.targets();
    let rows: Vec<&Row> = ids.iter().filter_map(|&id| app.runs.row(id).map(|row| &**row)).collect();
    let fitting: Vec<RunId> = rows.iter().filter(|row| misfit(action, row).is_none()).map(|row| row.id).collect();
    let is_group = app.runs.marked().is_empty() && matches!(app.runs.choice(), Some(Choice::Group(_)));
    match (fitting.is_empty(), &rows[..]) {
        (_, []) => Err("there is no run to do that with".to_owned()),
        (true, [row]) => {
            let (state, why) = (row.state.name(), misfit(action, row).unwrap_or_default());
            Err(format!("{} {} is {state}{why}", row.id, row.name))
        }
        (true, [row, ..]) => {
            let why = misfit(action, row).unwrap_or_default();
            Err(format!("none of these {} runs can be: they are {}{why}", rows.len(), row.state.name()))
        }
        // Those that were marked one by one are answered for one by one.
        (false, _) => Ok(if is_group { fitting } else { ids }),
    }
}

/// Why an order makes no sense for a run, to be said after its state; None where it does.
fn misfit(action: Action, row: &Row) -> Option<&'static str> {
    let waits = matches!(row.state, Status::Queued | Status::Paused);
    let is_over = row.state.is_over();
    match action {
        Action::Cancel if is_over => Some(" already"),
        Action::Pause if row.state == Status::Paused => Some(" already: u lets it go on"),
        Action::Pause if is_over => Some(" already"),
        Action::Resume if row.state != Status::Paused => Some(": only a paused one can go on"),
        Action::Retry | Action::RetryFresh => match row.state {
            Status::Failed | Status::Cancelled | Status::Lost => None,
            Status::Queued if row.attempts > 0 => None,
            Status::Paused => Some(": u lets it go on"),
            _ => Some(": only a failed or cancelled one can be tried again"),
        },
        Action::Priority | Action::Raise | Action::Lower if is_over => Some(" already: it is in no queue"),
        Action::MoveUp | Action::MoveDown | Action::MoveFirst | Action::MoveLast if !waits => {
            Some(": only a queued or paused one can be moved")
        }
        _ => None,
    }
}

/// Each gets a priority so much higher than the one that it has, or will have.
fn priorities(app: &App, ids: &[RunId], by: i32) -> Order {
    let mut levels: BTreeMap<i32, Vec<RunId>> = BTreeMap::new();
    for row in ids.iter().filter_map(|&id| app.runs.row(id)) {
        let before = app.queue.priorities.get(&row.id).copied().unwrap_or(row.place.priority);
        levels.entry(before.saturating_add(by)).or_default().push(row.id);
    }
    Order::Priority(levels)
}

/// Moves waiting runs together, among those of the priority that the first of them has.
fn moved(app: &App, ids: Vec<RunId>, action: Action) -> Result<Order, String> {
    let ranks = || app.runs.queue();
    let is_moved = |id: &RunId| ids.contains(id);
    let Some(first) = ranks().find(|rank| is_moved(&rank.id)) else {
        return Err("nothing of that waits".to_owned());
    };
    let line: Vec<RunId> = ranks().filter(|rank| rank.is_beside(first)).map(|rank| rank.id).collect();
    let ids: Vec<RunId> = line.iter().copied().filter(is_moved).collect();
    let (Some(top), Some(bottom)) = (line.iter().position(is_moved), line.iter().rposition(is_moved)) else {
        return Err("nothing of that waits".to_owned());
    };
    let together = bottom - top + 1 == ids.len();
    let at_end = || {
        let end = if matches!(action, Action::MoveUp | Action::MoveFirst) { "before" } else { "behind" };
        format!("{}: nothing of its priority is {end} it; + and - change that", named(app, &ids))
    };
    let to = match action {
        Action::MoveFirst if together && top == 0 => return Err(at_end()),
        Action::MoveLast if together && bottom + 1 == line.len() => return Err(at_end()),
        Action::MoveFirst => Place::First,
        Action::MoveLast => Place::Last,
        Action::MoveUp => match line[..top].last() {
            Some(&before) => Place::Before(before),
            None if together => return Err(at_end()),
            None => Place::First,
        },
        _ => match (line.get(bottom + 1), line.get(bottom + 2)) {
            (Some(_), Some(&next)) => Place::Before(next),
            (None, _) if together => return Err(at_end()),
            _ => Place::Last,
        },
    };
    Ok(Order::Move { ids, to })
}
