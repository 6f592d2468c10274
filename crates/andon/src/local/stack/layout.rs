//! The files of a deployment, laid out as `aws cloudformation package` finds them in the project: templates in `infra/`,
//! each function's zip at `target/lambda/<package>/bootstrap.zip` beside it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::fs;
use tokio::process::Command;

use super::StackError;
use crate::local::python::{neutral_environment, tail};

/// A deployment's files.
#[derive(Debug)]
pub(super) struct Layout {
    /// The root template.
    pub template: PathBuf,
    /// Where the packaged one goes.
    pub packaged: PathBuf,
    /// The functions' packages, as the templates name them.
    pub packages: BTreeSet<String>,
}

impl Layout {
    /// Copies the templates and puts a zip for every function that they name. Whatever was there goes.
    pub async fn make(templates: &Path, folder: &Path, python: &Path) -> Result<Self, StackError> {
        let root = folder.join("deploy");
        match fs::remove_dir_all(&root).await {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(refused("remove", &root, source));
            }
            _ => {}
        }
        let packages = copy_templates(templates, &root.join("infra")).await?;
        let zip = note(&root, python).await?;
        for package in &packages {
            let home = root.join("target").join("lambda").join(package);
            create_folder(&home).await?;
            copy(&zip, &home.join("bootstrap.zip")).await?;
        }
        Ok(Self {
            template: root.join("infra").join("template.yaml"),
            packaged: root.join("packaged.yaml"),
            packages,
        })
    }
}

const NOTE: &str = "The code of this function is hosted by `andon local` itself.\n";

/// Every `*.yaml` directly in `from`; the packages that they name.
async fn copy_templates(from: &Path, to: &Path) -> Result<BTreeSet<String>, StackError> {
    create_folder(to).await?;
    let mut packages = BTreeSet::new();
    let mut entries = fs::read_dir(from)
        .await
        .map_err(|source| refused("read", from, source))?;
    while let Some(entry) = entries
        .next_entry()
        .await
        .map_err(|source| refused("read", from, source))?
    {
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let text = fs::read_to_string(&path)
                .await
                .map_err(|source| refused("read", &path, source))?;
            packages.extend(packages_in(&text).map(str::to_owned));
            copy(&path, &to.join(entry.file_name())).await?;
        }
    }
    Ok(packages)
}

/// The packages whose zip a template names, `../target/lambda/<package>/bootstrap.zip`.
fn packages_in(template: &str) -> impl Iterator<Item = &str> {
    template
        .split("../target/lambda/")
        .skip(1)
        .filter_map(|rest| {
            let (package, file) = rest.split_once('/')?;
            file.starts_with("bootstrap.zip").then_some(package)
        })
}

/// A zip with the note alone; Lambda takes nothing but a zip.
async fn note(root: &Path, python: &Path) -> Result<PathBuf, StackError> {
    let (text, zip) = (root.join("HOSTED-LOCALLY.txt"), root.join("note.zip"));
    fs::write(&text, NOTE)
        .await
        .map_err(|source| refused("write", &text, source))?;
    let output = Command::new(python)
        .args(["-I", "-m", "zipfile", "-c"])
        .args([&zip, &text])
        .env_clear()
        .envs(neutral_environment())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| refused("write", &zip, source))?;
    if output.status.success() {
        return Ok(zip);
    }
    Err(refused(
        "write",
        &zip,
        io::Error::other(tail(&String::from_utf8_lossy(&output.stderr), 3)),
    ))
}

async fn create_folder(path: &Path) -> Result<(), StackError> {
    fs::create_dir_all(path)
        .await
        .map_err(|source| refused("create", path, source))
}

async fn copy(from: &Path, to: &Path) -> Result<(), StackError> {
    fs::copy(from, to)
        .await
        .map(|_| ())
        .map_err(|source| refused("write", to, source))
}

fn refused(what: &str, path: &Path, source: io::Error) -> StackError {
    StackError::Io {
        what: format!("{what} {}", path.display()),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_packages_that_a_template_names() {
        for (template, expected) in [
            (
                "Code: ../target/lambda/sns-alerter/bootstrap.zip\n",
                vec!["sns-alerter"],
            ),
            (
                "Code: ../target/lambda/a/bootstrap.zip\nCode: '../target/lambda/b/bootstrap.zip'\n",
                vec!["a", "b"],
            ),
            (
                "Code: ../target/lambda/a/other.zip\n# ../target/lambda/\n",
                vec![],
            ),
            ("", vec![]),
        ] {
            assert_eq!(
                packages_in(template).collect::<Vec<_>>(),
                expected,
                "{template:?}"
            );
        }
    }

    #[tokio::test]
    async fn copies_templates_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (
            folder.path().join("infra"),
            folder.path().join("deploy/infra"),
        );
        std::fs::create_dir_all(from.join("plans")).unwrap();
        for (name, text) in [
            ("template.yaml", "Resources: {}"),
            (
                "functions.yaml",
                "Code: ../target/lambda/sns-alerter/bootstrap.zip",
            ),
            ("README.md", "Code: ../target/lambda/read-me/bootstrap.zip"),
            ("plans/press-line.yaml", "version: 1"),
        ] {
            std::fs::write(from.join(name), text).unwrap();
        }
        let packages = copy_templates(&from, &to).await.unwrap();
        assert_eq!(packages.into_iter().collect::<Vec<_>>(), ["sns-alerter"]);
        let mut copied: Vec<_> = std::fs::read_dir(&to)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        copied.sort();
        assert_eq!(copied, ["functions.yaml", "template.yaml"]);
    }

    /// The templates of the project name the packages of its functions.
    #[tokio::test]
    async fn the_projects_templates_name_its_functions() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = tempfile::tempdir().unwrap();
        let packages = copy_templates(&project.join("infra"), folder.path())
            .await
            .unwrap();
        assert!(!packages.is_empty());
        for package in packages {
            assert!(
                project
                    .join("functions")
                    .join(&package)
                    .join("Cargo.toml")
                    .is_file(),
                "{package}"
            );
        }
    }
}
