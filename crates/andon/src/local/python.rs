//! The Python tools of a local run: the emulator and the AWS CLI, each in a virtual environment of its own under the
//! target folder.
//!
//! Promises: nothing is left outside that folder (pip keeps no cache, and the user's variables lead it nowhere else); every
//! package is pinned, and the folder's name hashes the pins and the interpreter, so that a changed pin is a new environment;
//! an installation that was interrupted, or from which nothing can be imported, is started afresh; whoever lacks something
//! reads what to do about it.

mod environment;
mod fault;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use environment::{AWS_CLI, EMULATOR, ready};
pub use fault::InstallFault;

/// The oldest Python that the pinned packages run on.
pub const OLDEST: (u32, u32) = (3, 10);

/// Told what is being done, one line at a time: whatever takes longer than a moment is announced.
pub trait Progress: Sync {
    /// A step begins, or has something to say.
    fn say(&self, line: &str);
}

impl<F: Fn(&str) + Sync> Progress for F {
    fn say(&self, line: &str) {
        self(line);
    }
}

/// What a local run needs of Python, installed.
#[derive(Debug, Clone)]
pub struct Tools {
    emulator: PathBuf,
    aws: PathBuf,
}

impl Tools {
    /// Finds Python and makes sure that both environments are there. `folder` is `target/andon`, absolute.
    pub async fn ready(folder: &Path, progress: &dyn Progress) -> Result<Self, PythonError> {
        let python = find().await?;
        let (emulator, aws) = tokio::try_join!(
            ready(&python, &EMULATOR, folder, progress),
            ready(&python, &AWS_CLI, folder, progress)
        )?;
        Ok(Self { emulator, aws })
    }

    /// The interpreter that has the emulator.
    pub fn emulator_python(&self) -> &Path {
        &self.emulator
    }

    /// The interpreter that has the AWS CLI.
    pub fn aws_python(&self) -> &Path {
        &self.aws
    }
}

/// A Python that can make virtual environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// Its name or path, as it is called.
    pub executable: String,
    /// Major and minor version.
    pub version: (u32, u32),
}

/// The first usable Python on the path.
pub async fn find() -> Result<Python, PythonError> {
    let mut unusable = Vec::new();
    for executable in CANDIDATES {
        let answer = Command::new(executable)
            .args(["-I", "-c", QUESTION])
            .stdin(Stdio::null())
            .output()
            .await;
        let Ok(answer) = answer else { continue };
        match usable(executable, &String::from_utf8_lossy(&answer.stdout)) {
            Some(Ok(python)) => return Ok(python),
            Some(Err(error)) => unusable.push(error),
            // It starts and is no Python: the shop window that some systems put in its place.
            None => {}
        }
    }
    // The first one is what `python3` says, and what the user knows.
    Err(unusable.into_iter().next().unwrap_or(PythonError::Missing))
}

/// Why the Python tools are not there. `cure` says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// No Python 3 on the path.
    #[error("Python 3 is not installed, or not on the path")]
    Missing,
    /// Only Pythons older than the pinned packages allow.
    #[error("{executable} is Python {}.{}, older than {}.{}", version.0, version.1, OLDEST.0, OLDEST.1)]
    TooOld {
        /// The one that was found.
        executable: String,
        /// Its version.
        version: (u32, u32),
    },
    /// Python without the module that makes environments (Debian and Ubuntu split it off).
    #[error("{executable} lacks its module {module}, so it cannot make a virtual environment")]
    NoModule {
        /// The one that was found.
        executable: String,
        /// Its version.
        version: (u32, u32),
        /// `venv` or `ensurepip`.
        module: &'static str,
    },
    /// A process could not be started, or a file not be written.
    #[error("cannot {what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// pip or venv ended badly.
    #[error("{what} failed: {}", fault.as_str())]
    Install {
        /// What was being installed.
        what: &'static str,
        /// What the output says about the cause.
        fault: InstallFault,
        /// The end of the output.
        output: String,
    },
}

