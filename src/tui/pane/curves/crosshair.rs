//! Where the crosshair goes, and what it is on.

use super::Way;
use crate::base::text::{learning_rate, seconds};
use crate::record::state::Training;
use crate::tui::chart::marks::Mark;
use crate::tui::chart::{XAxis, history};

/// Epochs of a window in which the crosshair goes from step to step.
const FEW: f64 = 4.0;

/// The newest place of a run, in epochs trained.
pub fn newest(training: &Training) -> f64 {
    let epoch = training.epochs.last().map_or(0.0, |epoch| f64::from(epoch.epoch));
    epoch.max(training.steps.place().last().unwrap_or(0.0))
}

/// The place beside `from`: the next step, where steps have columns of their own, else the next epoch's end, else
/// the next
/// column.
pub fn beside(training: &Training, axis: XAxis, window: (f64, f64), columns: u16, from: f64, way: Way) -> f64 {
    let steps = training.steps.place();
    let span = |at: f64| history::place(training, axis, at);
    let (left, right) = (span(window.0), span(window.1));
    let inside = steps.partition_point(|at| at < right).saturating_sub(steps.partition_point(|at| at < left));
    let columns = f64::from(columns.max(1));
    let to = if inside > 0 && (inside as f64) < columns && right - left <= FEW {
        let here = steps.partition_point(|at| at < from);
        let is_on = steps.get(here) == Some(from);
        let to = if way == Way::On { here + usize::from(is_on) } else { here.saturating_sub(1) };
        steps.get(to.min(steps.len().saturating_sub(1))).unwrap_or(from)
    } else if right - left < columns {
        if way == Way::On { (from + 1e-9).floor() + 1.0 } else { (from - 1e-9).ceil() - 1.0 }
    } else {
        let column = ((right - left) / columns).ceil();
        if way == Way::On { from.floor() + column } else { from.ceil() - column }
    };
    let first = if steps.is_empty() { 1.0 } else { steps.get(0).unwrap_or(0.0).min(1.0) };
    to.min(newest(training)).max(first)
}

/// The next mark in a direction.
pub fn mark(marks: &[Mark], from: f64, way: Way) -> Option<f64> {
    let places = marks.iter().map(|mark| f64::from(mark.epoch)).filter(|&at| at > 0.0);
    if way == Way::On {
        places.filter(|&at| at > from + 1e-9).reduce(f64::min)
    } else {
        places.filter(|&at| at < from - 1e-9).reduce(f64::max)
    }
}

/// What is known of a place: epoch, step, time, learning rate, and the marks that are there.
pub fn words(training: &Training, marks: &[Mark], place: f64) -> Vec<String> {
    let epoch = epoch(place);
    let mut words = vec![format!("epoch {epoch}")];
    let steps = &training.steps;
    let step = steps.place().partition_point(|at| at < place - 1e-9);
    if let (Some(at), false) = (steps.place().get(step), steps.is_empty()) {
        let before = steps.place().partition_point(|before| before <= f64::from(epoch) - 1.0);
        let is_end = (at - f64::from(epoch)).abs() < 1e-9;
        words.push(match is_end && step > before {
            true => format!("steps {}–{}", before + 1, step + 1),
            false => format!("step {}", step + 1),
        });
    }
    let time = history::x(training, XAxis::Time, place);
    words.push(format!("at {}", seconds(time)));
    let figures = training.epochs.binary_search_by_key(&epoch, |known| known.epoch).ok();
    let lr = figures.and_then(|index| training.epochs.get(index)).map(|epoch| epoch.lr);
    let lr = lr.or_else(|| steps.named("lr")?.get(step));
    words.extend(lr.map(|lr| format!("lr {}", learning_rate(lr))));
    let here = marks.iter().filter(|mark| mark.epoch == epoch && (place - f64::from(epoch)).abs() < 1e-9);
    words.extend(here.map(|mark| match mark.kind {
        crate::tui::chart::marks::Kind::Phase => format!("then {}", mark.text),
        _ => mark.text.clone(),
    }));
    words
}

/// The epoch, from 1, that a place is in.
pub fn epoch(place: f64) -> u32 {
    ((place - 1e-9).ceil().max(1.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::chart::marks;
    use crate::tui::fixtures::running;

    #[test]
    fn the_crosshair_goes_by_epochs_and_by_steps_where_they_have_columns() {
        let training = running().training;
        let by = |window, from, way| beside(&training, XAxis::Epoch, window, 40, from, way);
        for (window, from, way, to) in [
            ((0.0, 17.0), 3.0, Way::On, 4.0),
            ((0.0, 17.0), 3.0, Way::Back, 2.0),
            ((0.0, 17.0), 3.5, Way::On, 4.0),
            ((0.0, 17.0), 11.5, Way::On, 11.5),
            ((0.0, 17.0), 1.0, Way::Back, 0.25),
            ((3.0, 5.0), 4.0, Way::On, 4.25),
            ((3.0, 5.0), 4.0, Way::Back, 3.75),
        ] {
            assert_eq!(by(window, from, way), to, "{window:?} {from} {way:?}");
        }
    }

    #[test]
    fn it_jumps_from_mark_to_mark() {
        let marks = marks::of(&running());
        assert_eq!(mark(&marks, 3.0, Way::On), Some(9.0));
        assert_eq!(mark(&marks, 9.0, Way::On), None);
        assert_eq!(mark(&marks, 11.0, Way::Back), Some(9.0));
    }

    #[test]
    fn what_it_is_on_is_said() {
        let run = running();
        let marks = marks::of(&run);
        let said = words(&run.training, &marks, 9.0).join(" · ");
        assert!(said.starts_with("epoch 9 · steps 33–36 · at 0:"), "{said}");
        assert!(said.ends_with("lr 1.0e-3 · then fine_tune · lr 3e-4 · best .2398 · early stop"), "{said}");
        assert!(words(&run.training, &marks, 3.5).join(" ").starts_with("epoch 4 step 14"));
        assert_eq!(epoch(0.25), 1);
        assert_eq!(epoch(12.0), 12);
    }
}
