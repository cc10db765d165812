//! Evidence that the kernel killed for memory: its own count of such kills.

use std::fs;

/// How often the kernel has killed for lack of memory, in this process' control group where it says so, else on the whole
/// machine. A count that rose while a worker died of SIGKILL tells why.
pub fn kills() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_group = groups.lines().flat_map(counters).find_map(|path| count_in(&fs::read_to_string(path).ok()?));
    of_group.or_else(|| count_in(&fs::read_to_string("/proc/vmstat").ok()?))
}

/// Where the group on a line of `/proc/self/cgroup` keeps its count: version 2 (`0::/path`), or version 1's memory.
fn counters(line: &str) -> Vec<String> {
    let mut fields = line.splitn(3, ':');
    let (_, Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { return Vec::new() };
    let path = path.trim_end_matches('/');
    match controllers {
        "" => {
            vec![format!("/sys/fs/cgroup{path}/memory.events"), format!("/sys/fs/cgroup/unified{path}/memory.events")]
        }
        names if names.split(',').any(|name| name == "memory") => {
            vec![
                format!("/sys/fs/cgroup/memory{path}/memory.oom_control"),
                "/sys/fs/cgroup/memory/memory.oom_control".into(),
            ]
        }
        _ => Vec::new(),
    }
}

fn count_in(text: &str) -> Option<u64> {
    let value = |line: &str| line.strip_prefix("oom_kill ")?.trim().parse().ok();
    text.lines().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_in_all_their_forms() {
        assert_eq!(count_in("low 0\nhigh 0\nmax 3\noom 2\noom_kill 7\noom_group_kill 1\n"), Some(7));
        assert_eq!(count_in("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"), Some(4));
        assert_eq!(count_in("oom_kill_disable 0\nunder_oom 0\n"), None);
        assert_eq!(counters("0::/user.slice/x")[0], "/sys/fs/cgroup/user.slice/x/memory.events");
        assert_eq!(counters("0::/")[0], "/sys/fs/cgroup/memory.events");
        assert_eq!(counters("4:memory:/job")[0], "/sys/fs/cgroup/memory/job/memory.oom_control");
        assert!(counters("3:cpuset:/").is_empty() && counters("").is_empty());
    }
}
