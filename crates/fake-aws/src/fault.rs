//! Faults on demand: which calls they hit, and what those calls meet.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::call::{Call, Part, Service};

/// What a call meets. *Before* and *after* are seen from the world's state: before, nothing has happened and a
/// retry is the first; after, it has happened and the caller does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Refused by the service's own throttling error. Nothing happens.
    Throttled,
    /// Refused by the service's own missing-permission error. Nothing happens.
    AccessDenied,
    /// Refused with this status, error code and message. Nothing happens.
    Refused(u16, &'static str, &'static str),
    /// HTTP 500. Nothing happens.
    FailBefore,
    /// It happens, and the answer is HTTP 500.
    FailAfter,
    /// The connection drops. Nothing happens.
    DropBefore,
    /// It happens, and the connection drops.
    DropAfter,
    /// Nothing happens, and no answer ever comes.
    TimeoutBefore,
    /// It happens, and no answer ever comes.
    TimeoutAfter,
    /// It happens at once; the answer takes so long.
    Slow(Duration),
    /// It happens only after so long, **even if the caller has given up by then**; then the answer comes.
    Late(Duration),
    /// The chosen parts fail, the others happen: `UnprocessedItems`, `UnprocessedKeys`, failed entries of
    /// PutRecords and PublishBatch. An operation that cannot answer in part is throttled as a whole; so are
    /// DynamoDB's batches if every part is chosen, as AWS does.
    Partial(Parts),
    /// As [`Effect::Partial`] for PutRecords and PublishBatch, with this code and message on the failed entries.
    PartialAs(Parts, &'static str, &'static str),
    /// DynamoDB's reads that are not consistent see each item as it was before its last write.
    StaleRead,
}

/// Which parts of a call an [`Effect::Partial`] takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Those at these places in the request, from 0.
    At(Vec<usize>),
    /// The first so many.
    First(usize),
    /// All but the first so many.
    After(usize),
    /// Those whose key contains the text.
    Keyed(String),
    /// Those whose key or content contains the text.
    Mentioning(String),
    /// All.
    Every,
}

type Predicate = Arc<dyn Fn(&Call) -> bool + Send + Sync>;

/// Which calls a fault hits, among those to its service and operation.
#[derive(Clone, Default)]
pub struct When {
    predicates: Vec<Predicate>,
    skip: u64,
    times: Option<u64>,
}

/// A fault: where, when and what.
#[derive(Clone, Debug)]
pub struct Fault {
    service: Service,
    operation: String,
    when: When,
    effect: Effect,
}

/// Tells how often a fault has been met.
#[derive(Clone, Debug)]
pub struct FaultHandle(Arc<AtomicU64>);

/// Decides about calls that no [`Fault`] hits; a closure will do. It is asked while the world is locked: it must
/// not call the world.
pub trait FaultPlan: Send {
    /// What this call meets; `None`: nothing, it is answered as usual.
    fn decide(&mut self, call: &Call) -> Option<Effect>;
}

impl<F: FnMut(&Call) -> Option<Effect> + Send> FaultPlan for F {
    fn decide(&mut self, call: &Call) -> Option<Effect> {
        self(call)
    }
}

impl Fault {
    /// A fault of an operation, `"*"` for any of the service's; by default every call is throttled.
    pub fn new(service: Service, operation: &str) -> Self {
        Self {
            service,
            operation: operation.to_owned(),
            when: When::always(),
            effect: Effect::Throttled,
        }
    }

    /// Which calls it hits.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// What they meet.
    #[must_use]
    pub fn then(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}

impl When {
    /// Every call.
    pub fn always() -> Self {
        Self::default()
    }

    /// The n-th call alone, from 1.
    pub fn nth(n: u64) -> Self {
        Self::always().and_nth(n)
    }

    /// The first n calls.
    pub fn first(n: u64) -> Self {
        Self::always().times(n)
    }

    /// Calls that mention the text in a key, in their content or in the resource's name.
    pub fn mentions(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::matches(move |call| call.mentions(&text))
    }

    /// Calls of which this is true.
    pub fn matches(predicate: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        Self::always().and(predicate)
    }

    /// Narrows to calls of which this is true as well.
    #[must_use]
    pub fn and(mut self, predicate: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        self.predicates.push(Arc::new(predicate));
        self
    }

    /// Narrows to the n-th of the calls that match so far, from 1.
    #[must_use]
    pub fn and_nth(mut self, n: u64) -> Self {
        self.skip = n.saturating_sub(1);
        self.times = Some(1);
        self
    }

    /// Leaves the first n matching calls alone.
    #[must_use]
    pub fn after(mut self, n: u64) -> Self {
        self.skip = n;
        self
    }

    /// Stops after n hits.
    #[must_use]
    pub fn times(mut self, n: u64) -> Self {
        self.times = Some(n);
        self
    }
}

impl fmt::Debug for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("When")
            .field("predicates", &self.predicates.len())
            .field("skip", &self.skip)
            .field("times", &self.times)
            .finish()
    }
}

impl Parts {
    /// Those at these places in the request, from 0.
    pub fn at(places: impl IntoIterator<Item = usize>) -> Self {
        Self::At(places.into_iter().collect())
    }

    /// Those whose key contains the text.
    pub fn keyed(text: impl Into<String>) -> Self {
        Self::Keyed(text.into())
    }

    /// Those whose key or content contains the text.
    pub fn mentioning(text: impl Into<String>) -> Self {
        Self::Mentioning(text.into())
    }

