//! Judges one batch: sort by machine, then in rounds load, judge, publish and commit; checkpoint.
//!
//! A round takes the unfinished machines in chunks. A machine whose load, publication or commit failed for a
//! reason that may pass, or that lost the race for its state, comes again in the next round, until the deadline;
//! every machine thus gets its turn before any gets a second one. A machine whose readings have waited longer than
//! the hold is tried for a few seconds only; then its readings are parked and its rules will begin anew after them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use control_plan::ControlPlan;
use function_ports::{Entry, LIMITS, Outbox, PortError};
use futures_util::{StreamExt, stream};
use kinesis_batch::{Batch, BatchResponse};
use lambda_function::Causes;
use lambda_function::backoff::Backoff;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::{Metrics, UNFINISHED};
use quality_event::EventId;
use set_aside::Shelf;
use tokio::sync::OnceCell;

use crate::finished::Finished;
use crate::hold::Hold;
use crate::machine::{MachineReadings, sort};
use crate::metric;
use crate::parking::{Held, park, settle};
use crate::restarts::{Pending, Place, Restarts};
use crate::state_store::{self, Commit, Committed, Loaded, StateStore};
use crate::verdict::{MachineRecord, Verdict, judge};
use crate::watermark::Mark;

const CONCURRENT_COMMITS: usize = 16;
const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Kept back from judging where a machine may have to be parked; at most a third of what is left.
const PARKING_TIME: Duration = Duration::from_secs(5);
/// What the handler acts through.
pub struct Ports<S, O, Q, R> {
    /// Where machines' states are kept.
    pub states: S,
    /// Where quality events go.
    pub outbox: O,
    /// Where unreadable records go, and readings that waited too long.
    pub shelf: Q,
    /// Where it is noted whose rules must begin anew.
    pub restarts: R,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What this environment has finished already.
    pub finished: Finished,
}

/// What bounds the waiting and the keeping.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a silent machine's state is kept.
    pub state_ttl: Duration,
    /// How long a machine may hold back its shard.
    pub hold: Hold,
}

/// Never fails as a whole: the stream resumes at the first record that is not done. `request_id` names this
/// invocation and no other.
pub async fn handle<S: StateStore, O: Outbox, Q: Shelf, R: Restarts>(
    plan: &ControlPlan,
    ports: &Ports<S, O, Q, R>,
    limits: Limits,
    batch: &Batch<'_>,
    request_id: &str,
    deadline: Deadline,
) -> BatchResponse {
    let mut outcomes = batch.outcomes();
    let known = ports.finished.known(batch);
    let mut replayed = 0;
    for record in batch.user_records().filter(|record| known[record.parent]) {
        outcomes.done(record.parent);
        replayed += 1;
    }
    ports.metrics.add(&metric::READINGS_REPLAYED, &[], replayed);
    let (machines, unreadable) = sort(plan, batch, &known);
    let machines: Vec<_> = machines.into_iter().map(Open::new).collect();
    let machine_count = machines.len();

    let unreadable_count = unreadable.len();
    // Side by side: neither a slow bucket nor a slow table holds up the other's records.
    let (safe, judged) = tokio::join!(
        unreadable.quarantine(&ports.shelf, &ports.metrics, deadline),
        judge_all(plan, ports, limits, machines, request_id, deadline)
    );
    safe.into_iter()
        .chain(judged)
        .for_each(|parent| outcomes.done(parent));
    ports.finished.remember(batch, &outcomes);
    ports.metrics.add(&UNFINISHED, &[], outcomes.unfinished());
    tracing::info!(
        records = batch.len(),
        machines = machine_count,
        unreadable = unreadable_count,
        unfinished = outcomes.unfinished(),
        plan = plan.hash(),
        "batch judged"
    );
    outcomes.response()
}

