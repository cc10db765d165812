//! Which charts a run has, and what each of them shows.

use super::state::{Look, OF_CLASSES};
use super::window::{Extent, Window};
use crate::record::event::is_of_class;
use crate::record::state::{RunState, Training};
use crate::tui::chart::axis::Measure;
use crate::tui::chart::history::{self, Epochs, StepsOf};
use crate::tui::chart::marks::Mark;
use crate::tui::chart::raster::Ink;
use crate::tui::chart::{Chart, Cursor, Line, MarkAt, XAxis};
use crate::tui::format;

/// So many charts of single classes leave no room for the others.
const MANY_OF_CLASSES: usize = 6;

/// What a chart is about: figures of the training, and the same of the validation, by their names in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub name: String,
    pub train: Option<String>,
    pub val: Option<String>,
}

impl Sheet {
    fn of(name: &str, has_train: bool, has_val: bool) -> Sheet {
        let val = has_val.then(|| format!("val_{name}"));
        Sheet { name: name.to_owned(), train: has_train.then(|| name.to_owned()), val }
    }

    /// Whether small values matter most, so that logarithms are the better measure.
    pub fn measure(&self) -> Measure {
        if self.name == "lr" { Measure::Log } else { Measure::Linear }
    }
}

/// All charts of a run: loss, accuracy, learning rate, further metrics, speed.
pub fn all(training: &Training) -> Vec<Sheet> {
    let mut sheets =
        vec![Sheet::of("loss", true, true), Sheet::of("accuracy", true, true), Sheet::of("lr", true, false)];
    let metrics = training.epochs.last().map(|epoch| &epoch.metrics);
    for metric in metrics.into_iter().flat_map(|metrics| metrics.keys()) {
        let name = metric.strip_prefix("val_").filter(|name| !name.is_empty()).unwrap_or(metric);
        if sheets.iter().all(|sheet| sheet.name != name) {
            let has = |metric: &str| metrics.is_some_and(|metrics| metrics.contains_key(metric));
            sheets.push(Sheet::of(name, has(name), has(&format!("val_{name}"))));
        }
    }
    sheets.push(Sheet::of("samples_per_s", true, false));
    sheets
}

/// The charts that are not hidden.
pub fn shown(training: &Training, look: &Look) -> Vec<Sheet> {
    let mut sheets = all(training);
    let are_many = sheets.iter().filter(|sheet| is_of_class(&sheet.name)).count() >= MANY_OF_CLASSES;
    let are_classes_hidden = are_many && look.hidden.contains(OF_CLASSES);
    let is_hidden = |name: &str| look.hidden.contains(name) || (are_classes_hidden && is_of_class(name));
    sheets.retain(|sheet| !is_hidden(&sheet.name));
    sheets
}

/// How far an axis of a run goes.
pub fn extent(run: &RunState, axis: XAxis) -> Extent {
    let training = &run.training;
    let steps = training.steps.len() as f64;
    let place = training.steps.place().last().unwrap_or(0.0);
    let last = f64::from(format::last_epoch(run));
    let newest_place = training.epochs.last().map_or(0.0, |epoch| f64::from(epoch.epoch)).max(place);
    let newest = history::x(training, axis, newest_place);
    let is_over = run.status().is_over();
    let right = match axis {
        XAxis::Epoch => last,
        XAxis::Step if is_over || place <= 0.0 => newest,
        XAxis::Step => round_above(steps / place * last).max(newest),
        XAxis::Time if is_over => newest,
        XAxis::Time => round_above(newest),
    };
    let right = right.max(newest).max(if axis == XAxis::Time { 1e-3 } else { 1.0 });
    Extent { left: 0.0, right, newest, least: right * 4.0 / steps.max(4.0) }
}

/// A number of two digits that is no smaller: what grows reaches the next one seldom, so that the axis mostly
/// stands still.
fn round_above(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let round = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|times| times * power);
    round.into_iter().find(|&round| round >= value * 0.999_999).filter(|round| round.is_finite()).unwrap_or(value)
}

/// A run as it is looked at.
pub struct View<'a> {
    pub run: &'a RunState,
    pub look: &'a Look,
    pub window: Window,
    /// The crosshair, in epochs trained.
    pub cursor: Option<f64>,
    pub marks: &'a [Mark],
}

