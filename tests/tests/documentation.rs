//! The README says what the code does.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fmt::Write;
use std::path::Path;

use lambda_function::Settings;
use lambda_function::config::Variable;

const FUNCTIONS: [(&str, &[Variable]); 6] = [
    ("all functions", Settings::VARIABLES),
    ("quality-evaluator", quality_evaluator::config::VARIABLES),
    ("dynamodb-writer", dynamodb_writer::config::VARIABLES),
    ("sns-alerter", sns_alerter::config::VARIABLES),
    ("sagemaker-caller", sagemaker_caller::config::VARIABLES),
    (
        "firehose-transformer",
        firehose_transformer::config::VARIABLES,
    ),
];

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The table as it has to stand in the README.
fn configuration() -> String {
    let mut table = "| variable | default | |\n| --- | --- | --- |\n".to_owned();
    for (function, variables) in FUNCTIONS {
        writeln!(table, "| **{function}** | | |").unwrap();
        for Variable {
            name,
            default,
            meaning,
            ..
        } in variables
        {
            let default = default.map_or("required".to_owned(), |default| format!("`{default}`"));
            writeln!(table, "| `{name}` | {default} | {meaning} |").unwrap();
        }
    }
    table
}

#[test]
fn the_configuration_table_lists_what_the_functions_read() {
    let table = configuration();
    assert!(
        readme().contains(&table),
        "the README's table should read:\n\n{table}"
    );
}

/// Every Rust source in `folder` and below.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap();
    let texts = entries.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path)
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            std::fs::read_to_string(path).unwrap()
        } else {
            String::new()
        }
    });
    texts.collect()
}

#[test]
fn every_test_that_the_readme_names_exists() {
    let sources = sources(&root().join("tests/tests"));
    let readme = readme();
    let rows = readme
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches(" | ").count() == 2);
    let named: Vec<_> = rows
        .filter_map(|row| row.rsplit(" | ").next()?.strip_suffix(" |"))
        .flat_map(|cell| cell.split(", "))
        .filter_map(|name| name.strip_prefix('`')?.strip_suffix('`'))
        .filter(|name| name.matches('_').count() > 3)
        .collect();
    assert!(named.len() >= 8, "{named:?}");
    for name in named {
        assert!(sources.contains(&format!("fn {name}()")), "no test {name}");
    }
}

#[test]
fn every_file_that_the_readme_links_to_exists() {
    let readme = readme();
    let links = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let files: Vec<_> = links.filter(|link| !link.starts_with("http")).collect();
    assert!(files.len() >= 4, "{files:?}");
    for link in files {
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let text = std::fs::read_to_string(root().join(file));
        assert!(root().join(file).exists(), "{link}");
        assert!(
            heading.is_empty() || text.unwrap().lines().any(|line| anchor(line) == heading),
            "no heading of {link}"
        );
    }
}

/// A heading as a link's end names it: small letters, hyphens for spaces, no other signs.
fn anchor(line: &str) -> String {
    let heading = line.strip_prefix('#').unwrap_or_default();
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = |letter: &char| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter);
    heading
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// What the template sets for a function: the names under its `Variables:`.
fn deployed(template: &str, function: &str) -> Vec<String> {
    let code = format!("target/lambda/{function}/bootstrap.zip");
    let function = template.split(&code).nth(1).unwrap();
    let mut lines = function
        .lines()
        .skip_while(|line| line.trim() != "Variables:");
    let indent = |line: &str| line.len() - line.trim_start().len();
    let depth = indent(lines.next().unwrap());
    let variables = lines.take_while(|line| indent(line) > depth);
    variables
        .filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned()))
        .collect()
}

#[test]
fn the_template_sets_what_is_required_and_nothing_that_nobody_reads() {
    let template = std::fs::read_to_string(root().join("infra/functions.yaml")).unwrap();
    for (function, variables) in &FUNCTIONS[1..4] {
        let deployed = deployed(&template, function);
        for name in &deployed {
            assert!(
                variables.iter().any(|variable| variable.name == name),
                "{function} reads no {name}"
            );
        }
        for variable in variables
            .iter()
            .filter(|variable| variable.default.is_none())
        {
            assert!(
                deployed.iter().any(|name| name == variable.name),
                "{function} lacks {}",
                variable.name
            );
        }
    }
}
