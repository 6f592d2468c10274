//! Trouble made on purpose: processes of functions that are killed at random, and records that no function survives.
//!
//! What a run comes to is checked as without it: nothing is lost, whatever happens to processes.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
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

/// Which trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Chaos {
    /// The functions' processes are killed at random, while readings are put and for 15 s after
    Kill,
}

/// So long it goes on once every reading is put: a killed alerter's claims have to run out some time.
pub const AFTER_FEED: Duration = Duration::from_secs(15);
/// Between two kills, in ms: a process lives for some seconds.
const BETWEEN_MS: (u32, u32) = (50, 650);

/// Kills processes until it is stopped, or dropped.
#[derive(Debug)]
pub struct Killer {
    task: JoinHandle<()>,
    killed: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Killer {
    /// Begins; which process dies when follows from the seed, what it is at then does not.
    pub fn start(hosts: Vec<(String, Arc<FunctionHost>)>, seed: u64) -> Self {
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
    pub fn stop(&self) {
        self.task.abort();
    }

    /// How many were killed, by function.
    pub fn killed(&self) -> BTreeMap<String, u64> {
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
            // The same end as that of a process which runs out of memory: SIGKILL.
            let process = self.host.kill_one(0).unwrap_or_default();
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
