//! Trouble made on purpose: processes of functions that are killed at random, calls to AWS that fail in every way there is,
//! answers that are lost, and records that no function survives.
//!
//! What a run comes to is checked as without it: nothing is lost, whatever happens to processes.

mod call;
mod messages;
mod part;
mod plan;
mod proxy;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use clap::ValueEnum;
use event_source_mapping::SourceRecord;
use futures_util::future::BoxFuture;
use runtime_api::{FunctionHost, Invocation, InvokeError, Outcome};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::mapping::Function;
use crate::simulate::random::Random;
use plan::Plan;
use proxy::Proxy;

/// Which trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Chaos {
    /// The functions' processes are killed at random, while readings are put and for 15 s after
    Kill,
    /// Besides, their calls to AWS fail before and after their effect, in part, late or in silence; services throttle
    /// and go down for a while; answers to invocations are lost
    All,
}

/// Everything that goes wrong by one seed, until it is calmed or dropped.
pub struct Storm {
    killer: Option<Killer>,
    proxies: BTreeMap<String, Proxy>,
    lost: Arc<Lost>,
    seed: u64,
}

/// Answers to invocations that are lost.
#[derive(Debug, Default)]
struct Lost {
    calm: AtomicBool,
    invocations: AtomicU64,
    answers: AtomicU64,
}

/// What a storm has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Processes that were killed at random, by function.
    pub killed: BTreeMap<String, u64>,
    /// Calls and invocations by the fault that they met.
    pub faults: BTreeMap<String, u64>,
}

impl Storm {
    /// Gets ready: a way to the local AWS at `endpoint`, and to the `model`, for each of the functions, if their calls are
    /// to fail.
    pub async fn gather(
        chaos: Chaos,
        seed: u64,
        packages: &[String],
        endpoint: &str,
        model: Option<&str>,
    ) -> io::Result<Self> {
        let mut proxies = BTreeMap::new();
        if chaos == Chaos::All {
            for (function, package) in packages.iter().enumerate() {
                let plan = Plan {
                    seed,
                    function: function as u64,
                };
                proxies.insert(package.clone(), Proxy::start(plan, endpoint, model).await?);
            }
        }
        Ok(Self {
            killer: None,
            proxies,
            lost: Arc::default(),
            seed,
        })
    }

    /// What a function is to take for AWS, if not the local AWS itself.
    pub fn endpoint(&self, package: &str) -> Option<String> {
        self.proxies.get(package).map(Proxy::endpoint)
    }

    /// The function as it seems from outside.
    pub fn around(&self, function: Arc<dyn Function>) -> Arc<dyn Function> {
        match self.proxies.is_empty() {
            true => function,
            false => Arc::new(Forgetful {
                function,
                lost: Arc::clone(&self.lost),
                seed: self.seed,
            }),
        }
    }

    /// Whose processes die when a call's fault says so.
    pub fn attach(&self, hosts: &[(String, Arc<FunctionHost>)]) {
        for (package, host) in hosts {
            if let Some(proxy) = self.proxies.get(package) {
                proxy.attach(Arc::clone(host));
            }
        }
    }

    /// Begins to kill.
    pub fn begin(&mut self, hosts: Vec<(String, Arc<FunctionHost>)>) {
        self.killer = Some(Killer::start(hosts, self.seed));
    }

    /// Nothing goes wrong from here on.
    pub fn calm(&self) {
        if let Some(killer) = &self.killer {
            killer.stop();
        }
        self.proxies.values().for_each(Proxy::calm);
        self.lost.calm.store(true, Ordering::Relaxed);
    }

    /// Waits until no effect of a call is still to come.
    pub async fn spent(&self) {
        while self.proxies.values().any(|proxy| proxy.late() > 0) {
            sleep(LOOK).await;
        }
    }

    /// What it has done so far.
    pub fn damage(&self) -> Damage {
        let mut faults = BTreeMap::new();
        for (fault, count) in self.proxies.values().flat_map(Proxy::counts) {
            *faults.entry(fault.to_owned()).or_default() += count;
        }
        let lost = self.lost.answers.load(Ordering::Relaxed);
        if lost > 0 {
            faults.insert("answer-lost".to_owned(), lost);
        }
        Damage {
            killed: self.killer.as_ref().map(Killer::killed).unwrap_or_default(),
            faults,
        }
    }
}

/// Between two looks at what is still to come.
const LOOK: Duration = Duration::from_millis(50);

