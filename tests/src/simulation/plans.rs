//! What a change of the control plan does: the rule that it concerns is judged by the plan that the event names, and a plan
//! is in force soon after it was pushed.

use std::time::Duration;

use fake_aws::{Call, Effect};
use judgement::judge_late;
use quality_event::QualityEvent;

use super::audit::Audit;
use super::judged::entry_of;
use super::reference::is_firing;
use super::workload::CHANGED_RULE;
use super::world::{PLAN_BUCKET, Plant};

/// By then everybody judges by a plan that was pushed: a minute until it is looked for, a minute of an invocation, a call
/// that is late, and clocks that differ.
const IN_FORCE_MS: i64 = 170_000;

/// Control plans as they were pushed.
#[derive(Debug)]
pub struct Pushed {
    /// Those that pass their check, with the time and the digest.
    good: Vec<(i64, String)>,
    /// Whether one did not.
    any_bad: bool,
}

impl Pushed {
    /// The plan that a run starts with.
    pub fn first(digest: String) -> Self {
        Self {
            good: vec![(0, digest)],
            any_bad: false,
        }
    }

    /// A plan is pushed; `digest` unless it fails its check.
    pub fn note(&mut self, at_ms: i64, digest: Option<&str>) {
        match digest {
            Some(digest) => self.good.push((at_ms, digest.to_owned())),
            None => self.any_bad = true,
        }
    }

    /// Whether somebody may have judged by this plan what arrived then.
    fn may_judge(&self, digest: &str, at_ms: i64) -> bool {
        let settled = self
            .good
            .iter()
            .rposition(|(pushed_ms, _)| pushed_ms + IN_FORCE_MS <= at_ms);
        let from = settled.unwrap_or(0);
        let pushed = self.good[from..].iter();
        let mut known = pushed.take_while(|(pushed_ms, _)| *pushed_ms <= at_ms);
        known.any(|(_, known)| known == digest)
    }
}

/// Events of the rule that changes say what their own plan says, and no plan is used for long after another was pushed.
pub fn check(audit: &mut Audit, plant: &Plant) {
    if !audit.reference.changes_plan {
        return;
    }
    // Who cannot reach a plan keeps the one it has, and so does who finds one that fails its check.
    let is_undisturbed = !audit.pushed.any_bad && !plant.world.calls().iter().any(keeps_from_plan);
    let mut wrong = Vec::new();
    for id in &audit.order {
        let contents = &audit.events[id];
        for event in contents {
            if let Some(fault) = fault_of(audit, event) {
                wrong.push(("the same verdict", fault));
            }
        }
        let arrived_ms = audit.arrivals.get(id).map_or(i64::MAX, |(_, at_ms)| *at_ms);
        let first = &contents[0];
        if is_undisturbed && !first.late && !audit.pushed.may_judge(&first.plan, arrived_ms) {
            let what = format!("{id} is judged by {} at {arrived_ms}", first.plan);
            wrong.push(("a plan comes into force", what));
        }
    }
    for (promise, what) in wrong {
        audit.violation(promise, what);
    }
}

/// Whether a call for the plan may have come to nothing in time.
fn keeps_from_plan(call: &Call) -> bool {
    call.resource == PLAN_BUCKET && is_in_vain(call)
}

/// Whether a call that is not waited for long may have come to nothing.
pub fn is_in_vain(call: &Call) -> bool {
    match &call.fault {
        None => false,
        Some(Effect::Slow(time)) => *time >= Duration::from_secs(1),
        Some(_) => true,
    }
}

fn fault_of(audit: &Audit, event: &QualityEvent) -> Option<String> {
    if event.subject() != CHANGED_RULE {
        return None;
    }
    let (plan, entry) = (
        audit.reference.plans.get(&event.plan)?,
        entry_of(audit, event)?,
    );
    let reading = plan.read(&entry.bytes).ok()?;
    let judged = judge_late(plan, &reading, &event.source, event.arrived);
    let found = judged.events.iter().find(|one| one.id == event.id);
    let is_right = match found {
        Some(found) => {
            (event.late || is_firing(event))
                && found.values == event.values
                && found.severity == event.severity
                && found.reaction == event.reaction
                && found.summary == event.summary
        }
        None => !event.late && !is_firing(event),
    };
    (!is_right).then(|| {
        let told = event.to_json();
        format!("by its plan, not so: {}", String::from_utf8_lossy(&told))
    })
}
