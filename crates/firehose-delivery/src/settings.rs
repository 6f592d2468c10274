//! A delivery stream's settings: each in its documented range and done by this machine, or refused with the others that are not.

mod json;

use std::fmt;

use crate::prefix::Prefix;

/// Bytes of what the settings call a MB.
pub(crate) const MIB: usize = 1024 * 1024;

/// What a delivery stream to a bucket is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `BufferingHints.SizeInMBs`, in bytes: so much is delivered as one object.
    pub buffer_bytes: usize,
    /// `BufferingHints.IntervalInSeconds`: so long is waited for it.
    pub buffer_interval_s: u32,
    /// `Prefix`, with the time that is appended where it says none.
    pub prefix: Prefix,
    /// `ErrorOutputPrefix`, or what stands in for it.
    pub error_output_prefix: Prefix,
    /// `CompressionFormat`.
    pub compression: Compression,
    /// `DynamicPartitioningConfiguration`.
    pub dynamic_partitioning: bool,
    /// The `Lambda` processor.
    pub transformation: Option<Transformation>,
    /// The `AppendDelimiterToRecord` processor.
    pub append_delimiter: bool,
    /// `FileExtension`, in place of the compression's.
    pub file_extension: Option<String>,
}

/// How an object is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// With gzip.
    Gzip,
}

/// A function through which every record goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transformation {
    /// `LambdaArn`.
    pub function_arn: String,
    /// `BufferSizeInMBs`, in bytes: so much is handed over at once.
    pub buffer_bytes: usize,
    /// `BufferIntervalInSeconds`: so long is waited for it.
    pub buffer_interval_s: u32,
    /// `NumberOfRetries`.
    pub retries: u32,
}

/// Settings that this machine does not take, all of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", join(faults))]
pub struct InvalidSettings {
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// One setting that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name.
    pub setting: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Settings {
    /// Reads one delivery stream as `DescribeDeliveryStream` describes it, or its `ExtendedS3DestinationDescription`
    /// alone. What is left out has the documented default.
    ///
    /// # Errors
    /// With every setting that is out of its range, or that this machine does not reproduce.
    pub fn from_json(description: &str) -> Result<Self, InvalidSettings> {
        json::read(description)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.problem)
    }
}

fn join(faults: &[Fault]) -> String {
    let faults: Vec<_> = faults.iter().map(Fault::to_string).collect();
    faults.join("; ")
}
