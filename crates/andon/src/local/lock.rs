//! One local run at a time: runs share a folder, and each begins by clearing what the last one left there.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::failure::Failure;

/// Keeps other runs out of `folder`, which is created if it is not there, until the file is dropped or the process ends.
///
/// # Errors
/// If another run is under way, or the folder cannot be written.
pub fn take(folder: &Path) -> Result<File, Failure> {
    let unusable = |error: io::Error| {
        Failure::check(format_args!("cannot use {}", folder.display()))
            .caused_by(error)
            .cure("check that the target folder can be written, then run again")
    };
    std::fs::create_dir_all(folder).map_err(unusable)?;
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
        Err(TryLockError::WouldBlock) => Err(Failure::check(
            "another local run is under way in this project",
        )
        .cure("end it first (Ctrl-C in its terminal); with --keep it serves `andon redrive list --local` until then")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_refused_until_the_first_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("target/andon");
        let first = take(&folder).unwrap();
        let refused = take(&folder).unwrap_err();
        assert_eq!(refused.exit_code(), 1);
        assert!(refused.to_string().contains("under way"), "{refused}");
        // Dropped alone, it would stay with a process that another test is just starting.
        first.unlock().unwrap();
        assert!(take(&folder).is_ok());
    }
}
