//! Makes the planned faults happen: decides what every call, invocation and read meets, and notes which faults did.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fake_aws::{Call, Effect, FaultPlan, Parts};
use tokio::sync::Notify;

use super::fault::{Calls, FaultClass, Hit, Hitch, How, Meet, Planned, Twist, While};
use super::function::Function;

/// Whose calls these are; set for as long as an invocation runs.
#[derive(Debug)]
pub struct Running {
    /// The function.
    pub function: Function,
    /// The invocation's request id.
    pub request_id: String,
    /// Whether its batch begins with a record that was delivered before.
    pub again: bool,
    /// Told when its environment dies.
    pub crashed: Notify,
}

tokio::task_local! {
    /// The invocation that runs.
    pub static RUNNING: Arc<Running>;
}

/// The faults of a run; cloning gives another handle on the same.
#[derive(Clone, Debug)]
pub struct Injector(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    seed: u64,
    faults: Vec<Armed>,
    /// What happened, call by call.
    log: Vec<Hits>,
}

#[derive(Debug)]
struct Armed {
    fault: Planned,
    seen: u32,
    fired: u32,
    in_vain: u32,
    first_ms: Option<i64>,
}

/// A fault that hit something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits {
    /// Which one, by its place in the plan.
    pub fault: usize,
    /// When.
    pub at_ms: i64,
    /// What it hit.
    pub what: String,
}

impl Injector {
    /// These faults; `seed` decides how long calls take.
    pub fn new(seed: u64, faults: &[Planned]) -> Self {
        let armed = faults.iter().map(|fault| Armed {
            fault: fault.clone(),
            seen: 0,
            fired: 0,
            in_vain: 0,
            first_ms: None,
        });
        Self(Arc::new(Mutex::new(State {
            seed,
            faults: armed.collect(),
            log: Vec::new(),
        })))
    }

    /// What the function's next invocation meets, each with the fault's place in the plan.
    pub fn invocation(&self, function: Function, now_ms: i64, what: &str) -> Vec<(usize, Twist)> {
        let mut state = self.state();
        let mut twists = Vec::new();
        for place in 0..state.faults.len() {
            let armed = &mut state.faults[place];
            let How::Invocation(twist) = armed.fault.how else {
                continue;
            };
            let times = match twist {
                Twist::Throttled(times) => times,
                _ => 1,
            };
            if armed.is_due(function, now_ms) && armed.fired < times {
                twists.push((place, twist));
                state.hit(place, now_ms, what.to_owned());
            }
        }
        twists
    }

    /// What the function's mapping meets: a read that fails, or else how long it stands still.
    pub fn mapping(&self, function: Function, now_ms: i64, is_read: bool) -> Option<Hitch> {
        let mut state = self.state();
        let place = state.faults.iter().position(|armed| {
            let How::Mapping(hitch) = armed.fault.how else {
                return false;
            };
            armed.is_due(function, now_ms)
                && armed.fired == 0
                && is_read == (hitch == Hitch::ReadFailed)
        })?;
        state.hit(place, now_ms, format!("the mapping of {function}"));
        match state.faults[place].fault.how {
            How::Mapping(hitch) => Some(hitch),
            _ => None,
        }
    }

    /// What this fault was to do to an invocation came to nothing.
    pub fn in_vain(&self, place: usize) {
        self.state().faults[place].in_vain += 1;
    }

    /// How often each fault has hit something and came to something, in the order of the plan.
    pub fn fired(&self) -> Vec<u32> {
        let state = self.state();
        let armed = state.faults.iter();
        armed.map(|armed| armed.fired - armed.in_vain).collect()
    }

    /// The kinds of faults that an invocation met.
    pub fn met_by(&self, request_id: &str) -> Vec<FaultClass> {
        let state = self.state();
        let is_its = |hit: &&Hits| hit.what.split(' ').next() == Some(request_id);
        let its = state.log.iter().filter(is_its);
        its.map(|hit| state.faults[hit.fault].fault.class).collect()
    }

    /// When something else than a machine's outage hit the function last.
    pub fn last_hit_ms(&self, function: Function) -> Option<i64> {
        let state = self.state();
        let hits = state.log.iter().filter(|hit| {
            let fault = &state.faults[hit.fault].fault;
            fault.function == function && fault.class != FaultClass::MachineOutage
        });
        hits.map(|hit| hit.at_ms).max()
    }

    /// What faults hit, in order.
    pub fn log(&self) -> Vec<Hits> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultPlan for Injector {
    fn decide(&mut self, call: &Call) -> Option<Effect> {
        let mut state = self.state();
        let running = RUNNING.try_with(Arc::clone).ok();
        let met = running.and_then(|running| state.decide(call, &running));
        met.or_else(|| Some(Effect::Slow(state.latency(call.number))))
    }
}

impl Armed {
    fn is_due(&self, function: Function, now_ms: i64) -> bool {
        self.fault.function == function && self.fault.from_ms <= now_ms
    }

