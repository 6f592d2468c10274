//! Names that a plan takes, made from whatever the payload calls its values.

use std::collections::BTreeSet;

use control_plan::is_reserved_word;
use deunicode::deunicode;

/// Room for what makes a name unique and for `-specification`, below a plan's 64.
const MAX_CHARS: usize = 46;

/// What the summaries of charts and of the model mean something else by.
const SHADOWED: [&str; 2] = ["score", "tests"];

/// The names of one plan, in lower case, as the ids of rules will have them.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name for what stands at the end of `tokens`; with the step before it where that alone is taken.
    pub(super) fn name(&mut self, tokens: &[String]) -> String {
        let (label, _) = labelled(tokens.last().map_or("", String::as_str));
        let short = identifier(label);
        let long = || {
            let from = tokens.len().saturating_sub(2);
            identifier(&tokens[from..].join("_"))
        };
        let name = [short.clone(), long()]
            .into_iter()
            .chain((2..).map(|n| format!("{short}_{n}")))
            .find(|name| !self.0.contains(&name.to_ascii_lowercase()))
            .unwrap_or(short);
        self.0.insert(name.to_ascii_lowercase());
        name
    }
}

/// A label and the unit in brackets after it, as in `Torque [Nm]`.
pub(super) fn labelled(label: &str) -> (&str, Option<&str>) {
    let trimmed = label.trim();
    for (open, close) in [('[', ']'), ('(', ')')] {
        if let Some((name, unit)) = trimmed
            .strip_suffix(close)
            .and_then(|rest| rest.rsplit_once(open))
            && !name.trim().is_empty()
            && (1..=16).contains(&unit.trim().chars().count())
        {
            return (name.trim(), Some(unit.trim()));
        }
    }
    (trimmed, None)
}

/// Letters, digits and `_`, beginning with a letter.
fn identifier(label: &str) -> String {
    let mut name = String::new();
    for c in deunicode(label).chars().take(MAX_CHARS) {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_');
    if name.is_empty() {
        "value".to_owned()
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        let name: String = format!("value_{name}").chars().take(MAX_CHARS).collect();
        name.trim_end_matches('_').to_owned()
    } else if is_reserved_word(name) || SHADOWED.contains(&name) {
        format!("{name}_value")
    } else {
        name.to_owned()
    }
}

/// A rule's id: words in lower case joined by hyphens.
pub(super) fn rule_id(characteristic: &str, kind: &str) -> String {
    let words: Vec<String> = characteristic
        .split('_')
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    format!("{}-{kind}", words.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        #[track_caller]
        fn check(label: &str, expected: &str) {
            assert_eq!(Names::default().name(&[label.to_owned()]), expected);
        }
        check("torque", "torque");
        check("Torque [Nm]", "Torque");
        check("Air temperature [K]", "Air_temperature");
        check("vibration-rms (mm/s)", "vibration_rms");
        check("3rd axis", "value_3rd_axis");
        check("토크", "tokeu");
        check("für", "fur");
        check("max", "max_value");
        check("tests", "tests_value");
        check("time", "time_value");
        check("", "value");
        check("%%%", "value");
        check(&"x".repeat(300), &"x".repeat(46));
        check(&"3".repeat(300), &format!("value_{}", "3".repeat(40)));
    }

    #[test]
    fn names_are_unique() {
        let mut names = Names::default();
        let tokens = |pointer: &str| pointer.split('/').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names.name(&tokens("left/force")), "force");
        assert_eq!(names.name(&tokens("right/force")), "right_force");
        assert_eq!(names.name(&tokens("right force")), "right_force_2");
        assert_eq!(names.name(&tokens("Force")), "Force_2");
        assert_eq!(names.name(&tokens("T")), "T");
        assert_eq!(names.name(&tokens("t")), "t_2");
    }

    #[test]
    fn units_stand_in_brackets() {
        assert_eq!(labelled("Torque [Nm]"), ("Torque", Some("Nm")));
        assert_eq!(labelled("speed (rpm)"), ("speed", Some("rpm")));
        assert_eq!(labelled("[Nm]"), ("[Nm]", None));
        assert_eq!(labelled("torque"), ("torque", None));
    }

    #[test]
    fn rule_ids_are_words_joined_by_hyphens() {
        assert_eq!(rule_id("Air_temperature", "stuck"), "air-temperature-stuck");
        assert_eq!(rule_id("x__y", "chart"), "x-y-chart");
    }
}