/// A function of whose answers some are lost.
struct Forgetful {
    function: Arc<dyn Function>,
    lost: Arc<Lost>,
    seed: u64,
}

/// Of a hundred answers, so many are lost.
const LOST_PERCENT: u32 = 5;

impl Function for Forgetful {
    fn invoke<'a>(
        &'a self,
        event: Bytes,
        records: &'a [Arc<SourceRecord>],
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        Box::pin(async move {
            let mut invocation = self.function.invoke(event, records).await?;
            let number = self.lost.invocations.fetch_add(1, Ordering::Relaxed);
            let is_lost = Random::new(self.seed, LOST_STREAM + number).between(1, 100)
                <= LOST_PERCENT
                && !self.lost.calm.load(Ordering::Relaxed);
            if is_lost {
                self.lost.answers.fetch_add(1, Ordering::Relaxed);
                invocation.outcome = Outcome::TimedOut;
            }
            Ok(invocation)
        })
    }
}

/// The streams of random numbers that decide which answers are lost begin here.
const LOST_STREAM: u64 = 4 << 60;

/// So long trouble goes on once every reading is put: a killed alerter's claims have to run out some time.
pub const AFTER_FEED: Duration = Duration::from_secs(15);
/// Between two kills, in ms: a process lives for some seconds.
const BETWEEN_MS: (u32, u32) = (50, 650);

/// Kills processes until it is stopped, or dropped.
#[derive(Debug)]
struct Killer {
    task: JoinHandle<()>,
    killed: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Killer {
    /// Begins; which process dies when follows from the seed, what it is at then does not.
    fn start(hosts: Vec<(String, Arc<FunctionHost>)>, seed: u64) -> Self {
        let killed: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
        let counts = Arc::clone(&killed);
        let task = tokio::spawn(async move {
            let mut random = Random::new(seed, 0);
            let most = u32::try_from(hosts.len().saturating_sub(1)).unwrap_or(0);
            loop {
                let wait = random.between(BETWEEN_MS.0, BETWEEN_MS.1);
                sleep(Duration::from_millis(wait.into())).await;
                let which = random.between(0, most) as usize;
                let process = random.between(0, u32::MAX - 1);
                let Some((package, host)) = hosts.get(which) else {
                    return;
                };
                if host.kill_one(process.into()).is_some() {
                    *counts
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .entry(package.clone())
                        .or_default() += 1;
                }
            }
        });
        Self { task, killed }
    }

    /// No process is killed from here on.
    fn stop(&self) {
        self.task.abort();
    }

    /// How many were killed, by function.
    fn killed(&self) -> BTreeMap<String, u64> {
        self.killed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A text that no function survives: the process that is given a record with it ends before it does anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poison(String);

impl std::str::FromStr for Poison {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err("an empty text is in every record"),
            text => Ok(Self(text.to_owned())),
        }
    }
}

impl Poison {
    /// Whether a record has it.
    pub fn is_in(&self, data: &[u8]) -> bool {
        let text = self.0.as_bytes();
        data.windows(text.len()).any(|window| window == text)
    }
}

/// A function that does not survive some records.
pub struct Poisoned {
    /// The function.
    pub host: Arc<FunctionHost>,
    /// What it does not survive.
    pub poison: Poison,
}

impl Function for Poisoned {
    fn invoke<'a>(
        &'a self,
        event: Bytes,
        records: &'a [Arc<SourceRecord>],
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        if !records.iter().any(|record| self.poison.is_in(&record.data)) {
            return Box::pin(self.host.invoke(event));
        }
        Box::pin(async move {
            // The process that would have got the records ends as one does that runs out of memory: by SIGKILL. Others'
            // invocations go on.
            let process = self.host.kill_idle().unwrap_or_default();
            Ok(Invocation {
                request_id: format!("poisoned-{process}"),
                duration: Duration::ZERO,
                cold: false,
                init_duration: Duration::ZERO,
                outcome: Outcome::Crashed {
                    status: ExitStatus::from_raw(9),
                },
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poison_is_found_anywhere_in_a_record() {
        let poison: Poison = "press-07\",\"bad".parse().unwrap();
        for (data, expected) in [
            (&br#"{"machine":"press-07","bad":1}"#[..], true),
            (br#"{"machine":"press-07"}"#, false),
            (b"", false),
        ] {
            assert_eq!(poison.is_in(data), expected);
        }
        assert!("".parse::<Poison>().is_err());
    }
}
