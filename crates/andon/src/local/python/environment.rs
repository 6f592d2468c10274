//! A virtual environment with pinned packages: made once, made again when it was interrupted or its pins changed.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::{InstallFault, Progress, Python, PythonError, tail};
use crate::local::group::Group;

/// A virtual environment and what is in it.
pub(super) struct Environment {
    name: &'static str,
    pins: &'static str,
}

/// What was installed by hand once and worked; all of it, so that a run next year gets the same.
pub(super) const EMULATOR: Environment = Environment {
    name: "ministack",
    pins: "ministack==1.5.33 botocore==1.43.106 defusedxml==0.7.1 graphql-core==3.2.12 h11==0.16.0 h2==4.4.1 \
        hpack==4.2.0 hypercorn==0.18.0 hyperframe==6.1.0 jmespath==1.1.0 jsonata-python==0.7.1 priority==2.0.0 \
        python-dateutil==2.9.0.post0 pyyaml==6.0.3 six==1.17.0 urllib3==2.8.0 wsproto==1.3.2",
};

/// An environment apart: the emulator pins libraries that the AWS CLI pins too.
pub(super) const AWS_CLI: Environment = Environment {
    name: "awscli",
    pins: "awscli==1.46.2 colorama==0.4.6 docutils==0.19 jmespath==1.1.0 pyasn1==0.6.5 python-dateutil==2.9.0.post0 \
        pyyaml==6.0.3 rsa==4.7.2 six==1.17.0 urllib3==2.8.0",
};

/// Written last: an environment without it was interrupted and is made again.
const COMPLETE: &str = "complete";

/// The environment's interpreter, after making the environment if it is not there yet.
pub(super) async fn ready(
    python: &Python,
    environment: &Environment,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf, PythonError> {
    let home = folder.join(folder_name(python, environment));
    let interpreter = home.join("bin").join("python");
    let complete = home.join(COMPLETE);
    // The interpreter is a link: it dangles once the system's Python has been replaced.
    if complete.is_file() && interpreter.is_file() {
        return Ok(interpreter);
    }
    let pinned = environment
        .pins
        .split_whitespace()
        .next()
        .unwrap_or(environment.name);
    progress.say(&format!("installing {pinned} into {}", home.display()));
    match tokio::fs::remove_dir_all(&home).await {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(PythonError::Io {
                what: format!("remove {}", home.display()),
                source,
            });
        }
        _ => {}
    }
    let mut venv = Command::new(&python.executable);
    venv.args(["-I", "-m", "venv", "--without-pip"]).arg(&home);
    run(venv, environment.name).await?;
    // On its own, for venv keeps to itself what ensurepip says when it fails.
    let mut ensurepip = Command::new(&interpreter);
    ensurepip.args(["-I", "-m", "ensurepip", "--default-pip"]);
    run(ensurepip, environment.name).await?;
    let mut pip = Command::new(&interpreter);
    pip.args([
        "-I",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ])
    .args(["--retries", "2", "--prefer-binary"])
    .args(environment.pins.split_whitespace());
    run(pip, environment.name).await?;
    tokio::fs::write(&complete, environment.pins)
        .await
        .map_err(|source| PythonError::Io {
            what: format!("write {}", complete.display()),
            source,
        })?;
    Ok(interpreter)
}

async fn run(mut command: Command, what: &'static str) -> Result<(), PythonError> {
    // ensurepip and pip start processes of their own.
    let output = Group::output(command.stdin(Stdio::null()))
        .await
        .map_err(|source| PythonError::Io {
            what: format!("start Python to install {what}"),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(PythonError::Install {
        what,
        fault: InstallFault::of(&text),
        output: tail(&text, 12),
    })
}

/// `venv-ministack-3.11-1a2b3c4d5e6f`.
fn folder_name(python: &Python, environment: &Environment) -> String {
    let digest = Sha256::digest(format!("{} {}", python.executable, environment.pins));
    let hash: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (major, minor) = python.version;
    format!("venv-{}-{major}.{minor}-{hash}", environment.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_pin_or_interpreter_is_another_environment() {
        let python = |executable: &str, version| Python {
            executable: executable.to_owned(),
            version,
        };
        let name = folder_name(&python("python3", (3, 11)), &EMULATOR);
        assert!(name.starts_with("venv-ministack-3.11-"), "{name}");
        assert_ne!(name, folder_name(&python("python3", (3, 12)), &EMULATOR));
        assert_ne!(name, folder_name(&python("python3.11", (3, 11)), &EMULATOR));
        let newer = Environment {
            name: "ministack",
            pins: "ministack==1.5.34",
        };
        assert_ne!(name, folder_name(&python("python3", (3, 11)), &newer));
        assert_ne!(name, folder_name(&python("python3", (3, 11)), &AWS_CLI));
    }

    #[test]
    fn every_package_is_pinned() {
        for environment in [EMULATOR, AWS_CLI] {
            assert!(
                environment
                    .pins
                    .split_whitespace()
                    .all(|pin| pin.contains("==")),
                "{}",
                environment.pins
            );
        }
    }
}