    /// Whether the fault ahead has hit long enough ago.
    fn follows(&self, ahead_ms: Option<i64>, now_ms: i64) -> bool {
        match &self.fault.how {
            How::Calls(Calls {
                behind_ms: Some(behind_ms),
                ..
            }) => ahead_ms.is_some_and(|ahead_ms| ahead_ms + behind_ms <= now_ms),
            _ => true,
        }
    }
}

impl State {
    fn hit(&mut self, fault: usize, at_ms: i64, what: String) {
        self.faults[fault].fired += 1;
        self.faults[fault].first_ms.get_or_insert(at_ms);
        self.log.push(Hits { fault, at_ms, what });
    }

    /// The first fault that is due decides.
    fn decide(&mut self, call: &Call, running: &Running) -> Option<Effect> {
        let draw = self.draw(call.number);
        let mut ahead_ms = None;
        for place in 0..self.faults.len() {
            let armed = &mut self.faults[place];
            let ahead_ms = std::mem::replace(&mut ahead_ms, armed.first_ms);
            if !armed.is_due(running.function, call.at_ms) || !armed.follows(ahead_ms, call.at_ms) {
                continue;
            }
            let effect = match &armed.fault.how {
                How::Calls(calls) if armed.fired < calls.times && calls.concern(call, running) => {
                    armed.seen += 1;
                    match armed.seen > calls.skip {
                        true => Some(calls.hit.effect(running)),
                        false => None,
                    }
                }
                How::While(during) => during.effect(call, draw),
                _ => None,
            };
            if let Some(effect) = effect {
                let what = format!(
                    "{} {} {} of {}",
                    running.request_id, call.service, call.operation, call.resource
                );
                self.hit(place, call.at_ms, what);
                return Some(effect);
            }
        }
        None
    }

    /// Uniform in [0, 1), the same for the same call of the same seed.
    fn draw(&self, number: u64) -> f64 {
        // SplitMix64's finaliser (Steele, Lea, Flood 2014).
        let mut z = (self.seed ^ number.rotate_left(32)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Most calls are answered within a few milliseconds, some take long.
    fn latency(&self, number: u64) -> Duration {
        let draw = self.draw(!number);
        let ms = match draw {
            draw if draw < 0.98 => 1.0 + draw * 11.0,
            draw if draw < 0.998 => (draw - 0.98) * 20_000.0,
            _ => 2_000.0,
        };
        Duration::from_millis(ms as u64)
    }
}

impl Calls {
    fn concern(&self, call: &Call, running: &Running) -> bool {
        let is_meant = |operation| operation == call.operation;
        self.operation.is_none_or(is_meant) && (running.again || !self.again)
    }
}

impl Hit {
    fn effect(self, running: &Running) -> Effect {
        match self {
            Self::FailBefore => Effect::FailBefore,
            Self::DropBefore => Effect::DropBefore,
            Self::FailAfter => Effect::FailAfter,
            Self::DropAfter => Effect::DropAfter,
            Self::TimeoutBefore => Effect::TimeoutBefore,
            Self::TimeoutAfter => Effect::TimeoutAfter,
            Self::Late(ms) => Effect::Late(Duration::from_millis(ms)),
            Self::CrashBefore => {
                running.crashed.notify_one();
                Effect::TimeoutBefore
            }
            Self::CrashAfter => {
                running.crashed.notify_one();
                Effect::TimeoutAfter
            }
            Self::CrashInFlight(ms) => {
                running.crashed.notify_one();
                Effect::Late(Duration::from_millis(ms))
            }
            Self::Denied => Effect::AccessDenied,
            Self::FirstRefused(places) => Effect::PartialAs(
                Parts::First(places),
                "InvalidParameter",
                "Invalid parameter: Message",
            ),
            Self::FirstFail(places) => Effect::Partial(Parts::First(places)),
            Self::AllButFirstFail(places) => Effect::Partial(Parts::After(places)),
            Self::FirstFailInside(places) => Effect::PartialAs(
                Parts::First(places),
                "InternalFailure",
                "Internal service failure.",
            ),
            Self::StaleRead => Effect::StaleRead,
        }
    }
}

impl While {
    fn effect(&self, call: &Call, draw: f64) -> Option<Effect> {
        let concerns =
            call.service == self.service && call.at_ms < self.until_ms && draw < self.share;
        if !concerns {
            return None;
        }
        let effect = match self.meet {
            Meet::Throttled => Effect::Throttled,
            Meet::Denied => Effect::AccessDenied,
            Meet::Failing => Effect::FailBefore,
            Meet::Silent => Effect::TimeoutBefore,
        };
        match (&self.mentioning, call.operation.as_str()) {
            (None, _) => Some(effect),
            (Some(machine), "PutRecords") if call.mentions(machine) => {
                Some(Effect::Partial(Parts::keyed(machine)))
            }
            (Some(machine), "PutItem") if call.mentions(machine) => Some(effect),
            // A load concerns many machines at once.
            (Some(_), _) => None,
        }
    }
}
