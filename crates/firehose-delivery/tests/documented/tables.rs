//! The crate's tables hold: every rule's test exists, every test of a rule is in a table, and every rule has a page.

use std::collections::BTreeSet;

const DOCUMENTATION: &str = include_str!("../../src/lib.rs");
const RULES: [(&str, &str); 7] = [
    ("buffering", include_str!("buffering.rs")),
    ("choices", include_str!("choices.rs")),
    ("failures", include_str!("failures.rs")),
    ("partitioning", include_str!("partitioning.rs")),
    ("prefixes", include_str!("prefixes.rs")),
    ("settings", include_str!("settings.rs")),
    ("transformation", include_str!("transformation.rs")),
];

#[test]
fn the_tables_name_each_test_once() {
    let mut tests = BTreeSet::new();
    for (module, source) in RULES {
        for test in source.split("#[test]").skip(1) {
            let (_, rest) = test.split_once("fn ").unwrap();
            let (name, _) = rest.split_once('(').unwrap();
            tests.insert(format!("{module}::{name}"));
        }
    }
    let rows = DOCUMENTATION
        .lines()
        .filter(|line| line.starts_with("//! |"));
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let named: Vec<_> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let distinct: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(distinct.len(), named.len(), "a test stands twice");
    assert_eq!(tests, distinct);
}

#[test]
fn each_documented_rule_has_a_page() {
    let (documented, _) = DOCUMENTATION.split_once("# Choices").unwrap();
    let rows = documented
        .lines()
        .filter(|line| line.starts_with("//! |") && line.contains('`'));
    for row in rows {
        let label = row.split('|').nth(2).unwrap().trim();
        let target = format!("//! {label}: https://");
        assert!(
            DOCUMENTATION.lines().any(|line| line.starts_with(&target)),
            "{row}"
        );
    }
}
