//! The summary for a person.

use std::collections::BTreeMap;
use std::fmt;

use super::super::predictions::Predictions;
use super::lines::{Line, check_lines, counted, lag_lines, lake_lines, time_line};
use super::{Percentiles, STEPS, Summary};

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, text: String| writeln!(f, "{name:<12} {text}");
        line(
            "readings",
            format!("{} in {} records", self.readings, self.records),
        )?;
        line("quarantined", counted(&self.quarantined))?;
        if !self.parked.is_empty() {
            line("parked", counted(&self.parked))?;
        }
        if !self.given_up.is_empty() {
            line("given up", counted(&self.given_up))?;
        }
        let all: u64 = self.events.values().flat_map(BTreeMap::values).sum();
        line("events", all.to_string())?;
        let width = self.events.keys().map(|rule| rule.chars().count()).max();
        for (rule, steps) in &self.events {
            let steps: Vec<_> = STEPS
                .iter()
                .map(|step| step.as_str())
                .chain(["single"])
                .filter_map(|step| Some(format!("{:>6} {step}", steps.get(step)?)))
                .collect();
            line(
                "",
                format!(
                    "{rule:<width$} {}",
                    steps.join(" "),
                    width = width.unwrap_or(0)
                ),
            )?;
        }
        for (name, text) in self.predictions.iter().flat_map(prediction_lines) {
            line(name, text)?;
        }
        line("stored", format!("{} items", self.stored))?;
        line(
            "alerts",
            self.alerts
                .values()
                .map(|outcomes| outcomes.sent)
                .sum::<u64>()
                .to_string()
                + " sent",
        )?;
        for (severity, outcomes) in self.alerts.iter().rev() {
            let held = match outcomes.suppressed.is_empty() {
                true => String::new(),
                false => format!(", suppressed {}", counted(&outcomes.suppressed)),
            };
            line(
                "",
                format!("{:<8} {:>6} sent{held}", severity.as_str(), outcomes.sent),
            )?;
        }
        let held = match self.line_stops_suppressed.is_empty() {
            true => String::new(),
            false => format!(", suppressed {}", counted(&self.line_stops_suppressed)),
        };
        line("line stops", format!("{} sent{held}", self.line_stops))?;
        for (name, text) in lake_lines(&self.lake) {
            line(name, text)?;
        }
        if let Some(repeated) = self.repeated {
            let killed = counted(&self.killed);
            line(
                "killed",
                format!("{killed}; {repeated} messages came again"),
            )?;
            if !self.faults.is_empty() {
                line("faults", counted(&self.faults))?;
            }
        }
        line(
            "latency",
            match self.latency_ms {
                Some(Percentiles { p50, p99 }) => {
                    format!("p50 {p50} ms, p99 {p99} ms from put to stored")
                }
                None => "nothing stored".to_owned(),
            },
        )?;
        let end = lag_lines(&self.lag)
            .into_iter()
            .chain(check_lines(&self.checks));
        for (name, text) in end.chain([time_line(self.duration_s, self.pipeline_s)]) {
            line(name, text)?;
        }
        Ok(())
    }
}

/// What the model said, and what that was worth.
fn prediction_lines(predictions: &Predictions) -> Vec<Line> {
    let Predictions {
        model,
        scored,
        unscored,
        flagged,
        worth,
    } = predictions;
    let unscored = counted(unscored);
    let mut lines = vec![(
        "predictions",
        format!("{model}: {scored} scored, unscored {unscored}"),
    )];
    let flagged = flagged.iter().map(|(severity, count)| {
        let severity = severity.as_str();
        ("", format!("{severity:<8} {count:>6} flagged"))
    });
    lines.extend(flagged);
    let Some(worth) = worth else { return lines };
    lines.push((
        "model",
        format!(
            "{} machines of which is known when they failed, {} readings",
            worth.machines, worth.readings
        ),
    ));
    for threshold in &worth.thresholds {
        let lead = threshold
            .median_lead_min
            .map_or_else(String::new, |minutes| format!(", {minutes:.0} min ahead"));
        let confusion = &threshold.confusion;
        lines.push((
            "",
            format!(
                "{:<10} from {}: {} of {} failures told{lead}; {} of {} alarms false, {:.1} a shift",
                threshold.reaction,
                threshold.score,
                threshold.failures_told,
                threshold.failures,
                threshold.false_alarms,
                threshold.alarms,
                threshold.false_alarms_per_shift,
            ),
        ));
        lines.push((
            "",
            format!(
                "{:<10} readings: {} flagged rightly, {} wrongly; {} missed, {} left alone",
                "",
                confusion.true_positive,
                confusion.false_positive,
                confusion.false_negative,
                confusion.true_negative,
            ),
        ));
    }
    lines
}
