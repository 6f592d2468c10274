//! The embedded metric format, as CloudWatch Logs specifies it ("Specification: Embedded metric format").

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Dimensions, FUNCTION, Unit};

/// Metrics in one line; a line with more is not read.
const MAX_METRICS: usize = 100;
/// Values of one metric in one line; further ones are not read.
const MAX_VALUES: usize = 100;
/// Of a dimension's value; CloudWatch takes up to 1,024 ASCII characters and nothing else.
const MAX_VALUE_CHARS: usize = 255;

/// The lines for one set of dimensions: within the format's limits, and no measurement left out.
pub(super) fn lines(
    timestamp_ms: i64,
    namespace: &str,
    function: &str,
    dimensions: &Dimensions,
    metrics: &BTreeMap<&'static str, (Unit, Vec<f64>)>,
) -> Vec<String> {
    // Each metric in parts of at most MAX_VALUES values; the n-th parts share lines, as a line names a metric once.
    let rounds = metrics
        .values()
        .map(|(_, values)| values.len().div_ceil(MAX_VALUES))
        .max();
    let mut written = Vec::new();
    for round in 0..rounds.unwrap_or(0) {
        let parts: Vec<_> = metrics
            .iter()
            .filter_map(|(name, (unit, values))| {
                Some((*name, *unit, values.chunks(MAX_VALUES).nth(round)?))
            })
            .collect();
        for part in parts.chunks(MAX_METRICS) {
            written.push(line(timestamp_ms, namespace, function, dimensions, part));
        }
    }
    written
}

fn line(
    timestamp_ms: i64,
    namespace: &str,
    function: &str,
    dimensions: &Dimensions,
    metrics: &[(&str, Unit, &[f64])],
) -> String {
    let mut fields = Map::new();
    let names: Vec<&str> = std::iter::once(FUNCTION)
        .chain(dimensions.iter().map(|(name, _)| *name))
        .collect();
    let sets = match dimensions.is_empty() {
        true => json!([names]),
        false => json!([[FUNCTION], names]),
    };
    let declared: Vec<Value> = metrics
        .iter()
        .map(|(name, unit, _)| json!({"Name": name, "Unit": unit.as_str()}))
        .collect();
    fields.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": timestamp_ms,
            "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": sets, "Metrics": declared}],
        }),
    );
    fields.insert(FUNCTION.to_owned(), function.into());
    for (name, value) in dimensions {
        fields.insert((*name).to_owned(), value.as_str().into());
    }
    for (name, _, values) in metrics {
        let value = match values {
            [one] => json!(one),
            several => json!(several),
        };
        fields.insert((*name).to_owned(), value);
    }
    Value::Object(fields).to_string()
}

/// A value that CloudWatch accepts: ASCII, not blank, bounded.
pub(super) fn dimension_value(text: &str) -> String {
    let value: String = text
        .chars()
        .take(MAX_VALUE_CHARS)
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .collect();
    match value.trim() {
        "" => "none".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_metrics_than_a_line_takes_go_to_further_lines() {
        let names: Vec<&'static str> = (0..230)
            .map(|n| &*Box::leak(format!("Metric{n:03}").into_boxed_str()))
            .collect();
        let metrics = names
            .iter()
            .map(|name| (*name, (Unit::Count, vec![1.0])))
            .collect();
        let written: Vec<Value> = lines(0, "Andon", "f", &Vec::new(), &metrics)
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let sizes: Vec<_> = written
            .iter()
            .map(|line| {
                line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
                    .as_array()
                    .unwrap()
                    .len()
            })
            .collect();
        assert_eq!(sizes, [100, 100, 30]);
        assert_eq!(written[2]["Metric229"], json!(1.0));
    }

    #[test]
    fn dimension_values_are_what_cloudwatch_accepts() {
        for (text, expected) in [
            ("not-json", "not-json"),
            ("", "none"),
            ("  ", "none"),
            ("\u{d504}-1", "?-1"),
            ("a\nb", "a?b"),
        ] {
            assert_eq!(dimension_value(text), expected);
        }
        assert_eq!(dimension_value(&"x".repeat(2_000)).len(), MAX_VALUE_CHARS);
    }
}
