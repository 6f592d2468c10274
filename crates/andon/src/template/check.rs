//! `andon template check`: what a template will do in production, told before it is there.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use template_check::{Finding, Manifest, check, output};

use super::files;
use crate::failure::Failure;
use crate::input::unreadable;

/// Check templates against what the services demand, and against the code
///
/// Reads CloudFormation (YAML, JSON) and SAM, with nested templates, conditions both ways. Every finding has its place,
/// what will happen in production, and the cure. What only the deployment can tell is no finding. A finding that is
/// accepted is excepted beside the resource, with the reason: `Metadata: {Andon: {Exceptions: {RULE: REASON}}}`.
#[derive(Args, Clone, Debug)]
pub struct Check {
    /// Templates, or directories with templates
    #[arg(value_name = "PATH", default_value = "infra")]
    paths: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// Print SARIF 2.1.0, as code hosts and editors read it
    #[arg(long)]
    sarif: bool,
    /// Hold the templates against Andon's functions too: variables, actions, metrics, answers
    #[cfg(feature = "aws")]
    #[arg(long, conflicts_with = "manifest")]
    against_code: bool,
    /// Hold the templates against the functions that this JSON file describes
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Print the rules instead: what happens, the cure, the page that says so
    #[arg(long, exclusive = true)]
    rules: bool,
}

impl Check {
    /// Checks every template, then fails if there is a finding.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        if self.rules {
            return rules(out);
        }
        let code = self.code()?;
        let templates = files::templates(&self.paths)?;
        let mut findings: Vec<Finding> = Vec::new();
        for template in &templates {
            let found = check(template, &files::read, code.as_ref());
            let found = found.map_err(|bad| Failure::input("not a template").caused_by(bad))?;
            // Templates that several roots nest are told of once.
            findings.extend(
                found
                    .into_iter()
                    .filter(|it| !findings.contains(it))
                    .collect::<Vec<_>>(),
            );
        }
        match (self.json, self.sarif) {
            (true, _) => writeln!(out, "{}", output::json(&findings))?,
            (_, true) => writeln!(out, "{:#}", output::sarif(&findings))?,
            _ => write!(out, "{}", output::text(&findings))?,
        }
        match findings.len() {
            0 => {
                let names: Vec<_> = templates
                    .iter()
                    .map(|it| it.display().to_string())
                    .collect();
                writeln!(notes, "in order: {}", names.join(", "))?;
                Ok(())
            }
            1 => Err(Failure::check("1 finding")),
            n => Err(Failure::check(format!("{n} findings"))),
        }
    }

    fn code(&self) -> Result<Option<Manifest>, Failure> {
        #[cfg(feature = "aws")]
        if self.against_code {
            return Ok(Some(super::code::manifest()));
        }
        let Some(path) = &self.manifest else {
            return Ok(None);
        };
        let text = files::read(path).map_err(|error| unreadable(path, error))?;
        let manifest = serde_json::from_str(&text);
        manifest.map(Some).map_err(|error| {
            Failure::input(path.display())
                .caused_by(error)
                .cure("crates/template-check/src/manifest.rs tells what a manifest holds")
        })
    }
}

fn rules(out: &mut impl Write) -> Result<(), Failure> {
    for rule in template_check::RULES {
        let template_check::Rule {
            id,
            happens,
            cure,
            source,
            ..
        } = rule;
        writeln!(out, "{id}\n  {happens}\n  cure: {cure}\n  {source}\n")?;
    }
    Ok(())
}
