//! The events that are measured.

use kinesis_batch::envelope::{Event, Record};

/// Records of [`plain`].
pub const RECORDS: usize = 7_506;

/// A reading of 222 bytes.
pub fn reading(n: usize) -> Vec<u8> {
    let mut data = format!(
        concat!(
            r#"{{"machine":"press-{:02}","line":"L{}","time":"2026-11-20T01:02:03.{:03}Z","product":"M14860","grade":"M","#,
            r#""measurements":{{"air_temperature":298.1,"process_temperature":308.6,"rotational_speed":1551,"torque":42.8,"#
        ),
        n % 16,
        n % 2,
        n % 1000
    );
    let rest = 222 - data.len() - r#""tool_wear":}}"#.len();
    data.push_str(&format!(r#""tool_wear":{:0<rest$}}}}}"#, "1."));
    data.into_bytes()
}

/// The n-th record of an event.
pub fn record<'a>(
    sequence_number: &'a str,
    partition_key: &'a str,
    data: &'a [u8],
    n: usize,
) -> Record<'a> {
    Record {
        source_arn: "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
        region: "us-east-2",
        role_arn: "arn:aws:iam::123456789012:role/lambda-role",
        shard: "shardId-000000000006",
        sequence_number,
        partition_key,
        data,
        arrived_ms: 1_545_084_650_000 + n as i64,
    }
}

/// Its sequence number.
pub fn sequence_number(n: usize) -> String {
    format!("495903382714902566085596925383615710959215759891365{n:05}")
}

/// As many readings as one invocation takes.
pub fn plain() -> Vec<u8> {
    let mut event = Event::new();
    for n in 0..RECORDS {
        event.push(&record(
            &sequence_number(n),
            &format!("press-{:02}", n % 16),
            &reading(n),
            n,
        ));
    }
    event.finish()
}
