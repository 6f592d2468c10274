//! `chart`: a control chart that follows one machine, with what restarts it.

use control_chart::{ChartState, Observed, Sample};
use control_plan::{AttributeId, ChartRule, Evidence, Reading, Rule, SampleSize, Verdict};
use serde::{Deserialize, Serialize};

use super::Finding;
use crate::digest::digest;
use crate::observer::{ChartStep, Observer, Restart};

/// A chart's state, and the attributes that it was drawn under.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Charted {
    state: ChartState,
    /// Digests of the last texts of `relearn_on`, then `reset_on`, then the subgroup's attribute.
    keys: Vec<Option<[u8; 8]>>,
}

impl Charted {
    /// A subgroup that an attribute ends is judged first, by the chart as it was; then what restarts the chart; then
    /// the reading is taken in.
    pub(super) fn find(
        &mut self,
        rule: Rule<'_>,
        chart: &ChartRule,
        reading: &Reading,
        observer: &mut impl Observer,
    ) -> Finding {
        let Some(sample) = sample(chart, reading) else {
            return Finding::of_reading(Verdict::NotApplicable);
        };
        if chart
            .subgroup_by
            .is_some_and(|by| reading.attribute(by).is_none())
        {
            return Finding::of_reading(Verdict::NotApplicable);
        }
        let changes = self.changes(chart, reading);
        let ended = changes
            .subgroup
            .then(|| chart.chart.boundary(&mut self.state));
        let restart = if changes.relearn {
            self.state = ChartState::default();
            Some(Restart::Learning)
        } else if changes.reset {
            chart.chart.reset(&mut self.state);
            Some(Restart::Points)
        } else {
            None
        };
        let observed = chart.chart.observe(&mut self.state, sample);
        if let Some(observed) = &ended {
            observer.chart(
                rule,
                reading,
                &ChartStep {
                    observed,
                    restart: None,
                },
            );
        }
        observer.chart(
            rule,
            reading,
            &ChartStep {
                observed: &observed,
                restart,
            },
        );
        match (ended, observed) {
            (Some(Observed::Point(point)), _) | (_, Observed::Point(point)) => {
                Finding::new(!point.fired.is_empty(), Evidence::Chart(point))
            }
            (_, Observed::Gathering | Observed::Learning) => {
                Finding::of_reading(Verdict::Undecided)
            }
            (_, Observed::Unusable) => Finding::of_reading(Verdict::NotApplicable),
        }
    }

    /// Which attributes have another text than before; one that is absent, or new, is no change.
    fn changes(&mut self, chart: &ChartRule, reading: &Reading) -> Changes {
        let watched = chart.relearn_on.len()
            + chart.reset_on.len()
            + usize::from(chart.subgroup_by.is_some());
        self.keys.resize(watched, None);
        let (relearn, rest) = self.keys.split_at_mut(chart.relearn_on.len());
        let (reset, subgroup) = rest.split_at_mut(chart.reset_on.len());
        Changes {
            relearn: change(relearn, &chart.relearn_on, reading),
            reset: change(reset, &chart.reset_on, reading),
            subgroup: change(subgroup, chart.subgroup_by.as_slice(), reading),
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.state == ChartState::default() && self.keys.iter().all(Option::is_none)
    }

    pub(super) fn is_plausible(&self) -> bool {
        self.state.is_plausible()
    }
}

struct Changes {
    relearn: bool,
    reset: bool,
    subgroup: bool,
}

fn change(keys: &mut [Option<[u8; 8]>], attributes: &[AttributeId], reading: &Reading) -> bool {
    let mut changed = false;
    for (key, attribute) in keys.iter_mut().zip(attributes) {
        let Some(now) = reading.attribute(*attribute).map(digest) else {
            continue;
        };
        changed |= key.is_some_and(|before| before != now);
        *key = Some(now);
    }
    changed
}

fn sample(chart: &ChartRule, reading: &Reading) -> Option<Sample> {
    let value = reading.value(chart.characteristic)?;
    Some(match chart.size {
        None => Sample::Value(value),
        Some(SampleSize::Constant(size)) => Sample::Counted { count: value, size },
        Some(SampleSize::Characteristic(size)) => Sample::Counted {
            count: value,
            size: reading.value(size)?,
        },
    })
}
