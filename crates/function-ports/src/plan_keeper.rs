//! The plan in force: refreshed as it changes, and never replaced by one that fails its check.
//!
//! Every environment comes to the same plan, the newest version that passes: those that run keep it, and one that starts
//! goes back to it through the object's versions.

use std::str::Utf8Error;
use std::sync::Arc;
use std::time::Duration;

use control_plan::{ControlPlan, PlanErrors};
use lambda_function::Causes;
use lambda_function::clock::Clock;
use lambda_function::metrics::Metrics;
use tokio::sync::Mutex;

use crate::plan_source::{Fetched, PlanSource};
use crate::{PortError, metric};

const REFRESH_TIMEOUT: Duration = Duration::from_secs(2);

/// Holds the last good plan.
pub struct PlanKeeper<S, C> {
    source: S,
    name: String,
    refresh: Duration,
    clock: C,
    metrics: Arc<Metrics>,
    kept: Mutex<Kept>,
}

struct Kept {
    plan: Arc<ControlPlan>,
    /// The version fetched last, good or not, so that a bad one is reported once.
    tag: String,
    asked_ms: i64,
}

/// Why a function cannot start: there is no good plan yet.
#[derive(Debug, thiserror::Error)]
pub enum PlanUnusable {
    /// It cannot be fetched.
    #[error("no control plan at {uri}: check it and put it there with `andon plan push`")]
    Unreachable {
        /// Where it should be.
        uri: String,
        /// What the source said.
        #[source]
        cause: PortError,
    },
    /// It fails its check.
    #[error("the control plan at {uri} fails its check:\n{errors}")]
    Refused {
        /// Where it is.
        uri: String,
        /// What is wrong with it.
        errors: Refusal,
    },
}

/// What is wrong with a plan.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is no text.
    #[error("it is not UTF-8: {0}")]
    NotText(#[from] Utf8Error),
    /// It fails its check: every fault of it.
    #[error("{0}")]
    Faults(PlanErrors),
}

impl<S: PlanSource, C: Clock> PlanKeeper<S, C> {
    /// Fetches the first plan: the newest, or if that fails its check the newest of those before that pass. `name` stands
    /// in error messages.
    ///
    /// # Errors
    /// If none passes.
    pub async fn start(
        source: S,
        name: String,
        refresh: Duration,
        clock: C,
        metrics: Arc<Metrics>,
    ) -> Result<Self, PlanUnusable> {
        let (tag, bytes) = match source.fetch(None).await {
            Ok(Fetched::Plan { tag, bytes }) => (tag, bytes),
            Ok(Fetched::Unchanged) => (String::new(), Vec::new()),
            Err(cause) => return Err(PlanUnusable::Unreachable { uri: name, cause }),
        };
        let plan = match check(&name, &bytes) {
            Ok(plan) => plan,
            Err(errors) => match last_good(&source, &name).await {
                Some(plan) => {
                    metrics.add(&metric::PLAN_REFUSED, &[], 1);
                    tracing::error!(%errors, kept = plan.hash(), "control plan refused, an earlier version is in force");
                    plan
                }
                None => return Err(PlanUnusable::Refused { uri: name, errors }),
            },
        };
        tracing::info!(plan = plan.hash(), uri = name, "control plan in force");
        let kept = Kept {
            plan: Arc::new(plan),
            tag,
            asked_ms: clock.now_ms(),
        };
        Ok(Self {
            source,
            name,
            refresh,
            clock,
            metrics,
            kept: Mutex::new(kept),
        })
    }

    /// The plan in force, asked for anew where the last answer is older than the refresh time.
    pub async fn plan(&self) -> Arc<ControlPlan> {
        let mut kept = self.kept.lock().await;
        let now_ms = self.clock.now_ms();
        if u128::from(now_ms.abs_diff(kept.asked_ms)) >= self.refresh.as_millis() {
            kept.asked_ms = now_ms;
            self.refresh(&mut kept).await;
        }
        Arc::clone(&kept.plan)
    }

    async fn refresh(&self, kept: &mut Kept) {
        let fetch = self.source.fetch(Some(&kept.tag));
        // Bounded: the batch in hand can be judged by the plan in force.
        let Ok(fetched) = tokio::time::timeout(REFRESH_TIMEOUT, fetch).await else {
            self.metrics.add(&metric::PLAN_UNREACHABLE, &[], 1);
            tracing::warn!(kept = kept.plan.hash(), "control plan does not answer");
            return;
        };
        match fetched {
            Ok(Fetched::Unchanged) => {}
            Ok(Fetched::Plan { tag, bytes }) => {
                kept.tag = tag;
                match check(&self.name, &bytes) {
                    Ok(plan) => {
                        tracing::info!(
                            plan = plan.hash(),
                            before = kept.plan.hash(),
                            "control plan in force"
                        );
                        kept.plan = Arc::new(plan);
                    }
                    Err(errors) => {
                        self.metrics.add(&metric::PLAN_REFUSED, &[], 1);
                        tracing::error!(%errors, kept = kept.plan.hash(), "control plan refused, the last good one stays");
                    }
                }
            }
            Err(error) => {
                self.metrics.add(&metric::PLAN_UNREACHABLE, &[], 1);
                tracing::warn!(error = %Causes(&error), kept = kept.plan.hash(), "control plan out of reach");
            }
        }
    }
}

fn check(name: &str, bytes: &[u8]) -> Result<ControlPlan, Refusal> {
    ControlPlan::parse(name, std::str::from_utf8(bytes)?).map_err(Refusal::Faults)
}

/// The newest of the earlier versions that passes its check.
async fn last_good<S: PlanSource>(source: &S, name: &str) -> Option<ControlPlan> {
    let out_of_reach = |error: &PortError| {
        tracing::error!(error = %Causes(error), "the control plan's earlier versions are out of reach");
    };
    let versions = source.earlier().await.inspect_err(out_of_reach).ok()?;
    for id in versions {
        let fetched = source.fetch_version(&id).await;
        let bytes = fetched.inspect_err(out_of_reach).ok()?;
        if let Ok(plan) = check(name, &bytes) {
            return Some(plan);
        }
    }
    None
}
