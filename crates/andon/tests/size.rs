//! `andon size` as a user or a script runs it, and the page of `infra/README.md` that quotes it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andon"));
    let command = command.current_dir(folder).arg("size").args(arguments);
    command.output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = run(Path::new("."), &[arguments, &["--json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn exit_codes_tell_too_much_from_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("load.yaml", "machines: 50\nlines: 3\n");
    write("typo.yaml", "machines: 50\nlins: 3\n");
    write(
        "huge.json",
        r#"{"readings_per_second": 100000, "provisioned": true, "reading_shards": 2}"#,
    );
    write("prices.json", "{}");
    for (arguments, code, stderr) in [
        (&[][..], 0, ""),
        (&["--load", "load.yaml"], 0, ""),
        (&["--inputs"], 0, ""),
        (&["--default-prices"], 0, ""),
        (
            &["--load", "huge.json"],
            1,
            "too low for the busiest minute",
        ),
        (
            &["--load", "typo.yaml"],
            2,
            "typo.yaml:2:1: unknown input `lins`\n  did you mean `lines`?",
        ),
        (&["--load", "none.yaml"], 2, "none.yaml"),
        (
            &["--machines", "0"],
            2,
            "--machines: machines: 0 is out of range\n  1 to 10000000 machines",
        ),
        (
            &["--set", "peak"],
            2,
            "--set peak: no `=`\n  --set NAME=NUMBER",
        ),
        (
            &["--set", "peak=x"],
            2,
            "--set: peak is a number of times, not `x`",
        ),
        (
            &["--prices", "prices.json"],
            2,
            "prices.json: not a price list",
        ),
    ] {
        let output = run(folder.path(), arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(stderr), "{arguments:?}: {errors}");
    }
}

#[test]
fn flags_and_files_and_prices_of_ones_own_count() {
    let folder = tempfile::tempdir().unwrap();
    let list = run(folder.path(), &["--default-prices"]).stdout;
    let list = String::from_utf8(list)
        .unwrap()
        .replace("us-east-1", "eu-central-1");
    std::fs::write(folder.path().join("prices.json"), list).unwrap();
    std::fs::write(folder.path().join("load.yaml"), "machines: 50\nlines: 3\n").unwrap();
    let arguments = [
        "--load",
        "load.yaml",
        "--machines",
        "60",
        "--prices",
        "prices.json",
        "--json",
    ];
    let output = run(folder.path(), &arguments);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["load"]["machines"], 60.0);
    assert_eq!(answer["load"]["lines"], 3.0);
    assert_eq!(answer["prices"]["region"], "eu-central-1");
}

#[test]
fn people_read_what_breaks_first_and_what_it_costs() {
    let output = run(Path::new("."), &["--readings-per-second", "1000000"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "readings_per_second            1,000,000 readings/s",
        "quality-evaluator",
        "assuming",
        "what breaks first",
        "TOO MUCH",
        "a quota to raise",
        "cost of a month, USD (us-east-1, prices of ",
        "together: ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let inputs = run(Path::new("."), &["--inputs"]).stdout;
    let inputs = String::from_utf8(inputs).unwrap();
    assert!(
        inputs.contains("CoolDownSeconds of the template"),
        "{inputs}"
    );
}

/// The rows of the page's table, and where the answer has each.
const ROWS: &[(&str, &str, &str)] = &[
    ("shards of the readings stream", "readings stream", ""),
    ("readings stream, MB/s", "readings stream", "bytes"),
    (
        "evaluator: records of a batch",
        "quality-evaluator",
        "batch",
    ),
    ("… duration, ms", "quality-evaluator", "duration"),
    ("… at once", "quality-evaluator", "concurrency"),
    ("… judged after, ms", "quality-evaluator", "latency"),
    ("state table: write units/s", "tables", "state writes"),
    ("alerts/s", "topics", "alerts"),
    ("lake, a month, GB", "lake", "stored in a month"),
];

fn cells(answer: &Value) -> Vec<(String, String)> {
    let figure = |part: &str, name: &str| {
        let parts = answer["parts"].as_array().unwrap();
        let part = parts.iter().find(|it| it["name"] == part).unwrap();
        let figures = part["figures"].as_array().unwrap();
        figures.iter().find(|it| it["name"] == name).unwrap()["value"]
            .as_f64()
            .unwrap()
    };
    let mut cells: Vec<(String, String)> = ROWS
        .iter()
        .map(|(row, part, name)| {
            let name = match (*name, answer["load"]["provisioned"] == 1.0) {
                ("", true) => "shards provisioned",
                ("", false) => "shards on demand",
                (name, _) => name,
            };
            let scale = match row.rsplit(' ').next() {
                Some("MB/s") => 1e6,
                Some("GB") => 1e9,
                _ => 1.0,
            };
            ((*row).to_owned(), number(figure(part, name) / scale))
        })
        .collect();
    let limits = answer["limits"].as_array().unwrap();
    let growth = |limit: &Value| limit["growth"].as_f64().unwrap();
    let too_much: Vec<&str> = limits
        .iter()
        .filter(|limit| growth(limit) < 1.0)
        .map(|limit| limit["name"].as_str().unwrap())
        .collect();
    let or_none = match too_much.is_empty() {
        true => "-".to_owned(),
        false => too_much.join("; "),
    };
    cells.push(("too much for the quotas".to_owned(), or_none));
    let next = limits.iter().find(|limit| growth(limit) >= 1.0).unwrap();
    let next_text = format!(
        "{} (at {} times)",
        next["name"].as_str().unwrap(),
        number(growth(next))
    );
    cells.push(("breaks next".to_owned(), next_text));
    let cost = answer["cost_per_month"].as_f64().unwrap();
    cells.push(("USD a month".to_owned(), number(cost)));
    let million = answer["load"]["readings_per_second"].as_f64().unwrap() * 730.0 * 3600.0 / 1e6;
    cells.push((
        "USD a million readings".to_owned(),
        format!("{:.3}", cost / million),
    ));
    cells
}

/// Thousands apart, and a fraction where the number is small.
fn number(value: f64) -> String {
    let text = match value {
        value if value >= 10.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    };
    let (whole, part) = text.split_once('.').map_or((text.as_str(), ""), |it| it);
    let apart: Vec<String> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|three| String::from_utf8_lossy(three).into_owned())
        .collect();
    match part.trim_end_matches('0') {
        "" => apart.join(","),
        part => format!("{}.{part}", apart.join(",")),
    }
}

/// `UPDATE_GOLDEN=1` rewrites the table.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever changes a formula asks for the page to be rewritten"
)]
fn the_page_quotes_the_command() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/README.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, section) = page.split_once("## How big\n").unwrap();
    let columns: Vec<Vec<(String, String)>> = section
        .lines()
        .filter_map(|line| line.strip_prefix("cargo andon size "))
        .map(|arguments| cells(&json(&arguments.split(' ').collect::<Vec<_>>())))
        .collect();
    assert_eq!(columns.len(), 4);
    let table: String = (0..columns[0].len())
        .map(|row| {
            let values: Vec<&str> = columns
                .iter()
                .map(|column| column[row].1.as_str())
                .collect();
            format!("| {} | {} |\n", columns[0][row].0, values.join(" | "))
        })
        .collect();
    let (head, rest) = section.split_once("|---|---|---|---|---|\n").unwrap();
    let (old, _) = rest.split_once("\n\n").unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let before = format!("{head}|---|---|---|---|---|\n{old}\n");
        let after = format!("{head}|---|---|---|---|---|\n{table}");
        std::fs::write(path, page.replace(&before, &after)).unwrap();
        return;
    }
    assert_eq!(format!("{old}\n"), table);
}

