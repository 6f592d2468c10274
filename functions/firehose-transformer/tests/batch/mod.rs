//! Answers, read.

use std::collections::BTreeMap;

use firehose_transformer::Transformed;
use serde::Deserialize;

/// One record's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub id: String,
    pub result: String,
    pub rows: String,
    pub partition: BTreeMap<String, String>,
}

/// The answers as Firehose reads them.
pub fn answers(transformed: &Transformed) -> Vec<Answer> {
    #[derive(Deserialize)]
    struct Response {
        records: Vec<Record>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Record {
        record_id: String,
        result: String,
        #[serde(default)]
        data: String,
        #[serde(default)]
        metadata: Metadata,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Metadata {
        partition_keys: BTreeMap<String, String>,
    }
    let response: Response = serde_json::from_str(transformed.response.get()).unwrap();
    response
        .records
        .into_iter()
        .map(|record| Answer {
            id: record.record_id,
            result: record.result,
            rows: String::from_utf8(base64_simd::STANDARD.decode_to_vec(&record.data).unwrap())
                .unwrap(),
            partition: record.metadata.partition_keys,
        })
        .collect()
}
