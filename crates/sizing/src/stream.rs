//! Shards: how many a stream needs, and how many it has.

/// What a shard takes in a second (Kinesis, "Quotas and limits").
pub(crate) const SHARD_RECORDS: f64 = 1000.0;
/// Likewise, in bytes.
pub(crate) const SHARD_BYTES: f64 = 1_048_576.0;
/// What a shard gives to all its polling consumers together in a second, in bytes.
pub(crate) const SHARD_READ_BYTES: f64 = 2_097_152.0;
/// What a new stream on demand is made for: 4 MB or 4,000 records a second.
const ON_DEMAND_SHARDS: f64 = 4.0;

/// A stream and its load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    /// Records a second, on average.
    pub records: f64,
    /// Bytes of one.
    pub record_bytes: f64,
    /// The busiest minute against the average.
    pub peak: f64,
    /// Consumers that poll.
    pub polling: f64,
    /// The share of the capacity that the peak may use.
    pub headroom: f64,
}

impl Stream {
    /// Shards that take and give the peak.
    pub(crate) fn needed(&self) -> f64 {
        let records = self.records * self.peak;
        let bytes = records * self.record_bytes;
        [
            records / SHARD_RECORDS,
            bytes / SHARD_BYTES,
            bytes * self.polling / SHARD_READ_BYTES,
        ]
        .into_iter()
        .fold(0.0, f64::max)
        .max(f64::MIN_POSITIVE)
            / self.headroom
    }

    /// Shards of a stream on demand: it is made for twice the highest peak of the last 30 days.
    pub(crate) fn on_demand(&self) -> f64 {
        (self.needed() * self.headroom * 2.0)
            .ceil()
            .max(ON_DEMAND_SHARDS)
    }

    /// As many shards, or more, as let a function do with its share of the capacity.
    pub(crate) fn provisioned(&self, suffices: impl Fn(f64) -> bool) -> f64 {
        let mut shards = self.needed().ceil().max(1.0);
        let mut step = 1.0;
        // Doubles until it is enough, then goes back to the last that was not.
        while !suffices(shards) && shards < 100_000.0 {
            shards += step;
            step *= 2.0;
        }
        let (mut few, mut many) = ((shards - step / 2.0).max(0.0), shards);
        while many - few > 1.0 {
            let between = f64::midpoint(few, many).floor();
            match between >= self.needed().ceil().max(1.0) && suffices(between) {
                true => many = between,
                false => few = between,
            }
        }
        many
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream {
        records: 1000.0,
        record_bytes: 222.0,
        peak: 1.5,
        polling: 2.0,
        headroom: 0.8,
    };

    #[test]
    fn records_bytes_or_reads_decide() {
        let check = |stream: Stream, shards: f64| {
            assert_eq!(stream.provisioned(|_| true), shards, "{stream:?}");
        };
        check(STREAM, 2.0);
        check(
            Stream {
                records: 100.0,
                ..STREAM
            },
            1.0,
        );
        check(
            Stream {
                record_bytes: 10_240.0,
                ..STREAM
            },
            19.0,
        );
        check(
            Stream {
                record_bytes: 10_240.0,
                polling: 4.0,
                ..STREAM
            },
            37.0,
        );
    }

    #[test]
    fn a_slow_function_takes_more_shards() {
        for enough in [2.0, 3.0, 4.0, 17.0, 18.0, 1000.0] {
            assert_eq!(STREAM.provisioned(|shards| shards >= enough), enough);
        }
    }

    #[test]
    fn on_demand_is_made_for_twice_the_peak() {
        assert_eq!(STREAM.on_demand(), 4.0);
        assert_eq!(
            Stream {
                records: 10_000.0,
                ..STREAM
            }
            .on_demand(),
            30.0
        );
    }
}
