//! The answer, written as it is sent and counted as it is written.

use serde_json::value::RawValue;

use crate::event::EventError;

/// The most bytes of an answer. Lambda answers with 6 MB at most, and by the smaller of its two readings that is this.
pub const MAX_RESPONSE_BYTES: usize = 6_000_000;

const OPEN: &str = "{\"records\":[";
const CLOSE: &str = "]}";
const ID: &str = "{\"recordId\":";
const OK: &str = ",\"result\":\"Ok\",\"data\":\"";
const OK_END: &str = "\"}";
const PARTITION: &str = "\",\"metadata\":{\"partitionKeys\":{";
const PARTITION_END: &str = "}}}";
// Firehose wants `data` from every record, used or not.
const DROPPED: &str = ",\"result\":\"Dropped\",\"data\":\"\"}";
const FAILED: &str = ",\"result\":\"ProcessingFailed\",\"data\":\"\"}";

/// An answer in the making. Every record counts as failed until it is answered, so that there is room for whatever is still
/// to come.
pub(crate) struct Response {
    body: String,
    /// How long the answer will be if all that is to come fails.
    foretold: usize,
    most: usize,
}

impl Response {
    /// An answer of at most `most` bytes for records with these ids, which are JSON strings.
    pub fn new<'i>(ids: impl Iterator<Item = &'i str> + Clone, most: usize) -> Self {
        let commas = ids.clone().count().saturating_sub(1);
        let failed: usize = ids.map(failed_len).sum();
        Self {
            body: OPEN.into(),
            foretold: OPEN.len() + failed + commas + CLOSE.len(),
            most,
        }
    }

    /// Answers the next record with its rows, if they fit: then the answer is true.
    pub fn ok(&mut self, id: &str, rows: &[u8], keys: &[String], values: &[String]) -> bool {
        let pairs = || keys.iter().zip(values);
        let quotes_and_colon = "\"\":\"\"".len();
        let partition = match keys.len() {
            0 => OK_END.len(),
            several => {
                let pairs: usize = pairs()
                    .map(|(key, value)| key.len() + value.len() + quotes_and_colon)
                    .sum();
                PARTITION.len() + pairs + several - 1 + PARTITION_END.len()
            }
        };
        let data = base64_simd::STANDARD.encoded_length(rows.len());
        let length = ID.len() + id.len() + OK.len() + data + partition;
        let foretold = self.foretold - failed_len(id) + length;
        // An answer that is too long with nothing in it is not made better by failing what is shorter than a failure.
        if foretold > self.most && foretold > self.foretold {
            return false;
        }
        self.foretold = foretold;
        self.begin(id);
        self.write(OK);
        base64_simd::STANDARD.encode_append(rows, &mut self.body);
        if keys.is_empty() {
            self.write(OK_END);
            return true;
        }
        self.write(PARTITION);
        for (place, (key, value)) in pairs().enumerate() {
            if place > 0 {
                self.write(",");
            }
            // Neither has anything in it that JSON would escape.
            for part in ["\"", key, "\":\"", value, "\""] {
                self.write(part);
            }
        }
        self.write(PARTITION_END);
        true
    }

    /// Answers the next record: the program does not want it.
    pub fn dropped(&mut self, id: &str) {
        self.foretold -= FAILED.len() - DROPPED.len();
        self.begin(id);
        self.write(DROPPED);
    }

    /// Answers the next record: Firehose is to keep it as it came.
    pub fn failed(&mut self, id: &str) {
        self.begin(id);
        self.write(FAILED);
    }

    /// The answer.
    pub fn finish(mut self) -> Result<Box<RawValue>, EventError> {
        self.write(CLOSE);
        debug_assert_eq!(self.body.len(), self.foretold);
        RawValue::from_string(self.body).map_err(EventError::Answer)
    }

    fn begin(&mut self, id: &str) {
        if self.body.len() > OPEN.len() {
            self.write(",");
        }
        self.write(ID);
        self.write(id);
    }

    fn write(&mut self, part: &str) {
        self.body.push_str(part);
    }
}

fn failed_len(id: &str) -> usize {
    ID.len() + id.len() + FAILED.len()
}
