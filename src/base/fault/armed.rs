//! Which faults are asked for, how often each point was reached, and what then happens.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::Errno;

use super::Role;

#[cfg(test)]
mod thread;

#[cfg(test)]
pub use thread::on_this_thread;

static ROLE: OnceLock<Role> = OnceLock::new();
static ASKED: OnceLock<Asked> = OnceLock::new();

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Enospc,
    Eio,
    Erofs,
    Edquot,
    Short,
    Kill,
    Tear,
    Panic,
}

impl Action {
    const ALL: [(&'static str, Action); 8] = [
        ("enospc", Action::Enospc),
        ("eio", Action::Eio),
        ("erofs", Action::Erofs),
        ("edquot", Action::Edquot),
        ("short", Action::Short),
        ("kill", Action::Kill),
        ("tear", Action::Tear),
        ("panic", Action::Panic),
    ];

    fn name(self) -> &'static str {
        Action::ALL.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }

    /// Whether half of the bytes are written first.
    pub fn tears(self) -> bool {
        matches!(self, Action::Short | Action::Tear)
    }

    /// The error that the step fails with, or the end of this process.
    pub fn strike(self) -> io::Error {
        let errno = match self {
            Action::Enospc | Action::Short => Errno::NOSPC,
            Action::Eio => Errno::IO,
            Action::Erofs => Errno::ROFS,
            Action::Edquot => Errno::DQUOT,
            Action::Kill | Action::Tear => {
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
                Errno::INTR
            }
            Action::Panic => std::panic::panic_any("a fault that was asked for"),
        };
        errno.into()
    }
}

/// One fault: who, where, when, what.
#[derive(Debug)]
struct Fault {
    /// None: any process.
    role: Option<Role>,
    /// None: any point.
    point: Option<String>,
    /// The n-th time, from 1.
    n: u64,
    action: Action,
    reached: AtomicU64,
}

impl Fault {
    fn parse(text: &str) -> Option<Fault> {
        let (role, rest) = text.split_once(':')?;
        let (point, rest) = rest.split_once('#')?;
        let (n, action) = rest.split_once('=')?;
        let role = match role {
            "worker" => Some(Role::Worker),
            "runner" => Some(Role::Runner),
            "command" => Some(Role::Command),
            "*" => None,
            _ => return None,
        };
        let (_, action) = *Action::ALL.iter().find(|(name, _)| *name == action)?;
        let point = (point != "*").then(|| point.to_owned());
        let n = n.parse().ok().filter(|&n| n > 0)?;
        Some(Fault { role, point, n, action, reached: AtomicU64::new(0) })
    }

    /// A name of its own, of whatever step it acts at.
    fn mark(&self) -> String {
        format!("{:?}-{}-{}-{}", self.role, self.point.as_deref().unwrap_or("any"), self.n, self.action.name())
    }

    fn is_reached(&self, point: &str, role: Option<Role>) -> bool {
        let here = self.point.as_deref().is_none_or(|at| at == point) && (self.role.is_none() || self.role == role);
        here && self.reached.fetch_add(1, Ordering::Relaxed) + 1 == self.n
    }
}

/// All faults that are asked for.
#[derive(Debug, Default)]
struct Asked {
    faults: Vec<Fault>,
    /// Where each leaves its mark when it acts; none acts twice then, in whatever process.
    once: Option<PathBuf>,
}

impl Asked {
    fn parse(text: &str) -> Option<Asked> {
        let faults = text.split(',').filter(|text| !text.is_empty()).map(Fault::parse).collect::<Option<_>>()?;
        Some(Asked { faults, once: None })
    }

    /// What the environment asks for. A typing mistake must not pass for a test without faults.
    fn from_environment() -> Asked {
        let text = std::env::var("FINETOP_FAULT").unwrap_or_default();
        let Some(asked) = Asked::parse(&text) else {
            let _ = writeln!(io::stderr(), "fault: FINETOP_FAULT={text} is not understood");
            std::process::abort();
        };
        Asked { once: std::env::var_os("FINETOP_FAULT_ONCE").map(PathBuf::from), ..asked }
    }

