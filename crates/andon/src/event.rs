//! `andon event`: what an event of Kinesis or Firehose holds, one record a line.

mod firehose;

use std::io::Write;

use clap::Args;
use kinesis_batch::Batch;

use crate::failure::Failure;
use crate::input::Input;

/// A Kinesis or Firehose event's records, one JSON line each
///
/// Aggregates are opened (Firehose has done so). Records that cannot be read are named on stderr.
#[derive(Args, Clone, Debug)]
pub struct Event {
    /// The event as Lambda hands it to a function; `-` reads stdin
    #[arg(value_name = "FILE|-")]
    file: Input,
}

impl Event {
    /// Writes the records in the order of the batch; `notes` takes the unreadable ones.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        let body = self.file.bytes()?;
        if let Some(batch) = firehose::Batch::decode(&body) {
            for place in batch.write_lines(out)? {
                let name = self.file.name();
                writeln!(
                    notes,
                    "{name}: records[{place}] cannot be read: no recordId or no data"
                )?;
            }
            return Ok(());
        }
        let mut buffer = Vec::new();
        let batch = Batch::decode(&body, &mut buffer).map_err(|error| {
            Failure::input(self.file.name())
                .caused_by(error)
                .cure("give the JSON that a function receives")
        })?;
        batch.write_lines(out)?;
        for record in batch.malformed() {
            writeln!(
                notes,
                "{}: Records[{}] cannot be read: {}",
                self.file.name(),
                record.parent,
                record.reason.as_str()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(event: &str) -> Result<(String, String), Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), event).unwrap();
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        Event {
            file: file.path().to_path_buf().into(),
        }
        .run(&mut out, &mut notes)?;
        Ok((
            String::from_utf8(out).unwrap(),
            String::from_utf8(notes).unwrap(),
        ))
    }

    fn record(data: &str) -> String {
        format!(
            r#"{{"kinesis":{{"partitionKey":"프레스-07","sequenceNumber":"4959","data":"{data}","approximateArrivalTimestamp":1545084650.987}},"eventID":"shardId-000000000006:4959","eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream/readings"}}"#
        )
    }

    #[test]
    fn prints_the_documented_fields_in_order() {
        let (out, notes) = run(&format!(r#"{{"Records":[{}]}}"#, record("e30="))).unwrap();
        assert_eq!(
            out,
            "{\"partition_key\":\"프레스-07\",\"explicit_hash_key\":null,\"sequence_number\":\"4959\",\"sub_sequence_number\":null,\"aggregated\":false,\"data\":\"e30=\"}\n"
        );
        assert_eq!(notes, "");
    }

    #[test]
    fn opens_aggregates() {
        let member = |partition_key| kinesis_batch::aggregate::Member {
            partition_key,
            explicit_hash_key: None,
            data: b"{}",
        };
        let aggregate = kinesis_batch::aggregate::encode([member("a"), member("b")]);
        let data = base64_simd::STANDARD.encode_to_string(aggregate);
        let (out, _) = run(&format!(r#"{{"Records":[{}]}}"#, record(&data))).unwrap();
        let subs: Vec<_> = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| {
                (
                    line["partition_key"].clone(),
                    line["sub_sequence_number"].clone(),
                    line["aggregated"].clone(),
                )
            })
            .collect();
        assert_eq!(
            subs,
            [
                ("a".into(), 0.into(), true.into()),
                ("b".into(), 1.into(), true.into())
            ]
        );
    }

    #[test]
    fn names_what_cannot_be_read() {
        let (out, notes) = run(&format!(
            r#"{{"Records":[{},{}]}}"#,
            record("e30="),
            record("***")
        ))
        .unwrap();
        assert_eq!(out.lines().count(), 1);
        assert!(notes.contains("Records[1] cannot be read: "), "{notes}");
    }

    #[test]
    fn refuses_what_is_no_event() {
        let failure = run("[]").unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().contains("Records"), "{failure}");
    }
}