impl View<'_> {
    /// Left and right end of what is seen.
    pub fn ends(&self) -> (f64, f64) {
        let axis = extent(self.run, self.look.axis);
        let at = self.cursor.map(|place| self.x(place));
        at.map_or(self.window, |x| self.window.holding(axis, x)).on(axis)
    }

    /// Where a place, in epochs trained, stands.
    pub fn x(&self, place: f64) -> f64 {
        history::x(&self.run.training, self.look.axis, place)
    }

    /// Lets `see` have the chart that shows `sheet` in so many columns.
    pub fn chart<R>(&self, sheet: &Sheet, columns: u16, is_chosen: bool, see: impl FnOnce(&Chart) -> R) -> R {
        let (run, axis, window) = (self.run, self.look.axis, self.ends());
        let steps = &run.training.steps;
        let figures = steps.named(&sheet.name).map(|figure| StepsOf { steps, figure, axis });
        let epochs = |metric: &'_ Option<String>| metric.clone();
        let (train, val) = (epochs(&sheet.train), epochs(&sheet.val));
        let train = train.as_deref().map(|metric| Epochs { run, metric, axis });
        let val = val.as_deref().map(|metric| Epochs { run, metric, axis });
        let smoothing = self.look.smoothing.weight();
        let mut lines: Vec<Line> = Vec::with_capacity(6);
        if let Some(points) = &figures {
            lines.push(Line { name: "steps", points, ink: Ink::Steps, smoothing: 0.0 });
        }
        for (points, raw) in [(&train, Ink::RawTrain), (&val, Ink::RawVal)] {
            if let (Some(points), true) = (points, smoothing > 0.0) {
                lines.push(Line { name: "raw", points, ink: raw, smoothing: 0.0 });
            }
        }
        if let (Some(points), true) = (&figures, smoothing > 0.0) {
            lines.push(Line { name: "smooth", points, ink: Ink::Smooth, smoothing });
        }
        let is_alone = val.is_none();
        for (points, name, ink) in [(&train, "train", Ink::Train), (&val, "val", Ink::Val)] {
            if let Some(points) = points {
                let name = if is_alone && sheet.name == "lr" { "lr" } else { name };
                lines.push(Line { name, points, ink, smoothing });
            }
        }
        let marks: Vec<MarkAt> = self.marks.iter().map(|mark| self.mark(mark)).collect();
        see(&Chart {
            title: &sheet.name,
            lines: &lines,
            axis,
            window,
            measure: self.look.measure(sheet),
            dots: self.look.dots,
            marks: &marks,
            cursor: self.cursor.map(|place| self.under(place, window, columns)),
            chosen: is_chosen,
        })
    }

    fn mark<'m>(&self, mark: &'m Mark) -> MarkAt<'m> {
        MarkAt { x: self.x(f64::from(mark.epoch)), kind: mark.kind, text: &mark.text }
    }

    /// An epoch at its end stands for all of it, anything else for a column.
    fn under(&self, place: f64, (left, right): (f64, f64), columns: u16) -> Cursor {
        let x = self.x(place);
        let is_end = (place - place.round()).abs() < 1e-9;
        let from = if is_end { self.x(place - 1.0) } else { x - (right - left) / f64::from(columns.max(1)) };
        Cursor { from, x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{Epoch, Event};
    use crate::tui::fixtures::Recording;

    /// Names of the charts of a run with `f1` and the F1 of each of so many classes.
    fn names(classes: usize, look: &Look) -> Vec<String> {
        let mut recording = Recording::training(1, "classes");
        let epoch = recording.epoch(1, 0.5, 0.5).run().training.epochs[0].as_ref().clone();
        let of_classes = (0..classes).map(|class| (format!("val_f1/class{class}"), 0.5));
        let metrics = of_classes.chain([("val_f1".to_owned(), 0.5)]).collect();
        let training = recording.event(Event::Epoch(Epoch { epoch: 2, metrics, ..epoch })).run().training;
        shown(&training, look).into_iter().map(|sheet| sheet.name).collect()
    }

    #[test]
    fn charts_of_many_classes_are_behind_the_others() {
        let mut look = Look::default();
        assert_eq!(names(3, &look), ["loss", "accuracy", "lr", "f1", "f1/class0", "f1/class1", "f1/class2"]);
        assert_eq!(names(20, &look), ["loss", "accuracy", "lr", "f1"]);
        look.show_all();
        assert_eq!(names(20, &look).len(), 25);
        look.hidden.insert("f1/class7".into());
        assert_eq!(names(20, &look).len(), 24);
        look.hidden.clear();
        look.show_all();
        assert_eq!(names(20, &look), ["loss", "accuracy", "lr", "f1"]);
    }

    #[test]
    fn what_grows_reaches_the_next_round_number_seldom() {
        for (value, round) in [(1.0, 1.0), (101.0, 120.0), (130.0, 150.0), (0.07, 0.08), (9_999.0, 10_000.0)] {
            assert!((round_above(value) - round).abs() < 1e-9 * round, "{value}: {}", round_above(value));
        }
        assert!(round_above(0.0) == 0.0 || round_above(0.0).is_nan());
        assert!(round_above(f64::MAX).is_finite());
    }
}
