//! What a run came to: for people a table and a sum, for programs one JSON object.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::outcome::{Became, Told};
use crate::failure::Failure;

/// How what is unreadable is put right where it lies in the bucket.
pub const PUT_RIGHT: &str = "what is unreadable can be put right in a file: andon redrive show KEY --out FILE, edit, andon redrive run FILE (a line that holds an envelope has its payload in it, in base64 under kinesis.data)";

/// Everything that is to be told of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether functions were invoked.
    pub executed: bool,
    /// What was, or would be, invoked.
    pub calls: Vec<Call>,
    /// What became of each record.
    pub records: Vec<Told>,
    /// Records left out because they had been brought back before, by what became of them then.
    pub left_out: BTreeMap<Became, usize>,
}

/// One invocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The function.
    pub function: String,
    /// How many records the event has, an aggregate counted as one.
    pub records: usize,
    /// How many bytes.
    pub bytes: usize,
}

impl Report {
    /// How many records there are of each outcome.
    pub fn sum(&self) -> BTreeMap<Became, usize> {
        let mut sum = BTreeMap::new();
        for told in &self.records {
            *sum.entry(told.outcome).or_default() += told.records;
        }
        sum
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.calls.is_empty() && self.left_out.is_empty()
    }

    /// Fails if a record is not where it belongs.
    pub fn verdict(&self) -> Result<(), Failure> {
        self.verdict_with(PUT_RIGHT)
    }

    /// The same where `put_right` tells how to put right what is unreadable.
    pub fn verdict_with(&self, put_right: &str) -> Result<(), Failure> {
        let bad: BTreeMap<_, _> = self
            .sum()
            .into_iter()
            .filter(|(outcome, _)| !outcome.is_good())
            .collect();
        let count: usize = bad.values().sum();
        if count == 0 {
            return Ok(());
        }
        let failure = Failure::check(format_args!(
            "{count} {} did not come back: {}",
            plural(count, "record"),
            counts(&bad)
        ));
        Err(match bad.contains_key(&Became::Unreadable) {
            true => failure.cure(put_right),
            false => failure,
        })
    }

    /// One JSON object.
    pub fn write_json(&self, out: &mut impl Write) -> Result<(), Failure> {
        #[derive(Serialize)]
        struct WithSum<'a> {
            #[serde(flatten)]
            report: &'a Report,
            sum: BTreeMap<Became, usize>,
        }
        let report = WithSum {
            report: self,
            sum: self.sum(),
        };
        serde_json::to_writer(&mut *out, &report).map_err(std::io::Error::from)?;
        Ok(writeln!(out)?)
    }

    /// A table and a sum.
    pub fn write_text(&self, out: &mut impl Write) -> Result<(), Failure> {
        if !self.records.is_empty() {
            let header =
                ["outcome", "events", "reason", "sequence number", "from"].map(str::to_owned);
            let rows: Vec<_> = self.records.iter().map(row).collect();
            table(out, &header, &rows)?;
            writeln!(out)?;
        }
        for (function, (calls, records, bytes)) in self.functions() {
            let did = if self.executed {
                "invoked"
            } else {
                "would invoke"
            };
            writeln!(
                out,
                "{did} {function} {calls} {} with {records} {} ({bytes} bytes)",
                plural(calls, "time"),
                plural(records, "record"),
            )?;
        }
        let sum = self.sum();
        if !sum.is_empty() {
            let all: usize = sum.values().sum();
            writeln!(out, "{all} {}: {}", plural(all, "record"), counts(&sum))?;
        }
        if !self.left_out.is_empty() {
            writeln!(
                out,
                "left out, since they were brought back before: {} (--again brings them back again)",
                counts(&self.left_out)
            )?;
        }
        match (self.executed, self.calls.is_empty()) {
            (_, true) if sum.is_empty() => writeln!(out, "nothing to bring back")?,
            (false, false) => writeln!(out, "nothing was invoked: --execute does it")?,
            _ => {}
        }
        Ok(())
    }

    fn functions(&self) -> BTreeMap<&str, (usize, usize, usize)> {
        let mut functions: BTreeMap<_, (usize, usize, usize)> = BTreeMap::new();
        for call in &self.calls {
            let (calls, records, bytes) = functions.entry(call.function.as_str()).or_default();
            *calls += 1;
            *records += call.records;
            *bytes += call.bytes;
        }
        functions
    }
}

