//! Where a reading lies, as events say it.

use kinesis_batch::UserRecord;
use quality_event::Source;

/// The place of a user record in its stream.
pub fn source(place: &UserRecord<'_>) -> Source {
    Source::Stream {
        stream: place.stream_arn.to_owned(),
        shard: place.shard.to_owned(),
        sequence_number: place.sequence_number.to_string(),
        sub_sequence_number: place.sub_sequence_number,
    }
}