/// Judges machines in rounds and gives the indices of the records that are done, once per reading.
async fn judge_all<S: StateStore, O: Outbox, Q: Shelf, R: Restarts>(
    plan: &ControlPlan,
    ports: &Ports<S, O, Q, R>,
    limits: Limits,
    mut machines: Vec<Open<'_, '_>>,
    request_id: &str,
    deadline: Deadline,
) -> Vec<usize> {
    let mut held: BTreeMap<String, Held<'_, '_>> = machines
        .iter()
        .filter(|machine| limits.hold.is_over(&machine.readings))
        .map(|machine| (machine.name().to_owned(), Held::of(&machine.readings)))
        .collect();
    let all = deadline;
    let deadline = match held.is_empty() {
        true => all,
        false => all.within(all.remaining() - PARKING_TIME.min(all.remaining() / 3)),
    };
    let restarts = OnceCell::new();
    let (mut done, mut settled) = (Vec::new(), Vec::new());
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    for round in 0_u32.. {
        let mut again = Vec::new();
        let mut waiting = machines.into_iter().peekable();
        while waiting.peek().is_some() {
            let chunk: Vec<_> = waiting.by_ref().take(state_store::MAX_MACHINES).collect();
            for machine in &chunk {
                if let Some(held) = held.get_mut(machine.name()) {
                    held.begin();
                }
            }
            let owner = format!("{request_id}/{round}");
            let attempt = Attempt {
                plan,
                ports,
                state_ttl: limits.state_ttl,
                owner: &owner,
                restarts: &restarts,
            };
            // Cut off at the deadline, an attempt leaves nothing half done that the next one would not repeat.
            let Ok(tried) = deadline.run(attempt.run(chunk)).await else {
                break;
            };
            for (machine, end) in tried {
                match (end, held.get_mut(machine.name())) {
                    (End::Done(notes), _) => {
                        settled.extend(notes);
                        held.remove(machine.name());
                        done.extend(machine.parents());
                    }
                    (End::Again(reason), None) => {
                        ports.metrics.add(&metric::MACHINES_HELD, &[reason], 1);
                        again.push(machine);
                    }
                    (End::GivenUp(reason), None) => {
                        ports.metrics.add(&metric::MACHINES_HELD, &[reason], 1);
                    }
                    (End::Again(reason), Some(held)) => {
                        if held.is_worth_another(reason) {
                            again.push(machine);
                        }
                    }
                    (End::GivenUp(reason), Some(held)) => held.fail(reason),
                }
            }
        }
        machines = again;
        if machines.is_empty() || backoff.wait(deadline).await.is_err() {
            break;
        }
    }
    // What had no turn has not failed: the next invocation begins with it, since what had one is finished by then.
    let held = held.into_values().filter(Held::has_begun).collect();
    let (parked, ()) = tokio::join!(
        park(&ports.shelf, &ports.restarts, &ports.metrics, held, all),
        settle(&ports.restarts, &settled, all),
    );
    done.extend(parked);
    done
}

/// A machine with readings to judge, and what of them this invocation has already published.
struct Open<'r, 'b> {
    readings: MachineReadings<'r, 'b>,
    published: HashMap<EventId, Vec<u8>>,
}

impl<'r, 'b> Open<'r, 'b> {
    fn new(readings: MachineReadings<'r, 'b>) -> Self {
        Self {
            readings,
            published: HashMap::new(),
        }
    }
}

