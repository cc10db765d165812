//! What the runner answered, as one line.

use crate::base::id::RunId;
use crate::base::text::counted;
use crate::runner::Response;
use crate::runner::protocol::{Added, Answer, Done, Refusal};

/// Refusals that are spelled out; of more only the number is said.
const SPELLED: usize = 2;

/// What was done, and what was not and why. It is an error if nothing was done, or not all of what could have been.
pub fn in_words(responses: Vec<Response>) -> Result<String, String> {
    let mut answers = Vec::new();
    for response in responses {
        match response {
            Response::Added { runs } => return Ok(added(&runs)),
            Response::Answers { answers: some } => answers.extend(some),
            Response::Refused(refusal) => return Err(with_hint(&refusal)),
            Response::Agreed => return Ok("the runner will do so".to_owned()),
            Response::Status(_) => return Err("the runner answered something else than was asked".to_owned()),
        }
    }
    of_each(answers)
}

fn added(runs: &[Added]) -> String {
    let name = |run: &Added| format!("{} {}", run.id, run.name);
    match runs {
        [first, _, .., last] => format!("queued {} runs, {} to {}", runs.len(), name(first), name(last)),
        few => format!("queued {}", few.iter().map(name).collect::<Vec<_>>().join(", ")),
    }
}

fn of_each(answers: Vec<Answer>) -> Result<String, String> {
    let mut done: Vec<(Done, Vec<RunId>)> = Vec::new();
    let mut refused: Vec<(RunId, Refusal)> = Vec::new();
    for Answer { id, result } in answers {
        match result {
            Err(refusal) => refused.push((id, refusal)),
            Ok(what) => match done.iter_mut().find(|(other, _)| *other == what) {
                Some((_, ids)) => ids.push(id),
                None => done.push((what, vec![id])),
            },
        }
    }
    let is_fine = refused.iter().all(|(_, refusal)| refusal.unfit && !done.is_empty());
    let mut words: Vec<String> = done.into_iter().map(|(what, ids)| was_done(what, &ids)).collect();
    let spelled = if refused.len() <= SPELLED { refused.len() } else { 1 };
    words.extend(refused.iter().take(spelled).map(|(id, refusal)| was_refused(*id, refusal, is_fine)));
    if refused.len() > spelled {
        words.push(format!("{} more refused", refused.len() - spelled));
    }
    let words = words.join("; ");
    if is_fine { Ok(words) } else { Err(words) }
}

fn was_done(what: Done, ids: &[RunId]) -> String {
    let (is, have) = match ids {
        [id] => (format!("{id} is"), format!("{id} has its")),
        _ => (format!("{} are", counted(ids.len() as u64, "run")), format!("{} runs have their", ids.len())),
    };
    match what {
        Done::Cancelled => format!("{is} cancelled"),
        Done::Cancelling => format!("{is} asked to stop at a checkpoint"),
        Done::Paused => format!("{is} paused"),
        Done::Pausing => format!("{is} asked to pause at a checkpoint"),
        Done::Queued => format!("{is} queued"),
        Done::Running => format!("{is} running"),
        Done::Removed => format!("{is} removed"),
        Done::Removing => format!("{is} being removed"),
        Done::Moved => format!("{is} moved"),
        Done::Prioritized => format!("{have} priority"),
        Done::Tagged => format!("{have} tags"),
        Done::Edited => format!("{is} changed"),
    }
}

/// Why something was not done; the hint is left out beside what was.
fn was_refused(id: RunId, refusal: &Refusal, in_short: bool) -> String {
    let said = if in_short { refusal.error.clone() } else { with_hint(refusal) };
    if said.contains(&id.to_string()) { said } else { format!("{id}: {said}") }
}

fn with_hint(refusal: &Refusal) -> String {
    match &refusal.hint {
        Some(hint) => format!("{}; {hint}", refusal.error),
        None => refusal.error.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(answers: &[(u32, Result<Done, Refusal>)]) -> Vec<Response> {
        let answer = |(id, result): &(u32, Result<Done, Refusal>)| Answer { id: RunId(*id), result: result.clone() };
        vec![Response::Answers { answers: answers.iter().map(answer).collect() }]
    }

    #[test]
    fn many_answers_are_one_line() {
        let over = |id: u32| Err(Refusal::unfit(format!("run {id:04} is finished"), "only a queued one can be paused"));
        let full = || Err(Refusal::new("the disk is full", "free some space"));
        for (answers, words) in [
            (response(&[(7, Ok(Done::Paused))]), Ok("0007 is paused")),
            (
                response(&[(7, Ok(Done::Paused)), (8, Ok(Done::Pausing)), (9, Ok(Done::Paused))]),
                Ok("2 runs are paused; 0008 is asked to pause at a checkpoint"),
            ),
            (response(&[(7, Ok(Done::Paused)), (12, over(12))]), Ok("0007 is paused; run 0012 is finished")),
            (response(&[(12, over(12))]), Err("run 0012 is finished; only a queued one can be paused")),
            (
                response(&[(7, Ok(Done::Tagged)), (8, full())]),
                Err("0007 has its tags; 0008: the disk is full; free some space"),
            ),
            (
                response(&[(7, Ok(Done::Tagged)), (8, over(8)), (9, over(9)), (10, over(10))]),
                Ok("0007 has its tags; run 0008 is finished; 2 more refused"),
            ),
            (vec![Response::Refused(Refusal::new("no", "ask later"))], Err("no; ask later")),
        ] {
            let expected = words.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(in_words(answers), expected);
        }
    }
}
