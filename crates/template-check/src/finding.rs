//! What a rule has found, and where.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::deployment::Resource;
use crate::place::{Files, Place};
use crate::rule::Rule;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// The file, as it was asked for.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The resource, by its logical id; below nested stacks with theirs before it.
    pub resource: String,
    /// What is there, and what will happen in production.
    pub message: String,
    /// What to write instead.
    pub cure: &'static str,
    #[serde(skip)]
    pub(crate) owner: String,
    #[serde(skip)]
    pub(crate) excerpt: String,
}

/// Gathers findings: each rule, place and resource once, whatever the world.
pub(crate) struct Report<'a> {
    files: &'a Files,
    rule: &'static Rule,
    seen: BTreeSet<(&'static str, Place, String)>,
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(files: &'a Files, rule: &'static Rule) -> Self {
        Self {
            files,
            rule,
            seen: BTreeSet::new(),
            findings: Vec::new(),
        }
    }

    /// What follows is this rule's.
    pub(crate) fn by(&mut self, rule: &'static Rule) -> &mut Self {
        self.rule = rule;
        self
    }

    /// `what` is there at `place`; what comes of it, the rule says.
    pub(crate) fn add(&mut self, place: Place, resource: &Resource, what: &str) {
        self.add_for(place, &resource.id, &resource.owner, what);
    }

    pub(crate) fn add_for(&mut self, place: Place, resource: &str, owner: &str, what: &str) {
        // A template that is nested twice is told of once.
        if !self.seen.insert((self.rule.id, place, what.to_owned())) {
            return;
        }
        let text = self.files.text(place.file);
        self.findings.push(Finding {
            rule: self.rule.id,
            file: self.files.name(place.file).to_owned(),
            line: place.line,
            column: place.column,
            resource: resource.to_owned(),
            message: format!("{what}: {}", self.rule.happens),
            cure: self.rule.cure,
            owner: owner.to_owned(),
            excerpt: text
                .lines()
                .nth(place.line - 1)
                .unwrap_or_default()
                .to_owned(),
        });
    }
}
