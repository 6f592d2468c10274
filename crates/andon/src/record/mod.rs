//! `andon record`: a stream's records as Lambda would hand them to a function, written as event files.

mod batches;
mod shard;

use std::io::Write;
use std::path::{Path, PathBuf};

use aws_sdk_kinesis::Client;
use clap::Args;

use crate::aws::{AwsOptions, failed};
use crate::failure::Failure;

pub use batches::{Batches, Envelope};
pub use shard::{
    BETWEEN_READS, StreamRecord, list as list_shards, list_infos as list_shard_infos, patiently,
    read_pages, read_shard,
};

/// A stream's records as Lambda event fixtures
///
/// Reads every shard from its oldest record to its tip and writes one event a file, named by shard and running number.
#[derive(Args, Clone, Debug)]
pub struct Record {
    /// The stream's name or ARN
    #[arg(long, value_name = "NAME")]
    stream: String,
    /// Where the events go; made if missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The most records in one event
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch_size: u16,
    /// Write this account into the ARNs instead of the stream's own
    #[arg(long, value_name = "ID", value_parser = account)]
    account: Option<String>,
    /// The role that the events name as the function's
    #[arg(long, value_name = "NAME", default_value = "lambda-role")]
    role: String,
    #[command(flatten)]
    aws: AwsOptions,
}

impl Record {
    /// Writes the events and names each file.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        let client = Client::new(&self.aws.load().await);
        self.record(&client, out).await
    }

    async fn record(&self, client: &Client, out: &mut impl Write) -> Result<(), Failure> {
        let arn = stream_arn(client, &self.stream).await?;
        let envelope = Envelope::new(&arn, self.account.as_deref(), &self.role)?;
        std::fs::create_dir_all(&self.out).map_err(|error| unwritable(&self.out, error))?;
        self.refuse_another()?;
        // Whoever has stopped reading the names wants the files all the same.
        let mut broken = None;
        for shard in shard::list(client, &arn).await? {
            let mut batches = Batches::new(&envelope, &shard, usize::from(self.batch_size));
            let mut number = 0;
            let mut write = |(records, event): (usize, Vec<u8>)| -> Result<(), Failure> {
                number += 1;
                let path = self.out.join(format!("{shard}-{number:04}.json"));
                std::fs::write(&path, event).map_err(|error| unwritable(&path, error))?;
                if broken.is_none() {
                    broken = writeln!(out, "{}: {records} records", path.display()).err();
                }
                Ok(())
            };
            // A shard may hold more than memory does: an event is written once it is full.
            let pages = read_pages(client, &arn, &shard, |page| {
                let mut full = page.iter().filter_map(|record| batches.take(record));
                full.try_for_each(&mut write)
            });
            pages.await?;
            batches.end().map_or(Ok(()), &mut write)?;
        }
        broken.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Events of another run would be taken for this one's.
    fn refuse_another(&self) -> Result<(), Failure> {
        let entries = std::fs::read_dir(&self.out).map_err(|error| unwritable(&self.out, error))?;
        let mut names = entries.flatten().map(|entry| entry.file_name());
        let earlier = names.find(|name| {
            let name = name.to_string_lossy();
            name.starts_with("shardId-") && name.ends_with(".json")
        });
        match earlier {
            None => Ok(()),
            Some(name) => Err(Failure::input(format_args!(
                "{} holds another recording's {}",
                self.out.display(),
                name.display()
            ))
            .cure("give --out a folder of its own, or delete those events")),
        }
    }
}

async fn stream_arn(client: &Client, stream: &str) -> Result<String, Failure> {
    if stream.starts_with("arn:") {
        return Ok(stream.to_owned());
    }
    let summary = client
        .describe_stream_summary()
        .stream_name(stream)
        .send()
        .await
        .map_err(|error| failed(format_args!("cannot describe stream {stream}"), &error))?;
    let arn = summary
        .stream_description_summary()
        .map(|summary| summary.stream_arn().to_owned());
    arn.ok_or_else(|| {
        Failure::check(format_args!(
            "the description of stream {stream} names no ARN"
        ))
    })
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::check(format_args!("cannot write {}", path.display())).caused_by(error)
}

