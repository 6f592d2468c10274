//! The section of the file.

use std::collections::BTreeSet;

use super::{Answer, ContentType, Feature, Model, Threshold};
use crate::check::Check;
use crate::check::yaml::{Kind, Node};
use crate::expression::{Meaning, Names, Type, refuse_name};
use crate::plan::pointer_at;
use crate::reading::AttributeId;
use crate::rule::parse::{id, reaction, severity};
use crate::rule::reference::{attribute, unknown_characteristic};
use crate::rule::{summary, when};

pub(crate) const KEYS: [&str; 6] = [
    "id",
    "features",
    "request",
    "answer",
    "thresholds",
    "summary",
];
pub(crate) const FORMULA_KEYS: [&str; 2] = ["name", "formula"];
pub(crate) const ONE_HOT_KEYS: [&str; 2] = ["one_hot", "of"];
pub(crate) const ANSWER_KEYS: [&str; 3] = ["content_type", "rows", "score"];
pub(crate) const THRESHOLD_KEYS: [&str; 3] = ["score", "severity", "reaction"];

/// Most columns, and most texts of one attribute.
pub(crate) const MAX_COLUMNS: usize = 1_000;

/// Most thresholds.
pub(crate) const MAX_THRESHOLDS: usize = 10;

pub(crate) fn parse(check: &mut Check<'_>, node: &Node, names: &Names) -> Option<Model> {
    let entries = check.mapping(node, "the model", &KEYS, "")?;
    let id = entries
        .require(check, "id")
        .and_then(|node| id(check, node));
    let features = entries
        .require(check, "features")
        .and_then(|node| features(check, node, names));
    let request = match entries.get("request") {
        None => Some(ContentType::default()),
        Some(node) => check.choice(node, "content type", &ContentType::WORDS),
    };
    let answer = match entries.get("answer") {
        None => request.map(|content_type| Answer {
            content_type,
            ..Answer::default()
        }),
        Some(node) => answer(check, node, request),
    };
    let thresholds = entries
        .require(check, "thresholds")
        .and_then(|node| thresholds(check, node));
    let summary = match entries.get("summary") {
        None => Some(None),
        Some(node) => summary::parse(check, node, names, Some("score")).map(Some),
    };
    Some(Model {
        id: id?,
        features: features?,
        request: request?,
        answer: answer?,
        thresholds: thresholds?,
        summary: summary?,
    })
}

fn features(check: &mut Check<'_>, node: &Node, names: &Names) -> Option<Vec<Feature>> {
    let items = check.sequence(node, "features")?;
    let mut features = Vec::new();
    let mut columns = BTreeSet::new();
    let mut sound = true;
    for item in items.iter().take(MAX_COLUMNS + 1) {
        let Some(feature) = feature(check, item, names) else {
            sound = false;
            continue;
        };
        let name = match &feature {
            Feature::Characteristic(name, _) | Feature::Formula(name, _) => name,
            Feature::OneHot(name, ..) => name,
        };
        if !columns.insert(name.clone()) {
            check.fault(&item.span, format!("the feature `{name}` is listed twice"));
            sound = false;
        }
        features.push(feature);
    }
    let width: usize = features.iter().map(width).sum();
    if items.is_empty() || items.len() > MAX_COLUMNS || width > MAX_COLUMNS {
        check.fault(
            &(node.span.start..node.span.start),
            format!("a model has 1 to {MAX_COLUMNS} columns of features"),
        );
        sound = false;
    }
    sound.then_some(features)
}

fn width(feature: &Feature) -> usize {
    match feature {
        Feature::OneHot(_, _, texts) => texts.len(),
        _ => 1,
    }
}

fn feature(check: &mut Check<'_>, node: &Node, names: &Names) -> Option<Feature> {
    if !matches!(node.kind, Kind::Mapping(_)) {
        let name = check.text(node, "a feature")?;
        return match names.get(name) {
            Some(Meaning::Characteristic(slot)) => {
                Some(Feature::Characteristic(name.to_owned(), slot))
            }
            Some(Meaning::Faulty) => None,
            Some(Meaning::Attribute(_)) => {
                check.fault(
                    &node.span,
                    format!("`{name}` is no characteristic; an attribute is a feature as `{{one_hot: {name}, of: [...]}}`"),
                );
                None
            }
            _ => {
                unknown_characteristic(check, node, name, names);
                None
            }
        };
    }
    match check.scalar_of(node, "one_hot") {
        Some(_) => one_hot(check, node, names),
        None => formula(check, node, names),
    }
}

