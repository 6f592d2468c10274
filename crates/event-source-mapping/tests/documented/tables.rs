//! The crate's tables hold: every rule's test exists, and every test of a rule is in a table.

use std::collections::BTreeSet;

const DOCUMENTATION: &str = include_str!("../../src/lib.rs");
const RULES: [(&str, &str); 8] = [
    ("settings", include_str!("settings.rs")),
    ("event", include_str!("event.rs")),
    ("batching", include_str!("batching.rs")),
    ("positions", include_str!("positions.rs")),
    ("parallel", include_str!("parallel.rs")),
    ("resharding", include_str!("resharding.rs")),
    ("responses", include_str!("responses.rs")),
    ("retries", include_str!("retries.rs")),
];
const MORE_RULES: [(&str, &str); 2] = [
    ("failures", include_str!("failures.rs")),
    ("choices", include_str!("choices.rs")),
];

fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (module, source) in RULES.iter().chain(&MORE_RULES) {
        for test in source.split("#[test]").skip(1) {
            let name = test
                .split_once("fn ")
                .and_then(|(_, rest)| rest.split_once('('))
                .unwrap()
                .0;
            names.insert(format!("{module}::{name}"));
        }
    }
    names
}

/// The last cell of each row, as far as it names tests.
fn named() -> Vec<String> {
    let rows = DOCUMENTATION
        .lines()
        .filter(|line| line.starts_with("//! |"));
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_tables_name_each_test_once() {
    let named = named();
    let distinct: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(distinct.len(), named.len(), "a test stands twice");
    let tests = tests();
    assert_eq!(
        tests.difference(&distinct).collect::<Vec<_>>(),
        [""; 0],
        "not in a table"
    );
    assert_eq!(
        distinct.difference(&tests).collect::<Vec<_>>(),
        [""; 0],
        "no such test"
    );
}

#[test]
fn each_documented_rule_has_a_page() {
    let (documented, _) = DOCUMENTATION.split_once("# Choices").unwrap();
    let rows = documented
        .lines()
        .filter(|line| line.starts_with("//! |") && line.contains('`'));
    for row in rows {
        let page = row.split('|').nth(2).unwrap();
        let label = page.trim().trim_start_matches('[').trim_end_matches(']');
        let target = format!("//! [{label}]: https://");
        assert!(
            DOCUMENTATION.lines().any(|line| line.starts_with(&target)),
            "{row}"
        );
    }
}
