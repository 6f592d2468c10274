//! Findings in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS).

use serde_json::{Value, json};

use crate::finding::Finding;
use crate::rules::RULES;

/// One run with every rule and the findings.
pub fn sarif(findings: &[Finding]) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": {"text": rule.id.replace('-', " ")},
                "fullDescription": {"text": rule.happens},
                "help": {"text": rule.cure},
                "helpUri": rule.source,
            })
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "andon template check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule),
        "level": "warning",
        "message": {"text": format!("{}. Cure: {}.", finding.message, finding.cure)},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": finding.file.replace('\\', "/")},
                "region": {"startLine": finding.line, "startColumn": finding.column},
            },
            "logicalLocations": [{"fullyQualifiedName": finding.resource, "kind": "resource"}],
        }],
    })
}