fn row(told: &Told) -> [String; 5] {
    let number = told.sequence_number.as_deref().unwrap_or("-");
    let outcome = match told.records {
        1 => told.outcome.as_str().to_owned(),
        n => format!("{} x{n}", told.outcome.as_str()),
    };
    [
        outcome,
        told.events.to_string(),
        told.reason.clone().unwrap_or_default(),
        match told.sub_sequence_number {
            Some(place) => format!("{number}.{place}"),
            None => number.to_owned(),
        },
        told.from.clone(),
    ]
}

/// Columns as wide as their longest entry, the last as it is.
pub fn table<const N: usize>(
    out: &mut impl Write,
    header: &[String; N],
    rows: &[[String; N]],
) -> std::io::Result<()> {
    let width = |column: usize| {
        let entries = rows
            .iter()
            .chain([header])
            .map(|row| row[column].chars().count());
        entries.max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for row in [header].into_iter().chain(rows) {
        let cells = row.iter().zip(widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// `2 judged, 1 failed`.
fn counts(counts: &BTreeMap<Became, usize>) -> String {
    let counts = counts
        .iter()
        .map(|(outcome, count)| format!("{count} {}", outcome.as_str()));
    counts.collect::<Vec<_>>().join(", ")
}

/// `record` or `records`.
pub fn plural(count: usize, word: &str) -> String {
    match count {
        1 => word.to_owned(),
        _ => format!("{word}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redrive::held::tests::parked;

    fn told(line: usize, outcome: Became, reason: Option<&str>) -> Told {
        Told {
            events: 1,
            ..Told::of(&parked(line), "f", outcome, reason.map(str::to_owned))
        }
    }

    #[track_caller]
    fn check(report: &Report, expected: &str) {
        let mut out = Vec::new();
        report.write_text(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    fn call(records: usize) -> Call {
        Call {
            function: "f".into(),
            records,
            bytes: 300,
        }
    }

    #[test]
    fn a_dry_run_says_what_would_be_invoked() {
        check(&Report::default(), "nothing to bring back\n");
        let report = Report {
            calls: vec![call(500), call(1)],
            left_out: [(Became::Judged, 3)].into(),
            ..Report::default()
        };
        check(
            &report,
            "would invoke f 2 times with 501 records (600 bytes)\n\
             left out, since they were brought back before: 3 judged (--again brings them back again)\n\
             nothing was invoked: --execute does it\n",
        );
    }

    #[test]
    fn a_run_says_what_became_of_each_record() {
        let mut user_record = told(2, Became::Unreadable, Some("not-json"));
        user_record.sub_sequence_number = Some(12);
        let gone = Told {
            records: 4,
            sequence_number: None,
            from: "message 7".into(),
            ..told(3, Became::Gone, Some("no longer on the stream"))
        };
        let report = Report {
            executed: true,
            calls: vec![call(2)],
            records: vec![told(1, Became::Judged, None), user_record, gone],
            ..Report::default()
        };
        check(
            &report,
            "outcome     events  reason                   sequence number  from\n\
             judged      1                                4951             a.ndjson:1\n\
             unreadable  1       not-json                 4952.12          a.ndjson:2\n\
             gone x4     1       no longer on the stream  -                message 7\n\
             \n\
             invoked f 1 time with 2 records (300 bytes)\n\
             6 records: 1 judged, 1 unreadable, 4 gone\n",
        );
        let failure = report.verdict().unwrap_err();
        assert_eq!(failure.exit_code(), 1);
        assert!(
            failure
                .to_string()
                .starts_with("5 records did not come back: 1 unreadable, 4 gone\n"),
            "{failure}"
        );
        let put_right = report.verdict_with("edit it").unwrap_err().to_string();
        assert!(put_right.ends_with("\n  edit it"), "{put_right}");
    }

    #[test]
    fn json_holds_everything_and_the_sum() {
        let report = Report {
            executed: true,
            calls: vec![call(1)],
            records: vec![told(1, Became::Judged, None)],
            left_out: [(Became::Done, 2)].into(),
        };
        let mut out = Vec::new();
        report.write_json(&mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["sum"], serde_json::json!({"judged": 1}));
        assert_eq!(json["left_out"], serde_json::json!({"done": 2}));
        assert_eq!(json["records"][0]["origin"]["line"], 1);
        assert_eq!(json["records"][0]["outcome"], "judged");
        report.verdict().unwrap();
    }
}
