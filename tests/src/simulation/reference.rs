//! What should come of the readings: a model that knows neither batches nor retries, neither tables nor claims.
//!
//! Every record is judged the moment it is put, in the order of its shard, by the plan that the run starts with. That
//! is what the functions promise for machines whose readings keep to one shard (and its children), for the rules that
//! no plan change concerns. For the other machines, and where readings were parked, no order is promised: there the model
//! tells only on which readings a rule without memory fires.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use control_plan::ControlPlan;
use judgement::{MachineState, judge, judge_late};
use quality_event::{QualityEvent, Source, Timestamp, Transition};

use super::workload::{CHANGED_RULE, PLAN, Payload, Workload};

static FIRST_PLAN: LazyLock<Arc<ControlPlan>> =
    LazyLock::new(|| Arc::new(ControlPlan::parse("plan.yaml", PLAN).unwrap()));

/// What should come of a run.
pub struct Reference {
    /// Machines whose readings come through several shards.
    pub wanderers: BTreeSet<String>,
    /// Whether another plan is pushed at some time.
    pub changes_plan: bool,
    /// The functions' cool-down.
    pub cool_down_ms: i64,
    /// The plans that may judge, by their digests.
    pub plans: BTreeMap<String, Arc<ControlPlan>>,
    machines: BTreeMap<String, Machine>,
    /// What each record of the readings stream holds.
    pub records: HashMap<Place, Rc<[Entry]>>,
    /// The events that must come, by id.
    pub events: HashMap<String, QualityEvent>,
}

/// Shard and sequence number.
pub type Place = (String, String);

/// What is remembered of a machine.
#[derive(Default)]
pub struct Machine {
    /// After its last reading.
    pub state: MachineState,
    /// How many readings it has.
    pub readings: usize,
    /// When they arrived, in seconds since 1970.
    arrived_s: BTreeSet<i64>,
}

/// One user record.
pub struct Entry {
    /// Its place within an aggregate.
    pub sub_sequence_number: Option<u64>,
    /// Its bytes.
    pub bytes: Rc<[u8]>,
    /// The reading in it, if it is one.
    pub reading: Option<Judged>,
}

/// A reading and what it should give rise to.
pub struct Judged {
    /// The machine.
    pub machine: String,
    /// Its place among the machine's readings, from 0.
    pub order: usize,
    /// The ids of the events that must come.
    pub events: Vec<String>,
    /// Whether the machine's state is another one after it.
    pub changes: bool,
    /// Whether the machine has told of it before.
    pub repeats: bool,
    fires: OnceCell<Vec<String>>,
    fires_of: Box<dyn Fn() -> Vec<String>>,
}

impl Judged {
    /// The rules without memory that fire on it, as the ids of their events.
    pub fn fires(&self) -> &[String] {
        self.fires.get_or_init(&self.fires_of)
    }
}

/// A plan that passes its check.
fn parsed(text: &str) -> Arc<ControlPlan> {
    match text == PLAN {
        true => Arc::clone(&FIRST_PLAN),
        false => Arc::new(ControlPlan::parse("plan.yaml", text).unwrap()),
    }
}

/// The digest of a plan that passes its check.
pub fn digest(text: &str) -> String {
    parsed(text).hash().to_owned()
}

impl Reference {
    /// Nothing has been put yet.
    pub fn new(workload: &Workload) -> Self {
        let plans = workload.plans();
        let by_digest = |plan: Arc<ControlPlan>| (plan.hash().to_owned(), plan);
        Self {
            wanderers: workload
                .wanderers()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            changes_plan: plans.iter().any(|text| *text != PLAN),
            cool_down_ms: workload.cool_down_s * 1_000,
            plans: plans.into_iter().map(parsed).map(by_digest).collect(),
            machines: BTreeMap::new(),
            records: HashMap::new(),
            events: HashMap::new(),
        }
    }

