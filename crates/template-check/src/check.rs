//! Runs every rule over every world of a template.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::deployment::Deployment;
use crate::exception;
use crate::finding::{Finding, Report};
use crate::manifest::Manifest;
use crate::rule::Check;
use crate::rules::RULES;
use crate::stack::{BadTemplate, Read, Stacks};
use crate::world;

/// Checks a template with all that it nests; with a manifest, against the code too.
///
/// Findings come by file and line; excepted ones do not come.
///
/// # Errors
/// A template that cannot be read, the first place where that shows.
pub fn check(
    path: &Path,
    read: &Read<'_>,
    code: Option<&Manifest>,
) -> Result<Vec<Finding>, BadTemplate> {
    let stacks = Stacks::load(path, read)?;
    let Some(first) = RULES.first() else {
        return Ok(Vec::new());
    };
    let mut report = Report::new(&stacks.files, first);
    for rule in RULES {
        if let Check::Written(look) = &rule.check {
            look(&stacks, report.by(rule));
        }
    }
    for world in world::worlds(&stacks) {
        let deployment = Deployment::new(&stacks, &world);
        for rule in RULES {
            match (&rule.check, code) {
                (Check::Deployed(look), _) => look(&deployment, report.by(rule)),
                (Check::Code(look), Some(code)) => look(&deployment, code, report.by(rule)),
                _ => {}
            }
        }
    }
    exception::apply(&stacks, code.is_some(), &mut report);
    let mut findings = report.findings;
    findings.sort_by(|a, b| {
        (&a.file, a.line, a.column, a.rule).cmp(&(&b.file, b.line, b.column, b.rule))
    });
    Ok(findings)
}

/// Those of several templates that no other one nests. One that cannot be read is among them.
pub fn roots(paths: &[PathBuf], read: &Read<'_>) -> Vec<PathBuf> {
    let mut nested = BTreeSet::new();
    for path in paths {
        if let Ok(stacks) = Stacks::load(path, read) {
            let below = stacks.all.iter().skip(1);
            nested.extend(below.map(|stack| stacks.files.name(stack.root.place.file).to_owned()));
        }
    }
    let is_root = |path: &&PathBuf| !nested.contains(&path.display().to_string());
    paths.iter().filter(is_root).cloned().collect()
}