fn account(text: &str) -> Result<String, String> {
    let sound = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound {
        Ok(text.to_owned())
    } else {
        Err("an account id has 12 digits".into())
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{Effect, Fault, Parts, Service, When, World};
    use kinesis_batch::Batch;

    use super::*;
    use crate::failure::tests::Head;
    use crate::produce::{Keying, KinesisStream, Options, Packing, feed, run};

    const PLAIN: Options = Options {
        packing: Packing::Plain,
        rate: None,
        strict_order: false,
    };

    /// Produces the lines to a stream of two shards and records it again.
    async fn recorded(
        lines: &str,
        options: &Options,
        batch_size: u16,
    ) -> (tempfile::TempDir, String) {
        let world = World::default();
        world.create_stream("readings", 2);
        let client = Client::new(&world.sdk_config());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines).unwrap();
        let keying: Keying = "/machine".parse().unwrap();
        let readings = feed(&file.path().to_path_buf().into(), keying).unwrap();
        run(
            &KinesisStream::new(client.clone(), "readings"),
            options,
            readings,
            |_| {},
        )
        .await
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let record = Record {
            stream: "readings".into(),
            out: dir.path().join("events"),
            batch_size,
            account: Some("111122223333".into()),
            role: "lambda-role".into(),
            aws: AwsOptions::default(),
        };
        let mut out = Vec::new();
        record.record(&client, &mut out).await.unwrap();
        // A second recording would mix with it.
        let refused = record.record(&client, &mut Vec::new()).await.unwrap_err();
        assert_eq!(refused.exit_code(), 2, "{refused}");
        (dir, String::from_utf8(out).unwrap())
    }

    fn user_records(dir: &Path) -> Vec<(String, String, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(dir.join("events"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        let mut found = Vec::new();
        for file in files {
            let body = std::fs::read(file).unwrap();
            let mut buffer = Vec::new();
            let batch = Batch::decode(&body, &mut buffer).unwrap();
            assert!(batch.malformed().is_empty());
            for record in batch.user_records() {
                found.push((
                    record.partition_key.to_string(),
                    record.stream_arn.to_owned(),
                    record.data.to_vec(),
                ));
            }
        }
        found
    }

    fn lines(count: usize) -> String {
        (0..count)
            .map(|n| format!("{{\"machine\":\"press-{:02}\",\"n\":{n}}}\n", n % 5))
            .collect()
    }

    #[tokio::test]
    async fn everything_put_comes_back_in_order_per_key() {
        let (dir, out) = recorded(&lines(57), &PLAIN, 10).await;
        let found = user_records(dir.path());
        assert_eq!(found.len(), 57);
        for machine in 0..5 {
            let key = format!("press-{machine:02}");
            let of_key: Vec<&[u8]> = found
                .iter()
                .filter(|record| record.0 == key)
                .map(|record| record.2.as_slice())
                .collect();
            let all = lines(57);
            let expected: Vec<&[u8]> = all
                .lines()
                .filter(|line| line.contains(&key))
                .map(str::as_bytes)
                .collect();
            assert_eq!(of_key, expected);
        }
        assert!(
            found
                .iter()
                .all(|record| record.1.contains(":111122223333:stream/readings")),
            "{:?}",
            found[0].1
        );
        assert!(
            out.contains("shardId-000000000000-0001.json: 10 records"),
            "{out}"
        );
    }

    #[tokio::test]
    async fn aggregates_come_back_closed_and_open_in_the_batch() {
        let options = Options {
            packing: Packing::ByKey { max_bytes: 51_200 },
            ..PLAIN
        };
        let (dir, _) = recorded(&lines(50), &options, 10).await;
        assert_eq!(user_records(dir.path()).len(), 50);
    }

    #[tokio::test]
    async fn damaged_lines_come_back_as_they_were() {
        let (dir, _) = recorded("no json\n\n{\"machine\":\"a\"}\n", &PLAIN, 10).await;
        let mut data: Vec<Vec<u8>> = user_records(dir.path())
            .into_iter()
            .map(|record| record.2)
            .collect();
        data.sort();
        assert_eq!(
            data,
            [
                b"".to_vec(),
                b"no json".to_vec(),
                b"{\"machine\":\"a\"}".to_vec()
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_records_arrive_once_and_in_order() {
        let world = World::default();
        world.create_stream("readings", 2);
        let rejected = world.fault(
            Fault::new(Service::Kinesis, "PutRecords")
                .when(When::first(3))
                .then(Effect::Partial(Parts::keyed("press-02"))),
        );
        let (sender, receiver) = tokio::sync::mpsc::channel(64);
        let keying: Keying = "/machine".parse().unwrap();
        for line in lines(50).lines() {
            sender.try_send(Ok(keying.key(line.into()))).unwrap();
        }
        drop(sender);
        let client = Client::new(&world.sdk_config());
        let report = run(
            &KinesisStream::new(client, "readings"),
            &PLAIN,
            receiver,
            |_| {},
        )
        .await
        .unwrap();
        assert_eq!(rejected.fired(), 3);
        assert_eq!(
            (report.readings, report.put_again, report.overtaken),
            (50, 12, 0)
        );
        let stored: Vec<Vec<u8>> = world
            .records("readings")
            .into_iter()
            .filter(|record| record.partition_key == "press-02")
            .map(|record| record.data.to_vec())
            .collect();
        let all = lines(50);
        let expected: Vec<&[u8]> = all
            .lines()
            .filter(|line| line.contains("press-02"))
            .map(str::as_bytes)
            .collect();
        assert_eq!(stored, expected);
    }

    /// The first twelve calls of each kind are refused, more than the SDK itself repeats; and nobody reads on after a file's
    /// name.
    #[tokio::test(start_paused = true)]
    async fn a_busy_shard_is_waited_for_and_the_recording_is_whole() {
        let world = World::default();
        world.create_stream("readings", 1);
        for _ in 0..30 {
            world.put_record("readings", "press-07", &b"{}"[..]);
        }
        let refused = ["GetShardIterator", "GetRecords"].map(|operation| {
            world.fault(
                Fault::new(Service::Kinesis, operation)
                    .when(When::first(12))
                    .then(Effect::Throttled),
            )
        });
        let dir = tempfile::tempdir().unwrap();
        let record = Record {
            stream: "readings".into(),
            out: dir.path().join("events"),
            batch_size: 10,
            account: None,
            role: "lambda-role".into(),
            aws: AwsOptions::default(),
        };
        let client = Client::new(&world.sdk_config());
        let ended = record.record(&client, &mut Head(100)).await.unwrap_err();
        assert_eq!(ended.exit_code(), 0, "{ended}");
        assert_eq!(refused.map(|fault| fault.fired()), [12, 12]);
        assert_eq!(user_records(dir.path()).len(), 30);
    }

    #[tokio::test]
    async fn a_missing_stream_is_named() {
        let client = Client::new(&World::default().sdk_config());
        let failure = stream_arn(&client, "raedings").await.unwrap_err();
        assert!(
            failure.to_string().contains("raedings")
                && failure.to_string().contains("ResourceNotFoundException"),
            "{failure}"
        );
    }

    #[test]
    fn an_account_has_twelve_digits() {
        assert!(account("123456789012").is_ok());
        assert!(account("12345678901").is_err());
        assert!(account("12345678901x").is_err());
    }
}
