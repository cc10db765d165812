//! Who may read what is made: nobody else, unless the umask asks for it.
//!
//! A umask of 022 is what systems come with and asks for nothing. One that keeps nothing from a class of people, as 002 or
//! 007 keep nothing from the group, asks to share with that class. So 022 makes files of mode 0600 and folders of 0700, and
//! 007 and 002 make 0660 and 0770. It is the process' umask that is tightened, so that no file is forgotten, and what a
//! child makes is as private.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::Mode;

use super::{Result, failed};

static MASK: OnceLock<u32> = OnceLock::new();

/// Tightens the umask of this process and of all that it starts. To be called once, before there are threads.
pub fn tighten_umask() {
    let asked = rustix::process::umask(Mode::from_raw_mode(0o077)).as_raw_mode();
    let mask = tightened(asked);
    rustix::process::umask(Mode::from_raw_mode(mask));
    let _ = MASK.set(mask);
}

/// The permissions that nothing of a store should have: those that [`tighten_umask`] found not to be asked for.
pub fn mask() -> u32 {
    MASK.get().copied().unwrap_or(0o077)
}

/// Gives `path`, which must be no link, other permissions.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed("change the permissions of", path))
}

/// Nothing for a class of which the umask keeps anything, all that the umask leaves to the owner.
fn tightened(asked: u32) -> u32 {
    let of_class = |class: u32| if asked & class == 0 { 0 } else { class };
    (asked & 0o700) | of_class(0o070) | of_class(0o007)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_umask_that_keeps_nothing_from_a_class_asks_for_it() {
        for (asked, tight) in
            [(0o022, 0o077), (0o002, 0o007), (0o007, 0o007), (0o077, 0o077), (0o027, 0o077), (0o000, 0o000)]
        {
            assert_eq!(tightened(asked), tight, "{asked:03o}");
            assert_eq!(tightened(tight), tight, "a child's is the same");
        }
    }
}
