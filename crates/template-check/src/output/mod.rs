//! Findings as people and as tools read them.

mod sarif;

use std::fmt::Write;

use serde_json::json;

use crate::finding::Finding;

pub use sarif::sarif;

/// For people: place, excerpt with a caret, what will happen, and the cure.
pub fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let Finding {
            rule,
            file,
            line,
            column,
            resource,
            message,
            cure,
            excerpt,
            ..
        } = finding;
        let gutter = " ".repeat(line.to_string().len());
        // The caret stands under its spot whether lines are indented with spaces or tabs.
        let indent: String = excerpt
            .chars()
            .take(column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        // Writing into a text does not fail.
        let _ = write!(
            text,
            "{file}:{line}:{column}: {rule} ({resource})\n \
             {gutter} |\n \
             {line} | {excerpt}\n \
             {gutter} | {indent}^ {message}\n \
             {gutter} = cure: {cure}\n\n"
        );
    }
    text
}

/// `{"findings": [{"rule", "file", "line", "column", "resource", "message", "cure"}]}`.
pub fn json(findings: &[Finding]) -> serde_json::Value {
    json!({ "findings": findings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding {
            rule: "bisect-off",
            file: "a.yaml".to_owned(),
            line: 12,
            column: 3,
            resource: "Mapping".to_owned(),
            message: "it is off: bad".to_owned(),
            cure: "switch it on",
            owner: "Mapping".to_owned(),
            excerpt: "  Mapping:".to_owned(),
        }
    }

    #[test]
    fn the_text_points_at_the_spot() {
        assert_eq!(
            text(&[finding()]),
            "a.yaml:12:3: bisect-off (Mapping)\n    |\n 12 |   Mapping:\n    |   ^ it is off: bad\n    = cure: switch it on\n\n"
        );
    }

    #[test]
    fn the_json_has_what_is_promised() {
        let expected = json!({"findings": [{
            "rule": "bisect-off", "file": "a.yaml", "line": 12, "column": 3, "resource": "Mapping",
            "message": "it is off: bad", "cure": "switch it on",
        }]});
        assert_eq!(json(&[finding()]), expected);
    }

    #[test]
    fn sarif_names_rule_and_region() {
        let log = sarif(&[finding()]);
        let run = &log["runs"][0];
        let result = &run["results"][0];
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(result["ruleId"], "bisect-off");
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "bisect-off");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(*region, json!({"startLine": 12, "startColumn": 3}));
    }
}
