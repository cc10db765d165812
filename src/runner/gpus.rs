//! The GPUs that runs may use.

use std::fs;
use std::path::Path;

/// As CUDA's own variable names them, in order: those that `CUDA_VISIBLE_DEVICES` leaves, else all that this machine has.
pub fn visible() -> Vec<String> {
    let asked = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    of(asked.as_deref(), Path::new("/"))
}

/// Of the machine whose `/proc` and `/dev` lie below `root`. As CUDA has it, what comes after one that is none is left out.
fn of(asked: Option<&str>, root: &Path) -> Vec<String> {
    match asked {
        Some(asked) => {
            let names = asked.split(',').map(str::trim);
            names.take_while(|name| !name.is_empty() && !name.starts_with('-')).map(str::to_owned).collect()
        }
        None => (0..count(root)).map(|number| number.to_string()).collect(),
    }
}

/// By NVIDIA's driver; in containers there may be nothing but the devices.
fn count(root: &Path) -> usize {
    let entries = |folder: &str| fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    match entries("proc/driver/nvidia/gpus").count() {
        0 => entries("dev").filter(|entry| is_device(&entry.file_name().to_string_lossy())).count(),
        count => count,
    }
}

/// `nvidia0`, but not `nvidiactl`.
fn is_device(name: &str) -> bool {
    name.strip_prefix("nvidia").is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(entries: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        entries.iter().for_each(|entry| fs::create_dir_all(root.path().join(entry)).unwrap());
        root
    }

    #[test]
    fn they_are_those_that_were_asked_for_or_all() {
        let none = machine(&["dev/null", "dev/nvidiactl", "dev/nvidia-uvm"]);
        let by_driver = machine(&["proc/driver/nvidia/gpus/0000:01:00.0", "proc/driver/nvidia/gpus/0000:02:00.0"]);
        let by_device = machine(&["dev/nvidia0", "dev/nvidia1", "dev/nvidia2", "dev/nvidiactl"]);
        for (asked, root, expected) in [
            (None, &none, &[][..]),
            (None, &by_driver, &["0", "1"]),
            (None, &by_device, &["0", "1", "2"]),
            (Some(""), &by_driver, &[]),
            (Some("-1"), &by_driver, &[]),
            (Some("1"), &by_driver, &["1"]),
            (Some("1, 0"), &none, &["1", "0"]),
            (Some("0,-1,1"), &by_driver, &["0"]),
            (Some("GPU-8932f937,MIG-4f3a"), &by_driver, &["GPU-8932f937", "MIG-4f3a"]),
        ] {
            assert_eq!(of(asked, root.path()), expected, "{asked:?}");
        }
    }
}
