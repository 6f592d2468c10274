//! Lines that the summaries of all pipelines share.

use std::collections::BTreeMap;

use super::super::lake::Delivered;
use super::ShardLag;

/// A line's name, and what it says.
pub type Line = (&'static str, String);

/// What the delivery streams have made of their records.
pub fn lake_lines(lake: &BTreeMap<String, Delivered>) -> Vec<Line> {
    if lake.is_empty() {
        return Vec::new();
    }
    let objects: u64 = lake.values().map(|one| one.objects).sum();
    let bytes: u64 = lake.values().map(|one| one.bytes).sum();
    let mut lines = vec![("lake", format!("{objects} objects, {bytes} bytes"))];
    for (stream, one) in lake {
        let Delivered {
            records,
            delivered,
            dropped,
            failed,
            ..
        } = one;
        let told = format!(
            "{stream:<22} {records} in: {delivered} delivered, {dropped} dropped, {failed} failed"
        );
        lines.push(("", told));
    }
    lines
}

/// What is left to do.
pub fn lag_lines(lag: &BTreeMap<String, BTreeMap<String, ShardLag>>) -> Vec<Line> {
    let shards = lag.values().flat_map(BTreeMap::values);
    let (records, most_ms) = shards.fold((0, 0), |(records, most_ms), lag| {
        (records + lag.records, most_ms.max(lag.most_ms))
    });
    let told = format!("{records} records, at most {most_ms} ms on the way");
    let mut lines = vec![("lag", told)];
    for (function, shards) in lag {
        let shards: Vec<_> = shards
            .iter()
            .map(|(shard, lag)| format!("{} {}", short(shard), lag.records))
            .collect();
        lines.push(("", format!("{function:<19} {}", shards.join("  "))));
    }
    lines
}

/// Whether the counts agree.
pub fn check_lines(checks: &BTreeMap<&'static str, bool>) -> Vec<Line> {
    let lines = checks.iter().map(|(name, holds)| {
        let mark = if *holds { "ok" } else { "FAILED" };
        ("check", format!("{mark:<6} {}", name.replace('_', " ")))
    });
    lines.collect()
}

/// How long it took.
pub fn time_line(duration_s: f64, pipeline_s: f64) -> Line {
    let told = format!("{duration_s:.1} s, of which {pipeline_s:.1} s in the pipeline");
    ("time", told)
}

/// `29: 17 not-json, 12 no-machine`.
pub fn counted(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "0".to_owned();
    }
    let mut by_count: Vec<_> = counts.iter().collect();
    by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let parts: Vec<_> = by_count
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    format!("{}: {}", counts.values().sum::<u64>(), parts.join(", "))
}

/// `shardId-000000000003` is shard 3.
fn short(shard: &str) -> String {
    let number = shard
        .strip_prefix("shardId-")
        .and_then(|n| n.parse::<u64>().ok());
    number.map_or_else(|| shard.to_owned(), |number| format!("shard {number}:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_come_by_count() {
        let counts =
            [("a", 2), ("b", 9), ("c", 2)].map(|(reason, count)| (reason.to_owned(), count));
        assert_eq!(counted(&counts.into()), "13: 9 b, 2 a, 2 c");
    }

    #[test]
    fn a_shard_is_known_by_its_number() {
        assert_eq!(short("shardId-000000000012"), "shard 12:");
        assert_eq!(short("odd"), "odd");
    }
}