/// Which default follows which setting: template, resource or parameter, property, input.
const SETTINGS: &[(&str, &str, &str, &str)] = &[
    (
        "functions.yaml",
        "EvaluatorMapping",
        "BatchSize",
        "evaluator_batch_size",
    ),
    (
        "functions.yaml",
        "EvaluatorMapping",
        "MaximumBatchingWindowInSeconds",
        "evaluator_window_s",
    ),
    (
        "functions.yaml",
        "Evaluator",
        "MemorySize",
        "evaluator_memory_mb",
    ),
    (
        "functions.yaml",
        "WriterMapping",
        "BatchSize",
        "writer_batch_size",
    ),
    (
        "functions.yaml",
        "WriterMapping",
        "MaximumBatchingWindowInSeconds",
        "writer_window_s",
    ),
    ("functions.yaml", "Writer", "MemorySize", "writer_memory_mb"),
    (
        "functions.yaml",
        "AlerterMapping",
        "BatchSize",
        "alerter_batch_size",
    ),
    (
        "functions.yaml",
        "AlerterMapping",
        "MaximumBatchingWindowInSeconds",
        "alerter_window_s",
    ),
    (
        "functions.yaml",
        "Alerter",
        "MemorySize",
        "alerter_memory_mb",
    ),
    (
        "inference.yaml",
        "CallerMapping",
        "BatchSize",
        "caller_batch_size",
    ),
    (
        "inference.yaml",
        "CallerMapping",
        "MaximumBatchingWindowInSeconds",
        "caller_window_s",
    ),
    (
        "inference.yaml",
        "CallerMapping",
        "ParallelizationFactor",
        "caller_parallelization",
    ),
    ("inference.yaml", "Caller", "MemorySize", "caller_memory_mb"),
    (
        "inference.yaml",
        "InvocationsPerInstance",
        "Default",
        "instance_calls_per_minute",
    ),
    (
        "lake.yaml",
        "ReadingsTransformer",
        "MemorySize",
        "transformer_memory_mb",
    ),
    ("lake.yaml", "BufferMiB", "Default", "lake_buffer_mib"),
    (
        "template.yaml",
        "RetentionHours",
        "Default",
        "retention_hours",
    ),
    ("template.yaml", "CoolDownSeconds", "Default", "cool_down_s"),
    (
        "template.yaml",
        "LakeBufferSeconds",
        "Default",
        "lake_buffer_s",
    ),
];

#[test]
fn defaults_are_those_of_the_templates() {
    let answer = json(&[]);
    for (template, resource, property, input) in SETTINGS {
        let path = format!("{}/../../infra/{template}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        // The labels of parameters stand at another depth.
        let value = text
            .lines()
            .skip_while(|line| *line != format!("  {resource}:"))
            .find_map(|line| line.trim().strip_prefix(&format!("{property}: ")))
            .unwrap_or_else(|| panic!("{template}: {resource}.{property}"));
        let value: f64 = value.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(
            answer["load"][input], value,
            "{template}: {resource}.{property}"
        );
    }
}
