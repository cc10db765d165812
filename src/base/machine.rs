//! What the machine has that runs share.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of main memory that this process may use at most: the machine's, or what a control group leaves of it. None
/// where the machine does not say.
pub fn memory() -> Option<u64> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    let total = Some(system.total_memory()).filter(|total| *total > 0);
    [total, of_control_group(Path::new("/"))].into_iter().flatten().min()
}

/// The least limit of this process' control group and those above it, of either version; `root` is where `/proc` and
/// `/sys` are.
fn of_control_group(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    groups.lines().flat_map(|line| limits(root, line)).min()
}

/// The limits of a line of `/proc/self/cgroup`: `0::/user.slice` or `4:memory:/user.slice`.
fn limits(root: &Path, line: &str) -> Vec<u64> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { return Vec::new() };
    let (mount, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        all if all.split(',').any(|one| one == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return Vec::new(),
    };
    let group: PathBuf = Path::new(group).components().skip(1).collect();
    let limit = |group: &Path| fs::read_to_string(root.join(mount).join(group).join(file)).ok()?.trim().parse().ok();
    group.ancestors().filter_map(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_least_limit_on_the_way_up_counts() {
        let v1 = "sys/fs/cgroup/memory/memory.limit_in_bytes";
        for (files, limit) in [
            (&[][..], None),
            (&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "4096\n")], Some(4096)),
            (&[("proc/self/cgroup", "0::/a/b\n"), ("sys/fs/cgroup/a/memory.max", "512\n")], Some(512)),
            (
                &[
                    ("proc/self/cgroup", "0::/a/b\n"),
                    ("sys/fs/cgroup/a/memory.max", "512"),
                    ("sys/fs/cgroup/a/b/memory.max", "max"),
                    ("sys/fs/cgroup/memory.max", "1024"),
                ],
                Some(512),
            ),
            (&[("proc/self/cgroup", "0::/a\n"), ("sys/fs/cgroup/a/memory.max", "max\n")], None),
            (&[("proc/self/cgroup", "3:cpu:/\n4:hugetlb,memory:/x\n"), (v1, "2048\n")], Some(2048)),
            (&[("proc/self/cgroup", "3:cpu:/\nnonsense\n"), (v1, "2048\n")], None),
        ] {
            let root = tree(files);
            assert_eq!(of_control_group(root.path()), limit, "{files:?}");
        }
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(memory().is_none_or(|bytes| bytes > 64 << 20));
    }
}
