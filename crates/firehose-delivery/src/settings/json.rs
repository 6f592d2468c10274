//! One delivery stream as `DescribeDeliveryStream` describes it, into [`Settings`]. Every fault is told, not the first alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Compression, Fault, InvalidSettings, MIB, Settings, Transformation};
use crate::prefix::Prefix;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stream {
    delivery_stream_description: Option<Description>,
    destinations: Option<Vec<OneDestination>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    destinations: Vec<OneDestination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneDestination {
    #[serde(rename = "ExtendedS3DestinationDescription")]
    extended_s3: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct S3 {
    buffering_hints: Option<Hints>,
    prefix: Option<String>,
    error_output_prefix: Option<String>,
    compression_format: Option<String>,
    custom_time_zone: Option<String>,
    file_extension: Option<String>,
    dynamic_partitioning_configuration: Option<Switch>,
    data_format_conversion_configuration: Option<Switch>,
    processing_configuration: Option<Processing>,
    s3_backup_mode: Option<String>,
}

#[derive(Deserialize)]
struct Hints {
    #[serde(rename = "SizeInMBs", default, deserialize_with = "number")]
    size: Option<i64>,
    #[serde(rename = "IntervalInSeconds", default, deserialize_with = "number")]
    interval: Option<i64>,
}

/// A number, or its text: a template's parameters are texts.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrText {
        Number(i64),
        Text(String),
    }
    match Option::deserialize(deserializer)? {
        None => Ok(None),
        Some(NumberOrText::Number(number)) => Ok(Some(number)),
        Some(NumberOrText::Text(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Switch {
    enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Processing {
    enabled: Option<bool>,
    processors: Option<Vec<Processor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Processor {
    #[serde(rename = "Type")]
    kind: String,
    parameters: Option<Vec<Parameter>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    parameter_name: String,
    parameter_value: String,
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, setting: &'static str, problem: impl Into<String>) {
        self.0.push(Fault {
            setting,
            problem: problem.into(),
        });
    }

    fn range(&mut self, setting: &'static str, value: i64, least: i64, most: i64) -> i64 {
        if (least..=most).contains(&value) {
            return value;
        }
        self.add(
            setting,
            format!("{value} is not between {least} and {most}"),
        );
        least
    }

    /// A switch that has no documented default.
    fn said(&mut self, setting: &'static str, enabled: Option<bool>) -> bool {
        if enabled.is_none() {
            self.add(
                setting,
                "Enabled is left out, and nothing says what it is then: write true or false",
            );
        }
        enabled.unwrap_or(false)
    }
}

pub(super) fn read(description: &str) -> Result<Settings, InvalidSettings> {
    let mut faults = Faults::default();
    let s3 = destination(description).unwrap_or_else(|problem| {
        faults.add("Destinations", problem);
        S3::default()
    });
    let hints = s3.buffering_hints.as_ref();
    let size = hints.and_then(|hints| hints.size).unwrap_or(5);
    let interval = hints.and_then(|hints| hints.interval).unwrap_or(300);
    let partitioned = s3
        .dynamic_partitioning_configuration
        .as_ref()
        .is_some_and(|switch| faults.said("DynamicPartitioningConfiguration", switch.enabled));
    let least = if partitioned { 64 } else { 1 };
    let size = faults.range("BufferingHints.SizeInMBs", size, least, 128);
    // Partitions cannot do without a buffer.
    let shortest = i64::from(partitioned);
    let interval = faults.range("BufferingHints.IntervalInSeconds", interval, shortest, 900);
    not_reproduced(&mut faults, &s3);
    let (prefix, error_output_prefix) = prefixes(&mut faults, &s3, partitioned);
    let (transformation, append_delimiter) =
        processing(&mut faults, s3.processing_configuration.as_ref());
    if partitioned
        && transformation.is_none()
        && let Some(key) = prefix.keys().next()
    {
        let problem =
            format!("the partition key {key} comes from a function, and no Lambda processor is on");
        faults.add("Prefix", problem);
    }
    let settings = Settings {
        buffer_bytes: size as usize * MIB,
        buffer_interval_s: interval as u32,
        prefix,
        error_output_prefix,
        compression: compression(&mut faults, s3.compression_format.as_deref()),
        dynamic_partitioning: partitioned,
        transformation,
        append_delimiter,
        file_extension: file_extension(&mut faults, s3.file_extension.as_deref()),
    };
    match faults.0.is_empty() {
        true => Ok(settings),
        false => Err(InvalidSettings { faults: faults.0 }),
    }
}

fn destination(description: &str) -> Result<S3, String> {
    let value: Value = serde_json::from_str(description).map_err(|error| error.to_string())?;
    let stream: Stream =
        serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    let destinations = stream
        .delivery_stream_description
        .map(|description| description.destinations)
        .or(stream.destinations);
    let s3 = match destinations {
        None => value,
        Some(destinations) => destinations
            .into_iter()
            .find_map(|one| one.extended_s3)
            .ok_or("there is no destination ExtendedS3")?,
    };
    serde_json::from_value(s3).map_err(|error| error.to_string())
}

fn not_reproduced(faults: &mut Faults, s3: &S3) {
    // This switch is documented to be on where it is left out.
    let converted = s3.data_format_conversion_configuration.as_ref();
    if converted.is_some_and(|switch| switch.enabled.unwrap_or(true)) {
        faults.add(
            "DataFormatConversionConfiguration",
            "format conversion is not reproduced: objects hold lines of JSON",
        );
    }
    if s3
        .custom_time_zone
        .as_deref()
        .is_some_and(|zone| zone != "UTC" && !zone.is_empty())
    {
        faults.add("CustomTimeZone", "prefixes are in UTC here");
    }
    if s3.s3_backup_mode.as_deref() == Some("Enabled") {
        faults.add("S3BackupMode", "a backup of the source is not reproduced");
    }
}

fn compression(faults: &mut Faults, format: Option<&str>) -> Compression {
    match format {
        None | Some("UNCOMPRESSED") => Compression::None,
        Some("GZIP") => Compression::Gzip,
        Some(other) => {
            faults.add("CompressionFormat", format!("{other} is not reproduced"));
            Compression::None
        }
    }
}

fn file_extension(faults: &mut Faults, extension: Option<&str>) -> Option<String> {
    let extension = extension.filter(|extension| !extension.is_empty())?;
    let allowed = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || "!-_.*'()".contains(letter)
    };
    if !extension.starts_with('.') || !extension.chars().all(allowed) || extension.len() > 128 {
        faults.add(
            "FileExtension",
            format!("{extension} is not a full stop with lower-case letters, digits and !-_.*'(), 128 characters at most"),
        );
    }
    Some(extension.to_owned())
}

fn prefixes(faults: &mut Faults, s3: &S3, partitioned: bool) -> (Prefix, Prefix) {
    let mut parse = |setting, text: Option<&str>| {
        Prefix::parse(text.unwrap_or_default()).unwrap_or_else(|problem| {
            faults.add(setting, problem);
            Prefix::default()
        })
    };
    let prefix = parse("Prefix", s3.prefix.as_deref());
    let error = parse("ErrorOutputPrefix", s3.error_output_prefix.as_deref());
    let named = s3
        .error_output_prefix
        .as_deref()
        .is_some_and(|text| !text.is_empty());
    if prefix.has_error_output_type() {
        faults.add(
            "Prefix",
            "!{firehose:error-output-type} is for ErrorOutputPrefix",
        );
    }
    if error.keys().next().is_some() {
        faults.add(
            "ErrorOutputPrefix",
            "a record that failed has no partition keys",
        );
    }
    if error.has_expressions() && !error.has_error_output_type() {
        faults.add(
            "ErrorOutputPrefix",
            "!{firehose:error-output-type} is missing",
        );
    }
    if prefix.has_expressions() && !named {
        faults.add("ErrorOutputPrefix", "needed where Prefix has expressions");
    }
    match (partitioned, prefix.keys().next()) {
        (true, None) => faults.add("Prefix", "dynamic partitioning needs a partition key in it"),
        (false, Some(key)) => faults.add(
            "Prefix",
            format!("the partition key {key} needs dynamic partitioning"),
        ),
        _ => {}
    }
    if partitioned && !named {
        faults.add("ErrorOutputPrefix", "needed for dynamic partitioning");
    }
    let error = match (named, error.has_expressions()) {
        (true, true) => error,
        (true, false) => error.with_error_output_type().with_time(),
        (false, _) => prefix.clone().with_error_output_type().with_time(),
    };
    let prefix = if partitioned {
        prefix
    } else {
        prefix.with_time()
    };
    (prefix, error)
}

fn processing(
    faults: &mut Faults,
    processing: Option<&Processing>,
) -> (Option<Transformation>, bool) {
    let (mut transformation, mut append_delimiter) = (None, false);
    let Some(processors) = processing.and_then(|processing| processing.processors.as_deref())
    else {
        return (transformation, append_delimiter);
    };
    let enabled = processing.and_then(|processing| processing.enabled);
    if enabled == Some(false) || processors.is_empty() {
        return (transformation, append_delimiter);
    }
    faults.said("ProcessingConfiguration", enabled);
    for processor in processors {
        let parameters: BTreeMap<&str, &str> = processor
            .parameters
            .iter()
            .flatten()
            .map(|one| (one.parameter_name.as_str(), one.parameter_value.as_str()))
            .collect();
        match processor.kind.as_str() {
            "Lambda" => transformation = Some(lambda(faults, &parameters)),
            "AppendDelimiterToRecord" => append_delimiter = true,
            other => faults.add(
                "ProcessingConfiguration",
                format!("the processor {other} is not reproduced"),
            ),
        }
    }
    (transformation, append_delimiter)
}

fn lambda(faults: &mut Faults, parameters: &BTreeMap<&str, &str>) -> Transformation {
    let function_arn = parameters.get("LambdaArn").copied().unwrap_or_default();
    if function_arn.is_empty() {
        faults.add("LambdaArn", "a Lambda processor needs it");
    }
    let tenths = match parameters
        .get("BufferSizeInMBs")
        .map(|text| text.parse::<f64>())
    {
        None => 10.0,
        Some(Ok(size)) if (0.2..=3.0).contains(&size) => size * 10.0,
        Some(_) => {
            faults.add("BufferSizeInMBs", "not between 0.2 and 3");
            10.0
        }
    };
    let mut whole = |setting, default, most| match parameters.get(setting) {
        None => default,
        Some(text) => match text.parse::<i64>() {
            Ok(value) => faults.range(setting, value, 0, most) as u32,
            Err(_) => {
                faults.add(setting, format!("{text} is not a whole number"));
                default
            }
        },
    };
    Transformation {
        function_arn: function_arn.to_owned(),
        buffer_bytes: (tenths * MIB as f64 / 10.0) as usize,
        buffer_interval_s: whole("BufferIntervalInSeconds", 60, 900),
        retries: whole("NumberOfRetries", 3, 300),
    }
}
