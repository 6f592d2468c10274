//! A virtual environment with pinned packages: made once, made again when it was interrupted or its pins changed.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::{InstallFault, Progress, Python, PythonError, neutral_environment, tail};
use crate::local::group::Group;

/// A virtual environment and what is in it.
pub(super) struct Environment {
    name: &'static str,
    pins: &'static str,
    /// What is run of it, and imports the rest.
    module: &'static str,
}

/// What was installed by hand once and worked; all of it, so that a run next year gets the same.
pub(super) const EMULATOR: Environment = Environment {
    name: "ministack",
    pins: "ministack==1.5.33 botocore==1.43.106 defusedxml==0.7.1 graphql-core==3.2.12 h11==0.16.0 h2==4.4.1 \
        hpack==4.2.0 hypercorn==0.18.0 hyperframe==6.1.0 jmespath==1.1.0 jsonata-python==0.7.1 priority==2.0.0 \
        python-dateutil==2.9.0.post0 pyyaml==6.0.3 six==1.17.0 urllib3==2.8.0 wsproto==1.3.2",
    module: "ministack.app",
};

/// An environment apart: the emulator pins libraries that the AWS CLI pins too.
pub(super) const AWS_CLI: Environment = Environment {
    name: "awscli",
    pins: "awscli==1.46.2 colorama==0.4.6 docutils==0.19 jmespath==1.1.0 pyasn1==0.6.5 python-dateutil==2.9.0.post0 \
        pyyaml==6.0.3 rsa==4.7.2 six==1.17.0 urllib3==2.8.0",
    module: "awscli.clidriver",
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
    run(pip(&interpreter, environment), environment.name).await?;
    run(import(&interpreter, environment), environment.name).await?;
    tokio::fs::write(&complete, environment.pins)
        .await
        .map_err(|source| PythonError::Io {
            what: format!("write {}", complete.display()),
            source,
        })?;
    Ok(interpreter)
}

/// Where pip's own variables would have it write besides, or instead.
const ELSEWHERE: [&str; 7] = [
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_LOG",
    "PIP_PYTHON",
    "PIP_REPORT",
    "PIP_DRY_RUN",
];

/// Installs the pins into the environment and leaves nothing elsewhere. The user's indexes, proxies and certificates count:
/// there may be no way to the packages without them.
fn pip(interpreter: &Path, environment: &Environment) -> Command {
    let mut pip = Command::new(interpreter);
    pip.args(["-I", "-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--no-cache-dir"])
        .args(["--retries", "2", "--prefer-binary"])
        .args(environment.pins.split_whitespace())
        .env("PIP_USER", "0");
    for name in ELSEWHERE {
        pip.env_remove(name);
    }
    pip
}

/// Imports what was installed, as it will be: pip may have been led elsewhere by its configuration file, and ends well then.
fn import(interpreter: &Path, environment: &Environment) -> Command {
    let mut python = Command::new(interpreter);
    python
        .args(["-I", "-c", &format!("import {}", environment.module)])
        .env_clear()
        .envs(neutral_environment());
    python
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
            module: "ministack.app",
        };
        assert_ne!(name, folder_name(&python("python3", (3, 11)), &newer));
        assert_ne!(name, folder_name(&python("python3", (3, 11)), &AWS_CLI));
    }

    #[test]
    fn pip_writes_into_the_environment_alone_and_finds_the_users_index() {
        let pip = pip(Path::new("python"), &EMULATOR);
        let pip = pip.as_std();
        assert!(pip.get_args().any(|word| word == "--no-cache-dir"));
        let variables: Vec<_> = pip
            .get_envs()
            .map(|(name, value)| {
                (
                    name.to_str().unwrap(),
                    value.and_then(|value| value.to_str()),
                )
            })
            .collect();
        assert!(variables.contains(&("PIP_USER", Some("0"))));
        for name in ["PIP_TARGET", "PIP_PREFIX"] {
            assert!(variables.contains(&(name, None)), "{name}");
        }
        assert!(
            variables
                .iter()
                .all(|(name, _)| !["PIP_INDEX_URL", "PIP_CERT", "HTTPS_PROXY"].contains(name))
        );
    }

    /// Makes an environment of itself, lets pip end well, and can import nothing.
    const PYTHON: &str = r#"#!/bin/sh
case "$3" in
venv) mkdir -p "$5/bin" && cp "$0" "$5/bin/python" ;;
import*) echo "ModuleNotFoundError: No module named 'ministack'" >&2; exit 1 ;;
esac
"#;

    #[tokio::test]
    async fn an_environment_from_which_nothing_can_be_imported_is_not_complete() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("python");
        // By a process of its own: a file that this one has open for writing may not be run.
        let write = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >\"$0\" && chmod +x \"$0\""])
            .arg(&script)
            .arg(PYTHON)
            .status();
        assert!(write.await.unwrap().success());
        let python = Python {
            executable: script.to_str().unwrap().to_owned(),
            version: (3, 11),
        };
        let home = folder.path().join(folder_name(&python, &EMULATOR));
        let quiet = |_: &str| {};
        let ready = ready(&python, &EMULATOR, folder.path(), &quiet).await;
        let error = ready.unwrap_err();
        assert!(error.to_string().contains("somewhere else"), "{error}");
        assert!(home.join("bin/python").is_file());
        assert!(!home.join(COMPLETE).exists());
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
