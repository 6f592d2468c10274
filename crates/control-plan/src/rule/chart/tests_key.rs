//! `tests`: the name of a group, or a list of single tests.

use control_chart::{ChartKind, Test, Tests};

use super::keys::with_article;
use crate::check::Check;
use crate::check::nearest::hint;
use crate::check::yaml::{Kind, Node};

/// The groups of tests.
pub(crate) const GROUPS: [&str; 3] = ["limits", "western-electric", "nelson"];

/// The tests that a chart of this kind runs, if `node` names such.
pub(super) fn parse(check: &mut Check<'_>, node: &Node, kind: ChartKind) -> Option<Tests> {
    let Kind::Sequence(items) = &node.kind else {
        if let Kind::Mapping(_) = &node.kind {
            check.fault(
                &(node.span.start..node.span.start),
                "tests is a group of tests or a list of single ones",
            );
            return None;
        }
        let text = check.text(node, "tests")?;
        return match text {
            "limits" => Some(Tests::limits(kind)),
            "western-electric" => Some(Tests::western_electric(kind)),
            "nelson" => Some(Tests::nelson(kind)),
            _ => {
                let why = match single(text) {
                    Some(_) => format!("; a list names single tests: [{text}]"),
                    None => hint(text, GROUPS),
                };
                check.fault(&node.span, format!("unknown group of tests `{text}`{why}"));
                None
            }
        };
    };
    let mut found = Tests::default();
    let mut is_sound = true;
    for item in items {
        let Some(text) = check.text(item, "a test") else {
            is_sound = false;
            continue;
        };
        let problem = match single(text) {
            Some(test) if is_of_another_chart(test, kind) => Some(format!(
                "{} chart has no second chart for `{text}`",
                with_article(kind.as_str())
            )),
            Some(test) if found.contains(test) => Some(format!("`{text}` is named twice")),
            Some(test) => {
                found.insert(test);
                None
            }
            None if GROUPS.contains(&text) => Some(format!(
                "`{text}` is a group of tests; write `tests: {text}`"
            )),
            None => Some(format!(
                "unknown test `{text}`{}",
                hint(text, Test::ALL.map(Test::as_str))
            )),
        };
        if let Some(problem) = problem {
            check.fault(&item.span, problem);
            is_sound = false;
        }
    }
    if items.is_empty() {
        check.fault(
            &(node.span.start..node.span.start),
            "tests names at least one test",
        );
        return None;
    }
    is_sound.then_some(found)
}

fn single(name: &str) -> Option<Test> {
    Test::ALL.into_iter().find(|test| test.as_str() == name)
}

/// Whether the test is of a second chart that this kind does not have.
fn is_of_another_chart(test: Test, kind: ChartKind) -> bool {
    let is_of_second = matches!(
        test,
        Test::MovingRangeBeyondLimits
            | Test::RangeBeyondLimits
            | Test::StandardDeviationBeyondLimits
    );
    is_of_second && !Tests::limits(kind).contains(test)
}
