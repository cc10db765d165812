//! What happened to runs while the dashboard was open: one finished, one failed, one was given advice.
//!
//! Invariant: a run that was over already when the dashboard heard of it first is no news.

use std::collections::VecDeque;

use super::runs::Runs;
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::base::text::metric;
use crate::record::state::Status;
use crate::record::summary::Row;
use crate::record::view::Delta;

/// How many are kept.
const MOST: usize = 100;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Finished,
    Failed,
    Advice,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Finished, Kind::Failed, Kind::Advice];

    /// As `config.toml` says it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Finished => "finished",
            Kind::Failed => "failed",
            Kind::Advice => "advice",
        }
    }
}

/// A notice.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub id: RunId,
    pub kind: Kind,
    /// When the run ended; None for advice.
    pub time: Option<Timestamp>,
    pub text: String,
}

/// The last ones.
#[derive(Debug, Default)]
pub struct Notices {
    /// The newest first.
    pub kept: VecDeque<Told>,
    /// Whether the newest was neither seen by somebody who pressed a key nor shown for long.
    pub is_fresh: bool,
    /// Why the store cannot be read, while that is so.
    pub trouble: Option<String>,
}

impl Notices {
    /// What `delta` says that was not so in `before`; it is kept.
    pub fn hear(&mut self, before: &Runs, delta: &Delta) -> Vec<Told> {
        if let Some(listed) = &delta.listed {
            self.trouble = listed.clone().err();
        }
        let mut told: Vec<Told> = delta.rows.iter().filter_map(|row| ended(before, row)).collect();
        for run in &delta.whole {
            let Some(known) = before.whole(run.id) else { continue };
            let new = run.training.advice.iter().skip(known.training.advice.len());
            told.extend(new.map(|advice| Told {
                id: run.id,
                kind: Kind::Advice,
                time: None,
                text: format!("{} {}: {}; try {}", run.id, run.name, advice.message, advice.suggestion),
            }));
        }
        for one in &told {
            self.kept.push_front(one.clone());
            self.is_fresh = true;
        }
        self.kept.truncate(MOST);
        told
    }

    /// The newest, while it is to be shown.
    pub fn newest(&self) -> Option<&Told> {
        self.kept.front().filter(|_| self.is_fresh)
    }
}

/// A run that was not over and is.
fn ended(before: &Runs, row: &Row) -> Option<Told> {
    let was_over = before.row(row.id)?.state.is_over();
    let kind = match row.state {
        Status::Finished => Kind::Finished,
        Status::Failed => Kind::Failed,
        _ => return None,
    };
    let how = match (&row.best, row.reason) {
        (Some(best), _) if kind == Kind::Finished => format!(", {} {}", best.monitor, metric(best.value)),
        (_, Some(cause)) if kind == Kind::Failed => format!(": {}", cause.words()),
        _ => String::new(),
    };
    let text = format!("{} {} {}{how}", row.id, row.name, kind.name());
    (!was_over).then_some(Told { id: row.id, kind, time: row.times.ended, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{Advice, Event, FinishReason, Severity};
    use crate::record::life::Cause;
    use crate::tui::action::{Effect, News};
    use crate::tui::fixtures::{self, Recording, delta, press};
    use crate::tui::update::hear;

    fn told(effects: Vec<Effect>) -> Vec<(Kind, String)> {
        let announced = effects.into_iter().filter_map(|effect| match effect {
            Effect::Announce(told) => Some(told),
            _ => None,
        });
        announced.flatten().map(|told| (told.kind, told.text)).collect()
    }

    #[test]
    fn what_changes_while_it_is_open_is_told_once() {
        let mut run = Recording::training(7, "emoji");
        let mut failing = Recording::training(8, "bad");
        let mut app = fixtures::app((80, 24), Default::default());
        let mut say = |runs: Vec<crate::record::state::RunState>| told(hear(&mut app, News::Runs(delta(runs))));
        assert_eq!(say(vec![fixtures::hostile(), run.run(), failing.run()]), [], "nothing that was so before");
        run.event(Event::Advice(Advice {
            kind: "overfitting".into(),
            severity: Severity::Warning,
            message: "val_loss rises".into(),
            evidence: Default::default(),
            suggestion: "model.head.dropout: 0.5".into(),
        }));
        let advice = "0007 emoji: val_loss rises; try model.head.dropout: 0.5".to_owned();
        assert_eq!(say(vec![run.run()]), [(Kind::Advice, advice)]);
        assert_eq!(say(vec![run.run()]), []);
        run.epochs(1..=2).best(2, 0.25).finished(FinishReason::Completed, 2);
        failing.failed(Cause::Diverged, "NaN", "lower");
        let words = Cause::Diverged.words();
        assert_eq!(
            say(vec![run.run(), failing.run()]),
            [
                (Kind::Finished, "0007 emoji finished, val_loss .2500".to_owned()),
                (Kind::Failed, format!("0008 bad failed: {words}"))
            ]
        );
        assert_eq!(say(vec![run.run(), failing.run()]), []);
        assert!(app.notices.is_fresh && app.notices.kept.len() == 3);
        press(&mut app, "j");
        assert!(app.notices.newest().is_none(), "a key was pressed");
    }

    #[test]
    fn trouble_stays_while_it_is_true() {
        let mut app = fixtures::app((80, 24), fixtures::store());
        let problem = Delta { listed: Some(Err("the folder is gone".into())), ..Delta::default() };
        hear(&mut app, News::Runs(problem));
        press(&mut app, "jk");
        let shown = |app: &crate::tui::app::App| fixtures::text(&fixtures::frame(app, &fixtures::UNICODE));
        assert!(shown(&app).contains("the folder is gone"));
        hear(&mut app, News::Runs(fixtures::store()));
        assert!(shown(&app).contains("the folder is gone"), "what was read before says nothing of it");
        hear(&mut app, News::Runs(Delta { listed: Some(Ok(())), ..Delta::default() }));
        assert!(!shown(&app).contains("the folder is gone"));
    }
}