    /// Judges what a record holds.
    pub fn put(
        &mut self,
        stream_arn: &str,
        record: &fake_aws::Record,
        holds: &[Payload],
        is_aggregate: bool,
    ) {
        let entries = (0..).zip(holds).map(|(sub, payload)| {
            let sub_sequence_number = is_aggregate.then_some(sub);
            let source = Source::Stream {
                stream: stream_arn.to_owned(),
                shard: record.shard.clone(),
                sequence_number: record.sequence_number.clone(),
                sub_sequence_number,
            };
            Entry {
                sub_sequence_number,
                bytes: payload.bytes.clone(),
                reading: payload
                    .machine
                    .as_deref()
                    .map(|machine| self.judge(machine, &payload.bytes, &source, record.arrived_ms)),
            }
        });
        let entries: Vec<_> = entries.collect();
        let place = (record.shard.clone(), record.sequence_number.clone());
        self.records.insert(place, entries.into());
    }

    fn judge(&mut self, name: &str, bytes: &Rc<[u8]>, source: &Source, arrived_ms: i64) -> Judged {
        let plan = &**FIRST_PLAN;
        let reading = plan.read(bytes).unwrap();
        let arrived = Timestamp::from_millis(arrived_ms).unwrap();
        let certain = self
            .changes_plan
            .then(|| self.fires_by_all(bytes, source, arrived));
        let machine = self.machines.entry(name.to_owned()).or_default();
        let before = machine.state.clone();
        machine.arrived_s.insert(arrived_ms.div_euclid(1_000));
        let judgement = judge(plan, &mut machine.state, &reading, source, arrived);
        let order = machine.readings;
        machine.readings += 1;
        let mut events = Vec::new();
        for event in judgement.events {
            if !self.changes_plan || event.subject() != CHANGED_RULE {
                events.push(event.id.to_string());
                self.events.insert(event.id.to_string(), event);
            }
        }
        if !judgement.is_duplicate {
            events.extend(certain.into_iter().flatten());
        }
        // Few readings are ever asked.
        let changes_plan = self.changes_plan;
        let (bytes, source) = (Rc::clone(bytes), source.clone());
        let fires_of = move || {
            let reading = FIRST_PLAN.read(&bytes).unwrap();
            let late = judge_late(&FIRST_PLAN, &reading, &source, arrived).events;
            late.iter()
                .filter(|event| !changes_plan || event.subject() != CHANGED_RULE)
                .map(|event| event.id.to_string())
                .collect()
        };
        Judged {
            machine: name.to_owned(),
            order,
            events,
            changes: machine.state != before,
            repeats: judgement.is_duplicate,
            fires: OnceCell::new(),
            fires_of: Box::new(fires_of),
        }
    }

    /// The events of the rule that changes which must come whatever plan is in force.
    fn fires_by_all(&self, bytes: &[u8], source: &Source, arrived: Timestamp) -> Vec<String> {
        let by_plan = self.plans.values().map(|plan| {
            let reading = plan.read(bytes).unwrap();
            let events = judge_late(plan, &reading, source, arrived).events;
            let changing = events
                .iter()
                .filter(|event| event.subject() == CHANGED_RULE);
            changing.map(|event| event.id.to_string()).collect()
        });
        let in_both = |one: Vec<String>, other: Vec<String>| {
            one.into_iter().filter(|id| other.contains(id)).collect()
        };
        by_plan.reduce(in_both).unwrap_or_default()
    }

    /// Whether a reading of the machine arrived within this second since 1970.
    pub fn has_arrived_at(&self, machine: &str, second: i64) -> bool {
        let machine = self.machines.get(machine);
        machine.is_some_and(|machine| machine.arrived_s.contains(&second))
    }

    /// The machines that have been heard of.
    pub fn machines(&self) -> impl Iterator<Item = (&str, &Machine)> {
        self.machines
            .iter()
            .map(|(name, machine)| (name.as_str(), machine))
    }

    /// Whether an event of this rule is told exactly by the model.
    pub fn knows_rule(&self, rule: &str) -> bool {
        !self.changes_plan || rule != CHANGED_RULE
    }

    /// Whether this rule remembers nothing between readings.
    pub fn is_without_memory(rule: &str) -> bool {
        FIRST_PLAN
            .rule(rule)
            .is_some_and(|rule| !rule.has_memory() && rule.sustain().is_none())
    }
}

/// Whether an event says that a rule fires.
pub fn is_firing(event: &QualityEvent) -> bool {
    matches!(
        event.transition(),
        Some(Transition::Opened | Transition::Ongoing)
    )
}