/// How an attempt at a machine ended; the reason is a metric's dimension.
enum End {
    /// With the notes that the stored state has taken account of.
    Done(Vec<(Place, Mark)>),
    Again(&'static str),
    GivenUp(&'static str),
}

impl End {
    fn of(error: &PortError, reason: &'static str) -> Self {
        match error.passing {
            true => Self::Again(reason),
            false => Self::GivenUp(reason),
        }
    }
}

/// One attempt at a chunk of machines.
struct Attempt<'a, S, O, Q, R> {
    plan: &'a ControlPlan,
    ports: &'a Ports<S, O, Q, R>,
    state_ttl: Duration,
    owner: &'a str,
    /// Read once per invocation, by the first attempt.
    restarts: &'a OnceCell<Pending>,
}

type Tried<'r, 'b> = Vec<(Open<'r, 'b>, End)>;

impl<S: StateStore, O: Outbox, Q, R: Restarts> Attempt<'_, S, O, Q, R> {
    async fn run<'r, 'b>(&self, chunk: Vec<Open<'r, 'b>>) -> Tried<'r, 'b> {
        let names: Vec<_> = chunk
            .iter()
            .map(|machine| machine.readings.machine.as_str())
            .collect();
        let (loaded, restarts) = tokio::join!(
            self.ports.states.load(&names),
            self.restarts.get_or_init(|| self.restarts())
        );
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::warn!(error = %Causes(&error), machines = chunk.len(), "states not loaded");
                return chunk
                    .into_iter()
                    .map(|machine| (machine, End::of(&error, "load")))
                    .collect();
            }
        };
        let mut tried = Vec::new();
        let mut judged = Vec::new();
        for machine in chunk {
            match self.judge(&loaded, restarts, &machine) {
                None => tried.push((machine, End::Again("load"))),
                Some(verdict) => judged.push((machine, verdict)),
            }
        }
        let failed = self.publish(&mut judged).await;
        let commits = judged.into_iter().map(|(machine, judged)| {
            let failure = failed.get(&machine.readings.machine).copied();
            async move {
                let end = match failure {
                    Some(true) => End::Again("publish"),
                    Some(false) => End::GivenUp("publish"),
                    None => self.commit(&machine, &judged).await,
                };
                (machine, end)
            }
        });
        tried.extend(
            stream::iter(commits)
                .buffer_unordered(CONCURRENT_COMMITS)
                .collect::<Vec<_>>()
                .await,
        );
        tried
    }

    /// The notes on parked readings, as far as they can be read: going on without a restart is the lesser evil.
    async fn restarts(&self) -> Pending {
        let mut pending = Pending::default();
        if let Err(error) = self.ports.restarts.pending(&mut pending).await {
            tracing::error!(error = %Causes(&error), "notes on parked readings out of reach");
            self.ports.metrics.add(&metric::RESTARTS_UNREAD, &[], 1);
        }
        pending
    }

    /// `None` if nothing is known of the machine's state.
    fn judge(
        &self,
        loaded: &Loaded,
        restarts: &Pending,
        machine: &Open<'_, '_>,
    ) -> Option<Judged<'_>> {
        let name = &machine.readings.machine;
        if loaded.unprocessed.contains(name) {
            return None;
        }
        let mut version = 0;
        let mut is_lost = false;
        let mut record = MachineRecord::default();
        if let Some(stored) = loaded.states.get(name) {
            version = stored.version;
            let (decoded, lost) = MachineRecord::decode(stored);
            record = decoded;
            is_lost = !lost.is_empty();
            for part in lost {
                self.ports.metrics.add(&metric::STATE_LOST, &[part], 1);
                tracing::error!(
                    machine = name,
                    part,
                    "stored state cannot be decoded, starting afresh"
                );
            }
        }
        let keep_ms = i64::try_from(self.state_ttl.as_millis()).unwrap_or(i64::MAX);
        let verdict = judge(self.plan, &record, &machine.readings, restarts, keep_ms);
        let entries = verdict.events.iter().map(Entry::of).collect();
        Some(Judged {
            version,
            is_lost,
            verdict,
            entries,
        })
    }

    /// Puts what is not yet on the stream, and returns the machines of which something is still missing, with
    /// whether another attempt may help.
    async fn publish(&self, judged: &mut [(Open<'_, '_>, Judged<'_>)]) -> HashMap<String, bool> {
        let mut failed = HashMap::new();
        let fresh: Vec<_> = judged
            .iter()
            .flat_map(|(machine, judged)| {
                judged
                    .entries
                    .iter()
                    .filter(|entry| !machine.has_published(entry))
            })
            .collect();
        let mut taken = HashSet::new();
        for call in LIMITS.cut(&fresh, |entry| entry.bytes()) {
            match self.ports.outbox.put(call).await {
                Ok(refused) => {
                    let refused: HashSet<_> = refused.into_iter().collect();
                    for (index, entry) in call.iter().enumerate() {
                        if refused.contains(&index) {
                            failed.insert(entry.machine.clone(), true);
                        } else {
                            taken.insert(entry.id.clone());
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %Causes(&error), events = call.len(), "events not published");
                    failed.extend(
                        call.iter()
                            .map(|entry| (entry.machine.clone(), error.passing)),
                    );
                }
            }
        }
        for (machine, judged) in judged {
            let entries = judged
                .entries
                .iter()
                .filter(|entry| taken.contains(&entry.id));
            machine
                .published
                .extend(entries.map(|entry| (entry.id.clone(), entry.json.clone())));
        }
        failed
    }

    async fn commit(&self, machine: &Open<'_, '_>, judged: &Judged<'_>) -> End {
        let Judged {
            version,
            verdict,
            entries,
            ..
        } = judged;
        if verdict.changed || judged.is_lost || !entries.is_empty() {
            let commit = Commit {
                machine: &machine.readings.machine,
                loaded: *version,
                owner: self.owner,
                record: &verdict.next,
                expires_at: state_store::expires_at(verdict.arrived_ms, self.state_ttl),
            };
            match self.ports.states.commit(&commit).await {
                Ok(Committed::Done) => {}
                Ok(Committed::Lost) => return End::Again("race"),
                Err(error) => {
                    tracing::warn!(error = %Causes(&error), machine = machine.readings.machine, "state not committed");
                    return End::of(&error, "commit");
                }
            }
        }
        self.count(verdict);
        End::Done(verdict.settled.clone())
    }

    fn count(&self, verdict: &Verdict<'_>) {
        let metrics = &self.ports.metrics;
        metrics.add(&metric::READINGS_JUDGED, &[], verdict.judged);
        metrics.add(&metric::READINGS_REPLAYED, &[], verdict.replayed);
        metrics.add(&metric::READINGS_DUPLICATE, &[], verdict.duplicates);
        metrics.add(
            &metric::RULES_RESTARTED,
            &[],
            usize::from(verdict.restarted),
        );
        metrics.add(
            &metric::MACHINES_ON_SEVERAL_SHARDS,
            &[],
            usize::from(verdict.is_on_several_shards),
        );
        for (rule, times) in &verdict.not_applicable {
            metrics.add(&metric::NOT_APPLICABLE, &[rule], *times);
        }
        for event in &verdict.events {
            let transition = event
                .transition()
                .map_or("none", |transition| transition.as_str());
            metrics.add(&metric::EVENTS, &[event.subject(), transition], 1);
        }
    }
}

/// A machine's readings judged, on their way out.
struct Judged<'p> {
    /// The version of the state that was loaded.
    version: u64,
    /// Whether part of it could not be decoded: it is written anew, so that this is counted once.
    is_lost: bool,
    verdict: Verdict<'p>,
    entries: Vec<Entry>,
}

impl Open<'_, '_> {
    fn name(&self) -> &str {
        &self.readings.machine
    }

    fn parents(&self) -> impl Iterator<Item = usize> {
        self.readings
            .readings
            .iter()
            .map(|(record, _)| record.parent)
    }

    fn has_published(&self, entry: &Entry) -> bool {
        self.published.get(&entry.id) == Some(&entry.json)
    }
}