impl PythonError {
    /// What the user can do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::Missing | Self::TooOld { .. } => format!(
                "install Python {}.{} or newer with its venv module (Debian and Ubuntu: apt install python3 python3-venv; \
                 macOS: brew install python) and run again",
                OLDEST.0, OLDEST.1
            ),
            Self::NoModule {
                version: (major, minor),
                ..
            } => format!(
                "install it (Debian and Ubuntu: apt install python3-venv, or python{major}.{minor}-venv) and run again"
            ),
            Self::Io { .. } => {
                "check that the target folder can be written, then run again".to_owned()
            }
            Self::Install { fault, output, .. } => {
                let lines = if *fault == InstallFault::Other { 12 } else { 2 };
                format!("{}\n{}", fault.cure(), tail(output, lines))
            }
        }
    }
}

/// Newest last: `python3` is what the user expects to be used.
const CANDIDATES: [&str; 7] = [
    "python3",
    "python",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
];

/// Prints major, minor, and whether the two modules are there.
const QUESTION: &str = "import sys; from importlib.util import find_spec as f; \
    print(*sys.version_info[:2], int(bool(f('venv'))), int(bool(f('ensurepip'))))";

/// Reads the answer to `QUESTION`; `None` if it is none.
fn usable(executable: &str, answer: &str) -> Option<Result<Python, PythonError>> {
    let mut words = answer.split_whitespace();
    let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (venv, ensurepip) = (words.next()? == "1", words.next()? == "1");
    let executable = executable.to_owned();
    Some(match (version < OLDEST, venv, ensurepip) {
        (true, ..) => Err(PythonError::TooOld {
            executable,
            version,
        }),
        (_, false, _) => Err(PythonError::NoModule {
            executable,
            version,
            module: "venv",
        }),
        (_, _, false) => Err(PythonError::NoModule {
            executable,
            version,
            module: "ensurepip",
        }),
        _ => Ok(Python {
            executable,
            version,
        }),
    })
}

/// The last lines of a text, without the empty ones.
pub(super) fn tail(text: &str, lines: usize) -> String {
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    kept[kept.len().saturating_sub(lines)..].join("\n")
}

/// What a child process may know of the user's environment: where programs, the home folder and the language are, and
/// nothing of the user's own AWS accounts, profiles or endpoints.
pub(super) fn neutral_environment() -> Vec<(&'static str, OsString)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "handed on to a child process, never read as configuration"
    )]
    ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_says_of_itself() {
        let said = |answer: &str| match usable("python3", answer) {
            None => "no Python".to_owned(),
            Some(Ok(python)) => format!("{}.{}", python.version.0, python.version.1),
            Some(Err(error)) => error.to_string(),
        };
        for (answer, expected) in [
            ("3 11 1 1\n", "3.11"),
            ("3 10 1 1", "3.10"),
            ("3 9 1 1", "python3 is Python 3.9, older than 3.10"),
            ("2 7 0 0", "python3 is Python 2.7, older than 3.10"),
            (
                "3 12 0 1",
                "python3 lacks its module venv, so it cannot make a virtual environment",
            ),
            (
                "3 12 1 0",
                "python3 lacks its module ensurepip, so it cannot make a virtual environment",
            ),
            ("", "no Python"),
            (
                "Python was not found; run without arguments to install",
                "no Python",
            ),
        ] {
            assert_eq!(said(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn every_way_to_fail_names_its_cure() {
        let executable = || "python3".to_owned();
        let install = |fault| PythonError::Install {
            what: "ministack",
            fault,
            output: "ERROR: the last line".to_owned(),
        };
        for (error, word) in [
            (PythonError::Missing, "apt install python3 python3-venv"),
            (
                PythonError::TooOld {
                    executable: executable(),
                    version: (3, 8),
                },
                "Python 3.10 or newer",
            ),
            (
                PythonError::NoModule {
                    executable: executable(),
                    version: (3, 12),
                    module: "ensurepip",
                },
                "python3.12-venv",
            ),
            (install(InstallFault::IndexUnreachable), "PIP_INDEX_URL"),
            (install(InstallFault::IndexUntrusted), "PIP_CERT"),
            (install(InstallFault::DiskFull), "300 MB"),
            (install(InstallFault::NotWritable), "target/andon"),
            (install(InstallFault::Elsewhere), "pip config list"),
            (install(InstallFault::Other), "ERROR: the last line"),
        ] {
            assert!(error.cure().contains(word), "{error}: {}", error.cure());
        }
    }

    #[test]
    fn the_tail_is_the_last_lines_that_say_something() {
        assert_eq!(tail("one\n\ntwo\n  \nthree\n", 2), "two\nthree");
        assert_eq!(tail("one", 5), "one");
        assert_eq!(tail("", 5), "");
    }
}
