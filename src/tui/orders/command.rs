//! Orders as the command line would give them.

use super::Order;
use crate::base::id::RunId;
use crate::base::text::shell_word;
use crate::runner::protocol::Place;

impl Order {
    /// The command that does the same: `finetop cancel 7 9-12`.
    pub fn command(&self) -> String {
        match self {
            Order::Add(order) => order.command(),
            Order::Cancel(ids) => format!("finetop cancel {}", runs(ids)),
            Order::Pause(ids) => format!("finetop pause {}", runs(ids)),
            Order::Resume(ids) => format!("finetop resume {}", runs(ids)),
            Order::Retry { ids, fresh } => format!("finetop retry {}{}", runs(ids), flag(*fresh, "--fresh")),
            Order::Remove { ids, force } => format!("finetop rm {}{}", runs(ids), flag(*force, "--force")),
            Order::Tag { ids, add, remove } => {
                let tags = |option: &str, tags: &[String]| -> String {
                    tags.iter().map(|tag| format!(" {option} {}", shell_word(tag))).collect()
                };
                format!("finetop tag {}{}{}", runs(ids), tags("--add", add), tags("--remove", remove))
            }
            Order::Priority(levels) => {
                let level = |(priority, ids): (&i32, &Vec<RunId>)| format!("finetop priority {priority} {}", runs(ids));
                levels.iter().map(level).collect::<Vec<_>>().join(" && ")
            }
            Order::Move { ids, to } => {
                let to = match to {
                    Place::First => "--first".to_owned(),
                    Place::Last => "--last".to_owned(),
                    Place::Before(id) => format!("--before {}", id.0),
                };
                let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
                format!("finetop move {} {to}", ids.join(" "))
            }
            Order::Slots(slots) => format!("finetop slots {slots}"),
        }
    }
}

fn flag(given: bool, flag: &str) -> String {
    if given { format!(" {flag}") } else { String::new() }
}

/// Numbers, those that follow each other as ranges.
pub fn runs(ids: &[RunId]) -> String {
    let mut ids: Vec<u32> = ids.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let ranges = ids.chunk_by(|a, b| a + 1 == *b).map(|range| match range {
        [first, _, .., last] => format!("{first}-{last}"),
        few => few.iter().map(u32::to_string).collect::<Vec<_>>().join(" "),
    });
    ranges.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_a_command() {
        let ids = |ids: &[u32]| ids.iter().copied().map(RunId).collect::<Vec<_>>();
        let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        for (order, command) in [
            (Order::Cancel(ids(&[12, 7, 9, 10, 11])), "finetop cancel 7 9-12"),
            (Order::Pause(ids(&[3, 4])), "finetop pause 3 4"),
            (Order::Resume(ids(&[3])), "finetop resume 3"),
            (Order::Retry { ids: ids(&[1, 2, 3]), fresh: true }, "finetop retry 1-3 --fresh"),
            (Order::Retry { ids: ids(&[5]), fresh: false }, "finetop retry 5"),
            (Order::Remove { ids: ids(&[5]), force: false }, "finetop rm 5"),
            (Order::Remove { ids: ids(&[5, 5]), force: true }, "finetop rm 5 --force"),
            (
                Order::Tag { ids: ids(&[5]), add: tags(&["a", "b;c"]), remove: tags(&["old"]) },
                "finetop tag 5 --add a --add 'b;c' --remove old",
            ),
            (
                Order::Priority([(-1, ids(&[5])), (2, ids(&[6, 7]))].into()),
                "finetop priority -1 5 && finetop priority 2 6 7",
            ),
            (Order::Move { ids: ids(&[9, 8]), to: Place::Before(RunId(3)) }, "finetop move 9 8 --before 3"),
            (Order::Move { ids: ids(&[9]), to: Place::First }, "finetop move 9 --first"),
            (Order::Move { ids: ids(&[9]), to: Place::Last }, "finetop move 9 --last"),
            (Order::Slots(3), "finetop slots 3"),
        ] {
            assert_eq!(order.command(), command);
        }
    }
}
