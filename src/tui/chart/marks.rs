//! What happened to a run, as marks on the axis of its charts.

use crate::base::text::{metric, width};
use crate::record::event::{Event, LrReason};
use crate::record::state::RunState;
use crate::record::words;
use crate::tui::chart::axis;
use crate::tui::theme::{Role, Theme};

/// A kind of mark, in the order of the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Resume,
    Phase,
    Unfroze,
    LrDrop,
    Best,
    EarlyStop,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 6] = [Kind::Phase, Kind::Unfroze, Kind::LrDrop, Kind::Best, Kind::EarlyStop, Kind::Resume];

    /// The words of the legend.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Resume => "resumed",
            Kind::Phase => "phase",
            Kind::Unfroze => "unfroze",
            Kind::LrDrop => "lr drop",
            Kind::Best => "best",
            Kind::EarlyStop => "early stop",
        }
    }

    /// Its glyph and role.
    pub fn look(self, theme: &Theme) -> (&'static str, Role) {
        match self {
            Kind::Resume => (theme.pick("↻", "r"), Role::Live),
            Kind::Phase => (theme.pick("┊", ":"), Role::Accent),
            Kind::Unfroze => (theme.pick("△", "^"), Role::Accent),
            Kind::LrDrop => (theme.pick("▼", "v"), Role::Warning),
            Kind::Best => (theme.pick("★", "*"), Role::Good),
            Kind::EarlyStop => (theme.pick("■", "#"), Role::Bad),
        }
    }
}

/// A mark at an epoch's end; a phase stands where the epoch before its first one ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub epoch: u32,
    pub kind: Kind,
    /// What it says where there is room.
    pub text: String,
}

/// A drop of the learning rate that is worth a mark: a schedule that lowers it a little each epoch is seen as a curve.
const DROP: f64 = 0.75;

/// The marks of a run, in order of their epochs.
pub fn of(run: &RunState) -> Vec<Mark> {
    let training = &run.training;
    let mark = |epoch, kind, text: String| Mark { epoch, kind, text };
    let phases = training.phases.iter().skip(1);
    let phases = phases.map(|(first, phase)| mark(first.saturating_sub(1), Kind::Phase, phase.phase.clone()));
    let thaws = training.unfreezings.iter();
    let thaws = thaws.map(|more| mark(more.epoch.saturating_sub(1), Kind::Unfroze, words::layers(&more.layers)));
    let drops = training.lr_changes.iter().filter(|change| match change.reason {
        LrReason::ReduceLrOnPlateau => true,
        LrReason::Schedule => change.to < change.from * DROP,
        LrReason::Phase => false,
    });
    let drops = drops.map(|change| mark(change.epoch, Kind::LrDrop, format!("lr {}", axis::short(change.to))));
    let best = training.best.iter().map(|best| mark(best.epoch, Kind::Best, format!("best {}", metric(best.value))));
    let stops = training.early_stops.iter().map(|stop| mark(stop.epoch, Kind::EarlyStop, "early stop".into()));
    let mut marks: Vec<Mark> = phases.chain(thaws).chain(drops).chain(best).chain(stops).chain(resumes(run)).collect();
    marks.sort_by_key(|mark| (mark.epoch, mark.kind));
    marks
}

/// Where attempts went on; only a run that was tried again has any, and only its lines are looked through.
fn resumes(run: &RunState) -> impl Iterator<Item = Mark> + '_ {
    let lines = if run.life.attempts > 1 { &run.training.feed[..] } else { &[] };
    lines.iter().filter_map(|line| match &line.event {
        Event::RunStarted(started) => {
            let from = started.resumed_from?;
            Some(Mark { epoch: from.epoch, kind: Kind::Resume, text: "resumed".into() })
        }
        _ => None,
    })
}

/// A mark on the axis: its column, and as much of its text as there is room for.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    pub column: u16,
    pub kind: Kind,
    pub text: &'a str,
}

/// How far a mark may be moved aside for another.
const ASIDE: [i32; 7] = [0, 1, -1, 2, -2, 3, -3];

/// Places marks, each at the column that it asks for, on an axis of `columns`: none hides another, and the text stands
/// behind the mark where the next one leaves room for all of it.
pub fn placed<'a>(marks: impl Iterator<Item = (u16, Kind, &'a str)>, columns: u16) -> Vec<Placed<'a>> {
    let mut placed: Vec<Placed> = Vec::new();
    for (wanted, kind, text) in marks {
        let places = ASIDE.iter().filter_map(|aside| u16::try_from(i32::from(wanted) + aside).ok());
        let free = places.filter(|&at| at < columns).find(|&at| placed.iter().all(|mark| mark.column != at));
        placed.extend(free.map(|column| Placed { column, kind, text }));
    }
    placed.sort_by_key(|mark| mark.column);
    for n in 0..placed.len() {
        let next = placed.get(n + 1).map_or(columns, |next| next.column);
        let room = usize::from(next.saturating_sub(placed[n].column));
        if width(placed[n].text) + 3 > room {
            placed[n].text = "";
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Timestamp;
    use crate::record::event::{Line, Unfroze};
    use crate::tui::fixtures::running;

    #[test]
    fn what_is_unfrozen_is_marked_before_its_first_epoch() {
        let mut run = running();
        let unfroze = Unfroze { epoch: 3, phase: "head".into(), layers: vec!["fire9".into()], trainable_parameters: 9 };
        let time = Timestamp::from_millis(0);
        run.training.take(Line { seq: 999, time, event: Event::Unfroze(unfroze.clone()) });
        run.training.take(Line { seq: 1000, time, event: Event::Unfroze(unfroze) });
        let thaws: Vec<Mark> = of(&run).into_iter().filter(|mark| mark.kind == Kind::Unfroze).collect();
        assert_eq!(thaws, [Mark { epoch: 2, kind: Kind::Unfroze, text: "fire9".into() }]);
    }

    #[test]
    fn marks_on_one_column_stand_beside_each_other() {
        let marks = [(10, Kind::Phase, "fine_tune"), (10, Kind::LrDrop, "lr 3e-4"), (10, Kind::Best, "best .2398")];
        let placed = placed(marks.into_iter(), 40);
        let columns: Vec<(u16, Kind)> = placed.iter().map(|mark| (mark.column, mark.kind)).collect();
        assert_eq!(columns, [(9, Kind::Best), (10, Kind::Phase), (11, Kind::LrDrop)]);
        assert_eq!(placed.iter().map(|mark| mark.text).collect::<Vec<_>>(), ["", "", "lr 3e-4"]);
    }

    #[test]
    fn texts_stand_where_the_next_mark_leaves_room() {
        let marks = [(2, Kind::Best, "best"), (9, Kind::LrDrop, "lr 1e-4"), (15, Kind::EarlyStop, "early stop")];
        let texts: Vec<_> = placed(marks.into_iter(), 20).iter().map(|mark| mark.text).collect();
        assert_eq!(texts, ["best", "", ""]);
    }

    #[test]
    fn an_axis_too_short_takes_what_it_can() {
        let many = (0..50).map(|_| (3, Kind::Best, "best"));
        assert_eq!(placed(many, 5).len(), 5);
        assert!(placed([(0, Kind::Best, "best")].into_iter(), 0).is_empty());
    }
}
