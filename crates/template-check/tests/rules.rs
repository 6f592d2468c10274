//! Every rule has a template with its fault, which gives this finding at the marked line and no other, and one without,
//! which gives none. A new rule needs its folder under `templates/` and no code here.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use template_check::{Finding, Manifest, RULES, check};

/// Marks a line at which a finding is expected.
const MARK: &str = "# here";

fn templates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn findings(path: &Path) -> Vec<Finding> {
    let manifest = read(&templates().join("manifest.json")).unwrap();
    let manifest: Manifest = serde_json::from_str(&manifest).unwrap();
    check(path, &read, Some(&manifest)).unwrap()
}

#[test]
fn a_template_with_the_fault_gives_the_finding_and_no_other() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let path = templates().join(rule.id).join("bad.yaml");
        let text = read(&path).unwrap();
        let marked = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(MARK));
        let expected: BTreeSet<(usize, &str)> = marked.map(|(n, _)| (n + 1, rule.id)).collect();
        let findings = findings(&path);
        let found: BTreeSet<_> = findings.iter().map(|it| (it.line, it.rule)).collect();
        if expected.is_empty() || found != expected {
            wrong.push(format!(
                "{}: expected {expected:?}, found {findings:#?}",
                rule.id
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_template_without_the_fault_gives_none() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let findings = findings(&templates().join(rule.id).join("good.yaml"));
        if !findings.is_empty() {
            wrong.push(format!("{}: {findings:#?}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_documented_and_has_its_own_name() {
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted, "by id, each once");
    for rule in RULES {
        assert!(
            rule.source.starts_with("https://docs.aws.amazon.com/"),
            "{}",
            rule.id
        );
        assert!(
            !rule.happens.is_empty() && !rule.cure.is_empty(),
            "{}",
            rule.id
        );
    }
    let folders = std::fs::read_dir(templates()).unwrap().map(Result::unwrap);
    let folders = folders.filter(|entry| entry.path().is_dir());
    for folder in folders.map(|entry| entry.file_name().into_string().unwrap()) {
        assert!(ids.contains(&folder.as_str()), "no rule {folder}");
    }
}
