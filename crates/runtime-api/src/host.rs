//! A function with its execution environments.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::environment::{Ended, Environment, Init, Process};
use crate::identity::Identity;
use crate::invocation::{Invocation, MAX_PAYLOAD_BYTES};
use crate::log::LogSink;
use crate::spec::FunctionSpec;

/// One function, hosted. Invocations may run at once, each in an environment of its own.
pub struct FunctionHost {
    spec: FunctionSpec,
    sink: Arc<dyn LogSink>,
    free: Semaphore,
    invocations: AtomicU64,
    environments: AtomicU64,
    stopped: AtomicBool,
    pool: Mutex<Pool>,
}

#[derive(Default)]
struct Pool {
    /// The last used comes first, as in Lambda: those that are not needed grow old.
    idle: Vec<Environment>,
    /// All that live, busy ones too.
    processes: BTreeMap<u64, Process>,
}

/// The function cannot be hosted.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such program.
    #[error("no program at {binary}")]
    NoProgram {
        /// Where it should be.
        binary: PathBuf,
        /// What looking for it met.
        source: io::Error,
    },
    /// No environment could ever start.
    #[error("max_environments is 0")]
    NoEnvironments,
}

/// The function was not invoked.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// Lambda refuses such a payload.
    #[error("the payload has {bytes} bytes, the limit is {MAX_PAYLOAD_BYTES}")]
    PayloadTooLarge {
        /// Its length.
        bytes: usize,
    },
    /// The program did not start.
    #[error("cannot start {binary}")]
    CannotStart {
        /// The program.
        binary: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The host has been stopped.
    #[error("the host of {function} is stopped")]
    Stopped {
        /// The function's name.
        function: String,
    },
}

impl FunctionHost {
    /// Hosts a function; processes start when invocations need them. Needs a tokio runtime with I/O.
    ///
    /// # Errors
    /// If there is no such program or no environment allowed.
    pub fn start(mut spec: FunctionSpec, sink: Arc<dyn LogSink>) -> Result<Self, StartError> {
        // A process is started in the program's own directory, so the path must hold from anywhere.
        spec.binary = spec
            .binary
            .canonicalize()
            .map_err(|source| StartError::NoProgram {
                binary: spec.binary.clone(),
                source,
            })?;
        if spec.max_environments == 0 {
            return Err(StartError::NoEnvironments);
        }
        Ok(Self {
            free: Semaphore::new(spec.max_environments.min(Semaphore::MAX_PERMITS)),
            spec,
            sink,
            invocations: AtomicU64::new(0),
            environments: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            pool: Mutex::default(),
        })
    }

    /// What is hosted.
    pub fn spec(&self) -> &FunctionSpec {
        &self.spec
    }

    /// Invokes the function and waits for the end; first for a free environment if all are busy. Given up
    /// (dropped), the invocation's process is killed.
    ///
    /// # Errors
    /// If the function was not invoked; what it did when invoked is the [`Outcome`](crate::Outcome).
    pub async fn invoke(&self, payload: Bytes) -> Result<Invocation, InvokeError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(InvokeError::PayloadTooLarge {
                bytes: payload.len(),
            });
        }
        // Closed when the host stops.
        let Ok(_permit) = self.free.acquire().await else {
            return Err(self.is_stopped());
        };
        let environment = match self.take_idle() {
            Some(environment) => environment,
            None => self.start_environment(Init::Ahead).await?,
        };
        let number = self.invocations.fetch_add(1, Ordering::Relaxed);
        let identity = Identity::new(&self.spec.name, number);
        let request_id = identity.request_id.clone();
        let ended = self.run(environment, identity, payload).await?;
        Ok(Invocation {
            request_id,
            duration: ended.duration,
            cold: ended.init.is_some(),
            init_duration: ended.init.unwrap_or(Duration::ZERO),
            outcome: ended.outcome,
        })
    }

    /// How many processes live.
    pub fn environments(&self) -> usize {
        self.pool()
            .processes
            .values()
            .filter(|process| process.is_alive())
            .count()
    }

    /// Kills one of the living processes, busy or idle, chosen by `random`; its number, or none if there is none.
    pub fn kill_one(&self, random: u64) -> Option<u64> {
        let pool = self.pool();
        let alive: Vec<(&u64, &Process)> = pool
            .processes
            .iter()
            .filter(|(_, process)| process.is_alive())
            .collect();
        let index = random.checked_rem(alive.len() as u64)?;
        let (number, process) = alive.get(usize::try_from(index).ok()?)?;
        process.kill();
        Some(**number)
    }

    /// Kills a process that has nothing to do, the one that the next invocation would get; its number, or none if all are
    /// busy.
    pub fn kill_idle(&self) -> Option<u64> {
        let environment = self.take_idle()?;
        environment.process().kill();
        Some(environment.number())
    }

    /// Kills every process with all that it has started, and waits until all have ended and their last lines are read.
    /// Invocations that run end as crashed, those that wait or come later are refused.
    pub async fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.free.close();
        let processes = {
            let mut pool = self.pool();
            pool.idle.clear();
            std::mem::take(&mut pool.processes)
        };
        for mut process in processes.into_values() {
            process.end().await;
        }
    }

    /// Runs an invocation in this environment, or in another that starts for it where this one's process is not up in time.
    async fn run(
        &self,
        mut environment: Environment,
        identity: Identity,
        payload: Bytes,
    ) -> Result<Ended, InvokeError> {
        let (again, event) = (identity.clone(), payload.clone());
        let mut ended = environment.invoke(identity, payload, &self.spec).await;
        if ended.init_timed_out {
            let first = ended.init;
            self.put_back(environment);
            environment = self.start_environment(Init::Repeated).await?;
            ended = environment.invoke(again, event, &self.spec).await;
            ended.init = first;
        }
        self.put_back(environment);
        Ok(ended)
    }

    fn take_idle(&self) -> Option<Environment> {
        let mut pool = self.pool();
        while let Some(environment) = pool.idle.pop() {
            if environment.process().is_alive() {
                return Some(environment);
            }
            pool.processes.remove(&environment.number());
        }
        None
    }

    async fn start_environment(&self, init: Init) -> Result<Environment, InvokeError> {
        let number = self.environments.fetch_add(1, Ordering::Relaxed) + 1;
        let environment = Environment::start(&self.spec, number, init, &self.sink)
            .await
            .map_err(|source| InvokeError::CannotStart {
                binary: self.spec.binary.clone(),
                source,
            })?;
        let mut pool = self.pool();
        if self.stopped.load(Ordering::SeqCst) {
            return Err(self.is_stopped());
        }
        // Those of invocations that were given up have gone without a word.
        pool.processes.retain(|_, process| process.is_alive());
        pool.processes.insert(number, environment.process());
        Ok(environment)
    }

    /// A process that has ended is forgotten; one that ends from here on is when it is wanted next.
    fn put_back(&self, environment: Environment) {
        let mut pool = self.pool();
        match environment.process().is_alive() {
            true if self.stopped.load(Ordering::SeqCst) => {}
            true => pool.idle.push(environment),
            false => {
                pool.processes.remove(&environment.number());
            }
        }
    }

    fn is_stopped(&self) -> InvokeError {
        InvokeError::Stopped {
            function: self.spec.name.clone(),
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