fn formula(check: &mut Check<'_>, node: &Node, names: &Names) -> Option<Feature> {
    let note = "; a feature is a characteristic, `{name, formula}` or `{one_hot, of}`";
    let entries = check.mapping(node, "a feature", &FORMULA_KEYS, note)?;
    let name = entries.require(check, "name").and_then(|node| {
        let name = check.text(node, "a feature's name")?;
        if let Some(reason) = refuse_name(name) {
            check.fault(&node.span, reason);
            return None;
        }
        if names.get(name).is_some() {
            check.fault(
                &node.span,
                format!(
                    "`{name}` is already defined; a feature with a formula has a name of its own"
                ),
            );
            return None;
        }
        Some(name.to_owned())
    });
    let compiled = entries
        .require(check, "formula")
        .and_then(|node| when::expression(check, node, "formula", names, Type::Number));
    Some(Feature::Formula(name?, compiled?.program))
}

fn one_hot(check: &mut Check<'_>, node: &Node, names: &Names) -> Option<Feature> {
    let entries = check.mapping(node, "a feature", &ONE_HOT_KEYS, "")?;
    let attribute = entries.require(check, "one_hot").and_then(|node| {
        let AttributeId(slot) = attribute(check, node, "one_hot", names)?;
        Some((check.text(node, "one_hot")?.to_owned(), slot))
    });
    let node = entries.require(check, "of")?;
    let items = check.sequence(node, "of")?;
    let mut texts: Vec<Box<str>> = Vec::new();
    let mut sound = true;
    for item in items.iter().take(MAX_COLUMNS) {
        match check.text(item, "a text of the attribute") {
            Some(text) if texts.iter().any(|known| **known == *text) => {
                check.fault(&item.span, format!("`{text}` is listed twice"));
                sound = false;
            }
            Some(text) => texts.push(text.into()),
            None => sound = false,
        }
    }
    if items.is_empty() || items.len() > MAX_COLUMNS {
        check.fault(
            &(node.span.start..node.span.start),
            format!("`of` lists 1 to {MAX_COLUMNS} texts"),
        );
        return None;
    }
    let (name, slot) = attribute?;
    sound.then_some(Feature::OneHot(name, slot, texts))
}

fn answer(check: &mut Check<'_>, node: &Node, request: Option<ContentType>) -> Option<Answer> {
    let entries = check.mapping(node, "the answer", &ANSWER_KEYS, "")?;
    let content_type = match entries.get("content_type") {
        None => request,
        Some(node) => check.choice(node, "content type", &ContentType::WORDS),
    };
    let rows = match entries.get("rows") {
        None => Some(Vec::new()),
        Some(node) => pointer_at(check, node),
    };
    if let (Some(entry), Some(ContentType::Csv | ContentType::JsonLines)) =
        (entries.entry("rows"), content_type)
    {
        check.fault(
            &entry.key.span,
            "`rows` belongs to answers in `application/json`; here a line is a row",
        );
        return None;
    }
    let score = match entries.get("score") {
        None => Some(Vec::new()),
        Some(node) => pointer_at(check, node),
    };
    Some(Answer {
        content_type: content_type?,
        rows: rows?,
        score: score?,
    })
}

fn thresholds(check: &mut Check<'_>, node: &Node) -> Option<Vec<Threshold>> {
    let items = check.sequence(node, "thresholds")?;
    let mut thresholds: Vec<Threshold> = Vec::new();
    let mut sound = true;
    for item in items.iter().take(MAX_THRESHOLDS) {
        let Some(threshold) = threshold(check, item) else {
            sound = false;
            continue;
        };
        if thresholds
            .last()
            .is_some_and(|before| threshold.score <= before.score)
        {
            let span = check.scalar_of(item, "score").map(|(_, span)| span);
            check.fault(
                &span.unwrap_or(item.span.clone()),
                "thresholds rise: each `score` is above the one before",
            );
            sound = false;
        }
        thresholds.push(threshold);
    }
    if items.is_empty() || items.len() > MAX_THRESHOLDS {
        check.fault(
            &(node.span.start..node.span.start),
            format!("a model has 1 to {MAX_THRESHOLDS} thresholds"),
        );
        return None;
    }
    sound.then_some(thresholds)
}

fn threshold(check: &mut Check<'_>, node: &Node) -> Option<Threshold> {
    let entries = check.mapping(node, "a threshold", &THRESHOLD_KEYS, "")?;
    let score = entries
        .require(check, "score")
        .and_then(|node| check.number(node, "score"));
    let severity = severity(check, &entries);
    let reaction = reaction(check, &entries);
    Some(Threshold {
        score: score?,
        severity: severity?,
        reaction: reaction?,
    })
}