    /// One flag per part: whether it is taken.
    pub(crate) fn choose(&self, parts: &[Part]) -> Vec<bool> {
        let chosen = |(place, part): (usize, &Part)| match self {
            Self::At(places) => places.contains(&place),
            Self::First(n) => place < *n,
            Self::After(n) => place >= *n,
            Self::Keyed(text) => part.key.contains(text),
            Self::Mentioning(text) => part.key.contains(text) || part.text.contains(text),
            Self::Every => true,
        };
        parts.iter().enumerate().map(chosen).collect()
    }
}

impl FaultHandle {
    /// How many calls have met the fault so far.
    pub fn fired(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The world's faults, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Vec<Armed>,
    plan: Option<Box<dyn FaultPlan>>,
}

struct Armed {
    fault: Fault,
    seen: u64,
    fired: Arc<AtomicU64>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) -> FaultHandle {
        let fired = Arc::new(AtomicU64::new(0));
        self.armed.push(Armed {
            fault,
            seen: 0,
            fired: Arc::clone(&fired),
        });
        FaultHandle(fired)
    }

    pub(crate) fn set_plan(&mut self, plan: Option<Box<dyn FaultPlan>>) {
        self.plan = plan;
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
        self.plan = None;
    }

    /// Every fault counts the calls that match it, whichever of them hits; the first one due does.
    pub(crate) fn decide(&mut self, call: &Call) -> Option<Effect> {
        let mut effect = None;
        for armed in &mut self.armed {
            if armed.is_due(call) && effect.is_none() {
                armed.fired.fetch_add(1, Ordering::Relaxed);
                effect = Some(armed.fault.effect.clone());
            }
        }
        effect.or_else(|| self.plan.as_mut().and_then(|plan| plan.decide(call)))
    }
}

impl Armed {
    fn is_due(&mut self, call: &Call) -> bool {
        let Fault {
            service,
            operation,
            when,
            ..
        } = &self.fault;
        let matches = *service == call.service
            && (operation == "*" || *operation == call.operation)
            && when.predicates.iter().all(|predicate| predicate(call));
        if !matches {
            return false;
        }
        self.seen += 1;
        let hit = self.seen.saturating_sub(when.skip);
        hit > 0
            && when
                .times
                .is_none_or(|times| self.fired.load(Ordering::Relaxed) < times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Answer;

    fn call(operation: &str, keys: &[&str]) -> Call {
        Call {
            number: 1,
            at_ms: 0,
            service: Service::Kinesis,
            operation: operation.to_owned(),
            resource: "quality-events".to_owned(),
            parts: keys
                .iter()
                .map(|key| Part {
                    key: (*key).to_owned(),
                    text: format!("{{\"of\":\"{key}\"}}").into(),
                })
                .collect(),
            attempt: 1,
            consistent: None,
            fault: None,
            answer: Answer::None,
            happened: None,
        }
    }

    /// Which of five calls, alternating between two machines, a fault hits.
    fn check(when: When, expected: [bool; 5]) {
        let mut faults = Faults::default();
        let handle = faults.add(
            Fault::new(Service::Kinesis, "PutRecords")
                .when(when)
                .then(Effect::FailBefore),
        );
        let hit = ["press-01", "press-02", "press-01", "press-02", "press-01"]
            .map(|key| faults.decide(&call("PutRecords", &[key])).is_some());
        assert_eq!(hit, expected);
        assert_eq!(
            handle.fired(),
            expected.iter().filter(|hit| **hit).count() as u64
        );
        assert_eq!(faults.decide(&call("PutRecord", &["press-01"])), None);
    }

    #[test]
    fn faults_hit_the_calls_they_name() {
        let (yes, no) = (true, false);
        check(When::always(), [yes; 5]);
        check(When::nth(2), [no, yes, no, no, no]);
        check(When::first(2), [yes, yes, no, no, no]);
        check(When::always().after(3), [no, no, no, yes, yes]);
        check(When::mentions("press-01"), [yes, no, yes, no, yes]);
        check(When::mentions("press-01").and_nth(2), [no, no, yes, no, no]);
        check(
            When::mentions("press-02").after(1).times(1),
            [no, no, no, yes, no],
        );
        check(When::matches(|call| call.parts.len() > 1), [no; 5]);
    }

    #[test]
    fn the_first_fault_due_hits_and_the_plan_is_asked_last() {
        let mut faults = Faults::default();
        faults.add(
            Fault::new(Service::Kinesis, "*")
                .when(When::nth(2))
                .then(Effect::DropAfter),
        );
        faults.add(Fault::new(Service::Kinesis, "PutRecords").when(When::first(2)));
        faults.set_plan(Some(Box::new(|call: &Call| {
            (call.number == 1).then_some(Effect::AccessDenied)
        })));
        let decided: Vec<_> = (0..3)
            .map(|_| faults.decide(&call("PutRecords", &[])))
            .collect();
        assert_eq!(
            decided,
            [
                Some(Effect::Throttled),
                Some(Effect::DropAfter),
                Some(Effect::Throttled)
            ],
            "a fault that another one overtakes keeps its remaining hits"
        );
        assert_eq!(
            faults.decide(&call("PutRecords", &[])),
            Some(Effect::AccessDenied)
        );
    }

    #[test]
    fn parts_are_chosen_by_place_key_or_content() {
        let parts = call("PutRecords", &["press-01", "press-02", "oven-01"]).parts;
        for (chosen, expected) in [
            (Parts::at([0, 2]), [true, false, true]),
            (Parts::First(2), [true, true, false]),
            (Parts::After(2), [false, false, true]),
            (Parts::keyed("press"), [true, true, false]),
            (Parts::mentioning("\"oven"), [false, false, true]),
            (Parts::Every, [true; 3]),
        ] {
            assert_eq!(chosen.choose(&parts), expected, "{chosen:?}");
        }
    }
}
