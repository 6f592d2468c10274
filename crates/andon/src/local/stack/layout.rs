//! The files of a deployment, laid out as `aws cloudformation package` finds them in the project: templates in `infra/`,
//! each function's zip at `target/lambda/<package>/bootstrap.zip` beside it.
//!
//! No two zips are the same: what Lambda says of a function's code tells the package that it is built from, whatever the
//! function is called.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::process::Command;

use super::StackError;
use crate::local::python::{neutral_environment, tail};

/// A deployment's files.
#[derive(Debug)]
pub(super) struct Layout {
    /// The folder of templates.
    pub templates: PathBuf,
    /// Where the packaged one goes.
    pub packaged: PathBuf,
    /// The functions' packages, as the templates name them, by what Lambda calls `CodeSha256`.
    pub packages: BTreeMap<String, String>,
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
        let named = copy_templates(templates, &root.join("infra")).await?;
        let lambda = root.join("target").join("lambda");
        create_folder(&lambda).await?;
        zip_notes(&lambda, &named, python).await?;
        let mut packages = BTreeMap::new();
        for package in named {
            let zip = lambda.join(&package).join("bootstrap.zip");
            let bytes = fs::read(&zip)
                .await
                .map_err(|source| refused("read", &zip, source))?;
            packages.insert(code_sha256(&bytes), package);
        }
        Ok(Self {
            templates: root.join("infra"),
            packaged: root.join("packaged.yaml"),
            packages,
        })
    }
}

/// As Lambda writes it.
fn code_sha256(zip: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(Sha256::digest(zip))
}

/// A zip for each package; the time is the oldest that a zip can tell.
const ZIP: &str = "
import pathlib, sys, zipfile

for package in sys.argv[1:]:
    pathlib.Path(package).mkdir(parents=True)
    with zipfile.ZipFile(package + '/bootstrap.zip', 'w') as file:
        file.writestr(
            zipfile.ZipInfo('HOSTED-LOCALLY.txt'),
            'The code of this function, ' + package + ', is hosted by `andon local` itself.\\n',
        )
";

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

/// A zip with a note alone for each package; Lambda takes nothing but a zip.
async fn zip_notes(
    folder: &Path,
    packages: &BTreeSet<String>,
    python: &Path,
) -> Result<(), StackError> {
    let output = Command::new(python)
        .current_dir(folder)
        .args(["-I", "-c", ZIP])
        .args(packages)
        .env_clear()
        .envs(neutral_environment())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| refused("write", folder, source))?;
    if output.status.success() {
        return Ok(());
    }
    Err(refused(
        "write",
        folder,
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

    #[test]
    fn code_is_hashed_as_lambda_does() {
        assert_eq!(
            code_sha256(b""),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
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
