//! Readings become the stream's records: one each, or aggregated by key.

use kinesis_batch::aggregate::{Encoder, Member};

use super::keying::Keyed;
use super::queue::{Entry, MAX_RECORD_BYTES};

/// How readings become records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// A record each.
    Plain,
    /// Aggregated records of at most so many bytes, each of one partition key.
    ByKey {
        /// At most [`MAX_RECORD_BYTES`] with the key count.
        max_bytes: usize,
    },
}

/// A reading too large for any record.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLarge;

/// Collects readings until [`Packer::flush`].
#[derive(Debug)]
pub struct Packer {
    packing: Packing,
    /// In the order of each key's first reading.
    open: Vec<(String, Encoder)>,
    full: Vec<Entry>,
}

impl Packer {
    /// Nothing collected.
    pub fn new(packing: Packing) -> Self {
        Self {
            packing,
            open: Vec::new(),
            full: Vec::new(),
        }
    }

    /// Takes a reading.
    pub fn push(&mut self, keyed: Keyed) -> Result<(), TooLarge> {
        let room = MAX_RECORD_BYTES - keyed.partition_key.len();
        match self.packing {
            Packing::ByKey { max_bytes } => self.aggregate(keyed, max_bytes.min(room)),
            Packing::Plain if keyed.data.len() > room => Err(TooLarge),
            Packing::Plain => {
                self.full.push(Entry {
                    partition_key: keyed.partition_key,
                    data: keyed.data,
                    readings: 1,
                });
                Ok(())
            }
        }
    }

    /// Everything collected, as records; readings of one key are in order.
    pub fn flush(&mut self) -> Vec<Entry> {
        let open = self
            .open
            .drain(..)
            .map(|(partition_key, encoder)| finish(partition_key, encoder));
        self.full.extend(open);
        std::mem::take(&mut self.full)
    }

    fn aggregate(&mut self, keyed: Keyed, max_bytes: usize) -> Result<(), TooLarge> {
        let member = Member {
            partition_key: &keyed.partition_key,
            explicit_hash_key: None,
            data: &keyed.data,
        };
        // A reading too large for an aggregate of the wanted size has one to itself.
        if Encoder::default().len_with(&member) > MAX_RECORD_BYTES - keyed.partition_key.len() {
            return Err(TooLarge);
        }
        if let Some(at) = self
            .open
            .iter()
            .position(|(key, _)| *key == keyed.partition_key)
        {
            if let Some((_, encoder)) = self
                .open
                .get_mut(at)
                .filter(|(_, encoder)| encoder.len_with(&member) <= max_bytes)
            {
                encoder.push(member);
                return Ok(());
            }
            let (key, encoder) = self.open.remove(at);
            self.full.push(finish(key, encoder));
        }
        let mut encoder = Encoder::default();
        encoder.push(member);
        self.open.push((keyed.partition_key, encoder));
        Ok(())
    }
}

fn finish(partition_key: String, encoder: Encoder) -> Entry {
    Entry {
        partition_key,
        readings: encoder.len() as u64,
        data: encoder.finish(),
    }
}

#[cfg(test)]
mod tests {
    use kinesis_batch::aggregate;

    use super::*;

    fn keyed(key: &str, data: &str) -> Keyed {
        Keyed {
            partition_key: key.into(),
            named: true,
            data: data.into(),
        }
    }

    fn pack(packing: Packing, readings: &[(&str, &str)]) -> Vec<Entry> {
        let mut packer = Packer::new(packing);
        for (key, data) in readings {
            packer.push(keyed(key, data)).unwrap();
        }
        packer.flush()
    }

    const READINGS: [(&str, &str); 4] = [("a", "a1"), ("b", "b1"), ("a", "a2"), ("프레스", "한1")];

    #[test]
    fn plain_readings_are_records_of_their_own() {
        let entries = pack(Packing::Plain, &READINGS);
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (entry.partition_key.as_str(), entry.data.as_slice()))
            .collect();
        assert_eq!(found, READINGS.map(|(key, data)| (key, data.as_bytes())));
    }

    #[test]
    fn an_aggregate_holds_one_key_in_order() {
        let entries = pack(Packing::ByKey { max_bytes: 51_200 }, &READINGS);
        let found = entries.iter().map(|entry| {
            let members = aggregate::decode(&entry.data).unwrap();
            assert_eq!(entry.readings, members.len() as u64);
            assert!(
                members
                    .iter()
                    .all(|member| member.partition_key == entry.partition_key)
            );
            let texts = members
                .iter()
                .map(|member| String::from_utf8(member.data.to_vec()).unwrap());
            (entry.partition_key.clone(), texts.collect::<Vec<_>>())
        });
        let expected = [
            ("a", vec!["a1", "a2"]),
            ("b", vec!["b1"]),
            ("프레스", vec!["한1"]),
        ];
        assert!(found.eq(expected.map(|(key, texts)| (
            key.to_owned(),
            texts.into_iter().map(str::to_owned).collect()
        ))));
    }

    #[test]
    fn a_full_aggregate_is_closed_and_comes_first() {
        let long = "x".repeat(400);
        let readings: Vec<(&str, &str)> = (0..10).map(|_| ("a", long.as_str())).collect();
        let entries = pack(Packing::ByKey { max_bytes: 1_000 }, &readings);
        assert!(entries.iter().all(|entry| entry.data.len() <= 1_000));
        assert_eq!(
            entries
                .iter()
                .map(|entry| entry.readings)
                .collect::<Vec<_>>(),
            [2, 2, 2, 2, 2]
        );
    }

    #[test]
    fn a_reading_over_the_wanted_size_has_an_aggregate_to_itself() {
        let entries = pack(
            Packing::ByKey { max_bytes: 100 },
            &[("a", &"x".repeat(400)), ("a", "a2")],
        );
        assert_eq!(
            entries
                .iter()
                .map(|entry| entry.readings)
                .collect::<Vec<_>>(),
            [1, 1]
        );
    }

    #[test]
    fn what_fits_no_record_is_refused() {
        let large = "x".repeat(MAX_RECORD_BYTES);
        for packing in [Packing::Plain, Packing::ByKey { max_bytes: 51_200 }] {
            let mut packer = Packer::new(packing);
            assert_eq!(packer.push(keyed("a", &large)), Err(TooLarge));
            assert_eq!(packer.flush(), []);
        }
    }
}
