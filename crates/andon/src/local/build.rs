//! The functions' binaries, built by cargo in the profile of this tool; its own progress goes to stderr.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use lambda_function::config::{Environment, ProcessEnvironment};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::group::Group;
use crate::failure::Failure;

/// The packages under `functions/`.
pub fn packages(root: &Path) -> Result<Vec<String>, Failure> {
    let folder = root.join("functions");
    let mut packages = Vec::new();
    let entries = std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&folder, error))?;
        if entry.path().join("Cargo.toml").is_file() {
            packages.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    packages.sort();
    Ok(packages)
}

/// Builds the packages and tells where each one's binary is.
pub async fn build(root: &Path, packages: &[String]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let cargo = ProcessEnvironment
        .get("CARGO")
        .unwrap_or_else(|| "cargo".to_owned());
    let mut command = Command::new(&cargo);
    command
        .current_dir(root)
        .args(["build", "--message-format=json-render-diagnostics"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    // Together with this tool's own package, features unify as they did for this tool: nothing is compiled twice.
    command.args(["--package", env!("CARGO_PKG_NAME")]);
    for package in packages {
        command.args(["--package", package, "--bin", package]);
    }
    OF_THIS_TOOL.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let cannot = |error| {
        Failure::check(format_args!("cannot run {cargo}"))
            .caused_by(error)
            .cure("install Rust (https://rustup.rs), open a new terminal and run again")
    };
    let mut running = Group::spawn(&mut command).map_err(cannot)?;
    let mut binaries = BTreeMap::new();
    if let Some(output) = running.0.stdout.take() {
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await.map_err(cannot)? {
            binaries.extend(binary(&line));
        }
    }
    if running.0.wait().await.map_err(cannot)?.success() {
        return Ok(binaries);
    }
    let version = Command::new(&cargo)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await;
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    Err(Failure::check("the functions were not built").cure(cure(&version.unwrap_or_default())))
}

/// What `cargo run` tells the tool about itself. Build scripts that ask for it would take the functions for another
/// package's, and everything that depends on them would be compiled anew.
const OF_THIS_TOOL: [&str; 18] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
    "OUT_DIR",
];

#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The binary that a line of cargo's messages tells of.
fn binary(line: &str) -> Option<(String, PathBuf)> {
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact" {
        return None;
    }
    Some((message.target?.name, message.executable?))
}

/// What helps after a failed build with this cargo.
fn cure(version: &str) -> String {
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    match (release(version.split(' ').nth(1).unwrap_or_default()), release(oldest)) {
        (Some(found), Some(needed)) if found < needed => format!(
            "Rust {}.{} is too old, {oldest} or newer is needed: rustup update stable",
            found.0, found.1
        ),
        _ => "cargo's messages above say why; correct it and run again (a package that cannot be downloaded: check the network)"
            .to_owned(),
    }
}

/// Major and minor version.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn unreadable(folder: &Path, error: io::Error) -> Failure {
    Failure::check(format_args!("cannot read {}", folder.display()))
        .caused_by(error)
        .cure("run in the project's folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_binaries_in_cargos_messages() {
        for (line, expected) in [
            (
                r#"{"reason":"compiler-artifact","target":{"name":"sns-alerter","kind":["bin"]},"executable":"/t/sns-alerter","fresh":true}"#,
                Some(("sns-alerter", "/t/sns-alerter")),
            ),
            (
                r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}"#,
                None,
            ),
            (r#"{"reason":"build-finished","success":true}"#, None),
            ("warning: unused", None),
        ] {
            let expected = expected.map(|(name, path)| (name.to_owned(), PathBuf::from(path)));
            assert_eq!(binary(line), expected, "{line}");
        }
    }

    #[test]
    fn an_old_rust_is_told_apart_from_a_broken_build() {
        assert!(cure("cargo 1.80.1 (376290515 2024-07-16)").starts_with("Rust 1.80 is too old, "));
        for version in ["cargo 99.0.0 (x 2030-01-01)", "", "cargo"] {
            assert!(cure(version).starts_with("cargo's messages"), "{version}");
        }
    }

    #[test]
    fn the_projects_functions_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let packages = packages(&root).unwrap();
        assert!(packages.contains(&"quality-evaluator".to_owned()));
        assert!(packages.is_sorted());
    }
}
