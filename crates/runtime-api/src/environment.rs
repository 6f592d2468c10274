//! One execution environment: a process, its Runtime API and its outputs.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::api::{self, Api, Event};
use crate::group::Group;
use crate::identity::Identity;
use crate::invocation::Outcome;
use crate::log::{Forward, LogSink, LogStream};
use crate::spec::FunctionSpec;

/// How long a process may take until it asks for its first event (AWS Lambda developer guide, "Understanding the Lambda
/// execution environment lifecycle", "Init phase").
const INIT_TIME_OUT: Duration = Duration::from_secs(10);
/// How long the outputs of an ended process may stay open: a child that has left its group may hold them.
const OUTPUT_TIME_OUT: Duration = Duration::from_secs(1);

/// When a process starts, seen from the invocation that it starts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Init {
    /// Ahead of it, within [`INIT_TIME_OUT`].
    Ahead,
    /// Once more, since that was not enough: as a part of it, within the function's time-out.
    Repeated,
}

/// A process that serves one invocation at a time. Dropped, it is killed.
pub(crate) struct Environment {
    number: u64,
    events: mpsc::Sender<Event>,
    init_failed: oneshot::Receiver<Outcome>,
    process: Process,
    started: Instant,
    /// None once its first invocation has come.
    init: Option<Init>,
}

/// How to end a process and to learn that it ended.
#[derive(Clone)]
pub(crate) struct Process {
    kill: Arc<Notify>,
    exited: watch::Receiver<Option<ExitStatus>>,
}

/// How an invocation ended, and how long start and work took.
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) duration: Duration,
    pub(crate) init: Option<Duration>,
    /// Whether the process was not up in time, so that its init phase is to be repeated.
    pub(crate) init_timed_out: bool,
}

impl Environment {
    /// Starts the process; it is up once it asks for an event.
    pub(crate) async fn start(
        spec: &FunctionSpec,
        number: u64,
        init: Init,
        sink: &Arc<dyn LogSink>,
    ) -> io::Result<Self> {
        let listener = api::listen().await?;
        let (api, events, init_failed) = Api::new();
        let mut command = Command::new(&spec.binary);
        command
            .env_clear()
            .envs(spec.variables(listener.local_addr()?, number))
            .current_dir(spec.task_root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let group = Group::start()?;
        let started = Instant::now();
        let mut child = group.spawn(&mut command)?;
        let forward = |stream| Forward {
            function: spec.name.clone(),
            environment: number,
            stream,
            api: Arc::clone(&api),
            sink: Arc::clone(sink),
        };
        let stdout = child
            .stdout
            .take()
            .map(|out| tokio::spawn(forward(LogStream::Stdout).run(out)));
        let stderr = child
            .stderr
            .take()
            .map(|out| tokio::spawn(forward(LogStream::Stderr).run(out)));
        let outputs = [stdout, stderr].into_iter().flatten().collect();
        let server = tokio::spawn(Arc::clone(&api).serve(listener));
        Ok(Self {
            number,
            events,
            init_failed,
            process: supervise(child, group, server, outputs),
            started,
            init: Some(init),
        })
    }

    /// Counted from 1 for each host.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The handle to its process.
    pub(crate) fn process(&self) -> Process {
        self.process.clone()
    }

    /// Delivers one event and sees it to its end; unless the function answered, or said that it
    /// failed, the process has been killed.
    pub(crate) async fn invoke(
        &mut self,
        identity: Identity,
        payload: Bytes,
        spec: &FunctionSpec,
    ) -> Ended {
        let init = self.init.take();
        let began = (init == Some(Init::Repeated)).then_some(self.started);
        let (delivered, taken) = oneshot::channel();
        let (ended, mut end) = oneshot::channel();
        let event = Event {
            identity,
            payload,
            time_out: spec.time_out,
            began,
            function_arn: spec.function_arn.clone(),
            delivered,
            ended,
        };
        // The API keeps the other end as long as the environment lives.
        let _ = self.events.send(event).await;

        let taken = self.delivered(taken, init, spec.time_out).await;
        let up = *taken.as_ref().unwrap_or(&Instant::now());
        let began = began.unwrap_or(up);
        let init_timed_out = init == Some(Init::Ahead) && taken == Err(Outcome::TimedOut);
        let init = init.map(|_| up - self.started);
        let (outcome, duration) = match taken {
            Err(outcome) => (outcome, began.elapsed()),
            Ok(_) => {
                tokio::select! {
                    biased;
                    Ok((at, outcome)) = &mut end => {
                        return Ended { outcome, duration: at - began, init, init_timed_out };
                    }
                    status = self.process.exited() => (Outcome::Crashed { status }, began.elapsed()),
                    () = sleep_until(began + spec.time_out) => (Outcome::TimedOut, began.elapsed()),
                }
            }
        };
        self.process.end().await;
        Ended {
            outcome,
            duration,
            init,
            init_timed_out,
        }
    }

    /// When the process took the event, or how it failed to.
    async fn delivered(
        &mut self,
        taken: oneshot::Receiver<Instant>,
        init: Option<Init>,
        time_out: Duration,
    ) -> Result<Instant, Outcome> {
        let given_up = match init {
            Some(Init::Repeated) => self.started + time_out,
            Some(Init::Ahead) | None => Instant::now() + INIT_TIME_OUT,
        };
        tokio::select! {
            biased;
            Ok(began) = taken => Ok(began),
            Ok(error) = &mut self.init_failed, if init.is_some() => Err(error),
            status = self.process.exited() => Err(Outcome::Crashed { status }),
            () = sleep_until(given_up) => Err(Outcome::TimedOut),
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.process.kill();
    }
}

impl Process {
    /// Asks for its end.
    pub(crate) fn kill(&self) {
        self.kill.notify_one();
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&self) -> bool {
        self.exited.borrow().is_none()
    }

    /// Kills it and waits until it has ended and its last lines are read.
    pub(crate) async fn end(&mut self) {
        self.kill();
        self.exited().await;
    }

    /// Waits until it has ended and its last lines are read.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        match self.exited.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_default(),
            // The supervisor goes only with the whole tokio runtime.
            Err(_) => ExitStatus::default(),
        }
    }
}

/// Watches a process to its end; then what it started ends too, its API goes and its outputs are read out.
fn supervise(
    mut child: Child,
    group: Group,
    server: JoinHandle<()>,
    outputs: Vec<JoinHandle<()>>,
) -> Process {
    let kill = Arc::new(Notify::new());
    let asked = Arc::clone(&kill);
    let (exit, exited) = watch::channel(None);
    tokio::spawn(async move {
        let waited = tokio::select! {
            status = child.wait() => status,
            () = asked.notified() => {
                // It may have ended in between, which is as good.
                let _ = child.start_kill();
                child.wait().await
            }
        };
        group.end().await;
        server.abort();
        let given_up = Instant::now() + OUTPUT_TIME_OUT;
        for mut output in outputs {
            if timeout_at(given_up, &mut output).await.is_err() {
                output.abort();
            }
        }
        // A process whose status cannot be had is gone all the same.
        exit.send_replace(Some(waited.unwrap_or_default()));
    });
    Process { kill, exited }
}