    fn at(&self, point: &str, role: Option<Role>) -> Option<Action> {
        let mut reached = None;
        for fault in &self.faults {
            if fault.is_reached(point, role) && reached.is_none() && self.is_first(fault) {
                reached = Some(fault.action);
                let line = format!("fault: {point}#{} {}\n", fault.n, fault.action.name());
                let _ = io::stderr().write_all(line.as_bytes());
            }
        }
        reached
    }

    fn is_first(&self, fault: &Fault) -> bool {
        let Some(folder) = &self.once else { return true };
        rustix::fs::mkdir(folder.join(fault.mark()), rustix::fs::Mode::RWXU).is_ok()
    }
}

pub fn act_as(role: Role) {
    let _ = ROLE.set(role);
}

pub fn asked(point: &str) -> Option<Action> {
    #[cfg(test)]
    if let Some(action) = thread::asked(point) {
        return Some(action);
    }
    ASKED.get_or_init(Asked::from_environment).at(point, ROLE.get().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_mistakes_are_not() {
        let asked = Asked::parse("worker:append#3=short,*:*#1=kill,").unwrap();
        assert_eq!(asked.faults.len(), 2);
        assert_eq!((asked.faults[0].role, asked.faults[0].n), (Some(Role::Worker), 3));
        assert_eq!(asked.faults[0].point.as_deref(), Some("append"));
        assert_eq!((asked.faults[1].role, asked.faults[1].action), (None, Action::Kill));
        for wrong in ["worker", "nobody:append#1=eio", "*:append#0=eio", "*:append#x=eio", "*:append#1=fire"] {
            assert!(Asked::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_nth_time_of_the_right_process_counts() {
        let asked = Asked::parse("worker:append#2=eio").unwrap();
        for (point, role, expected) in [
            ("append", Some(Role::Worker), None),
            ("append", Some(Role::Runner), None),
            ("append", None, None),
            ("write", Some(Role::Worker), None),
            ("append", Some(Role::Worker), Some(Action::Eio)),
            ("append", Some(Role::Worker), None),
        ] {
            assert_eq!(asked.at(point, role), expected, "{point} {role:?}");
        }
    }

    #[test]
    fn a_fault_of_any_point_counts_all_of_them() {
        let asked = Asked::parse("*:*#2=enospc").unwrap();
        assert_eq!(asked.at("create", None), None);
        assert_eq!(asked.at("write", Some(Role::Command)), Some(Action::Enospc));
    }

    #[test]
    fn once_is_once_for_all_processes() {
        let folder = tempfile::tempdir().unwrap();
        let process = || Asked { once: Some(folder.path().to_owned()), ..Asked::parse("*:sync#1=erofs").unwrap() };
        assert_eq!(process().at("sync", None), Some(Action::Erofs));
        assert_eq!(process().at("sync", None), None);
        let any = || Asked { once: Some(folder.path().to_owned()), ..Asked::parse("*:*#1=erofs").unwrap() };
        assert_eq!(any().at("sync", None), Some(Action::Erofs));
        assert_eq!(any().at("rename", None), None, "at another step it is the same fault");
    }

    #[test]
    fn what_strikes_is_what_was_asked_for() {
        for (action, kind) in [
            (Action::Enospc, io::ErrorKind::StorageFull),
            (Action::Short, io::ErrorKind::StorageFull),
            (Action::Edquot, io::ErrorKind::QuotaExceeded),
            (Action::Erofs, io::ErrorKind::ReadOnlyFilesystem),
        ] {
            assert_eq!(action.strike().kind(), kind);
        }
        assert_eq!(Action::Eio.strike().raw_os_error(), Some(5));
        assert_eq!(on_this_thread("*:link#1=eio", || asked("link")), Some(Action::Eio));
        assert_eq!(asked("link"), None);
    }
}
