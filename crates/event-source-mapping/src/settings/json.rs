//! One mapping as `ListEventSourceMappings` describes it, into [`Settings`]. Every fault is told, not the first alone.

use serde::Deserialize;
use serde_json::Value;

use super::{Destination, Faults, InvalidSettings, Settings, StartingPosition};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    enabled: Option<bool>,
    state: Option<String>,
    batch_size: Option<i64>,
    maximum_batching_window_in_seconds: Option<i64>,
    parallelization_factor: Option<i64>,
    starting_position: Option<String>,
    starting_position_timestamp: Option<Value>,
    maximum_retry_attempts: Option<i64>,
    maximum_record_age_in_seconds: Option<i64>,
    bisect_batch_on_function_error: Option<bool>,
    function_response_types: Option<Vec<String>>,
    destination_config: Option<DestinationConfig>,
    tumbling_window_in_seconds: Option<i64>,
    filter_criteria: Option<FilterCriteria>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationConfig {
    on_failure: Option<OneDestination>,
    on_success: Option<OneDestination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneDestination {
    destination: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterCriteria {
    filters: Option<Vec<Filter>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    pattern: Option<String>,
}

pub(super) fn read(mapping: &str) -> Result<Settings, InvalidSettings> {
    let mut faults = Faults::default();
    let described: Described = match serde_json::from_str(mapping) {
        Ok(described) => described,
        Err(error) => {
            faults.add("mapping", error.to_string());
            return faults.result(Settings::default());
        }
    };
    let default = Settings::default();
    let settings = Settings {
        enabled: described.enabled.unwrap_or(!matches!(
            described.state.as_deref(),
            Some("Disabled" | "Disabling")
        )),
        batch_size: number(
            &mut faults,
            "BatchSize",
            described.batch_size,
            default.batch_size,
        ),
        batching_window_s: number(
            &mut faults,
            "MaximumBatchingWindowInSeconds",
            described.maximum_batching_window_in_seconds,
            default.batching_window_s,
        ),
        parallelization_factor: number(
            &mut faults,
            "ParallelizationFactor",
            described.parallelization_factor,
            default.parallelization_factor,
        ),
        starting_position: starting_position(
            &mut faults,
            described.starting_position.as_deref(),
            described.starting_position_timestamp.as_ref(),
        ),
        maximum_retry_attempts: limit(
            &mut faults,
            "MaximumRetryAttempts",
            described.maximum_retry_attempts,
        ),
        maximum_record_age_s: limit(
            &mut faults,
            "MaximumRecordAgeInSeconds",
            described.maximum_record_age_in_seconds,
        ),
        bisect_batch_on_function_error: described
            .bisect_batch_on_function_error
            .unwrap_or_default(),
        report_batch_item_failures: response_types(&mut faults, described.function_response_types),
        on_failure: on_failure(&mut faults, described.destination_config),
        tumbling_window_s: number(
            &mut faults,
            "TumblingWindowInSeconds",
            described.tumbling_window_in_seconds,
            0,
        ),
        filters: described
            .filter_criteria
            .and_then(|criteria| criteria.filters)
            .unwrap_or_default()
            .into_iter()
            .map(|filter| filter.pattern.unwrap_or_default())
            .collect(),
    };
    if let Err(more) = settings.check() {
        faults.0.extend(more.faults);
    }
    faults.result(settings)
}

/// A number that cannot be negative; where it is, a number that is in range stands in, so that it is told once.
fn number(faults: &mut Faults, setting: &'static str, value: Option<i64>, default: u32) -> u32 {
    value.map_or(default, |value| {
        u32::try_from(value).unwrap_or_else(|_| {
            faults.add(setting, format!("{value} is out of range"));
            default
        })
    })
}

/// A limit, of which -1 is none.
fn limit(faults: &mut Faults, setting: &'static str, value: Option<i64>) -> Option<u32> {
    let value = value.filter(|value| *value != -1)?;
    u32::try_from(value)
        .map_err(|_| {
            faults.add(
                setting,
                format!("{value} is out of range; -1 is without limit"),
            )
        })
        .ok()
}

fn starting_position(
    faults: &mut Faults,
    position: Option<&str>,
    timestamp: Option<&Value>,
) -> StartingPosition {
    match position {
        Some("TRIM_HORIZON") => StartingPosition::TrimHorizon,
        Some("LATEST") => StartingPosition::Latest,
        Some("AT_TIMESTAMP") => match timestamp.and_then(milliseconds) {
            Some(ms) => StartingPosition::AtTimestamp(ms),
            None => {
                let problem = "AT_TIMESTAMP needs a time in Unix seconds or RFC 3339";
                faults.add("StartingPositionTimestamp", problem);
                StartingPosition::TrimHorizon
            }
        },
        other => {
            let given = other.unwrap_or("nothing");
            faults.add(
                "StartingPosition",
                format!("{given} is none of TRIM_HORIZON, LATEST, AT_TIMESTAMP"),
            );
            StartingPosition::TrimHorizon
        }
    }
}

/// The API answers Unix seconds, the command line RFC 3339.
fn milliseconds(timestamp: &Value) -> Option<i64> {
    match timestamp {
        Value::Number(seconds) => {
            let ms = (seconds.as_f64()? * 1000.0).round();
            // Kinesis' own times lie far inside the integers that a double holds exactly.
            (ms.abs() < 9e15).then_some(ms as i64)
        }
        Value::String(text) => Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()),
        _ => None,
    }
}

fn response_types(faults: &mut Faults, types: Option<Vec<String>>) -> bool {
    let types = types.unwrap_or_default();
    for unknown in types
        .iter()
        .filter(|name| *name != "ReportBatchItemFailures")
    {
        faults.add(
            "FunctionResponseTypes",
            format!("{unknown} is not ReportBatchItemFailures"),
        );
    }
    !types.is_empty()
}

fn on_failure(faults: &mut Faults, config: Option<DestinationConfig>) -> Option<Destination> {
    let config = config?;
    let named = |one: Option<OneDestination>| one?.destination.filter(|arn| !arn.is_empty());
    if named(config.on_success).is_some() {
        faults.add(
            "DestinationConfig",
            "a stream's mapping has a destination for failures only",
        );
    }
    let arn = named(config.on_failure)?;
    let destination = Destination::from_arn(&arn);
    if destination.is_none() {
        faults.add(
            "DestinationConfig",
            format!("{arn} is no standard queue, standard topic or bucket"),
        );
    }
    destination
}
