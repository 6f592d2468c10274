//! The caller's configuration, read once at the start.

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use function_ports::PlanUri;
use function_ports::variables::{self, PLAN_REFRESH, PLAN_URI, QUALITY_STREAM};
use lambda_function::config::{ConfigErrors, Environment, Reader, Variable};
use lambda_function::{CallLimits, Settings};

const ENDPOINT_NAME: Variable = Variable::required(
    "ENDPOINT_NAME",
    "andon-model",
    "the SageMaker endpoint that is asked",
);
const TARGET_MODEL: Variable = Variable::optional(
    "TARGET_MODEL",
    "none",
    "the model of a multi-model endpoint, or `none`",
);
const TARGET_VARIANT: Variable = Variable::optional(
    "TARGET_VARIANT",
    "none",
    "the production variant that is asked, or `none`: the endpoint's weights decide",
);
const INFERENCE_COMPONENT: Variable = Variable::optional(
    "INFERENCE_COMPONENT",
    "none",
    "the inference component that is asked, or `none`",
);
const CALL_ROWS: Variable = Variable::optional(
    "CALL_ROWS",
    "500",
    "the most readings that one call asks about",
);
const CALL_BYTES: Variable = Variable::optional(
    "CALL_BYTES",
    "4500000",
    "the most bytes of one call; real-time endpoints take more than serverless ones (4 MB)",
);
const CONCURRENT_CALLS: Variable = Variable::optional(
    "CONCURRENT_CALLS",
    "4",
    "the most calls that one invocation makes side by side",
);
const CALL_TIMEOUT: Variable =
    Variable::optional("CALL_TIMEOUT", "10", "seconds that one call may take");
const CALL_ATTEMPTS: Variable = Variable::optional(
    "CALL_ATTEMPTS",
    "3",
    "how often an invocation makes a call that fails for a reason that may pass",
);
const BREAKER_FAILURES: Variable = Variable::optional(
    "BREAKER_FAILURES",
    "5",
    "calls that fail in a row before the endpoint is left alone",
);
const BREAKER_PAUSE: Variable = Variable::optional(
    "BREAKER_PAUSE",
    "30",
    "seconds that it is left alone before a single call probes it",
);
const WHEN_OPEN: Variable = Variable::optional(
    "WHEN_OPEN",
    "pass",
    "while the endpoint is left alone, `pass` lets readings pass unscored; `hold` holds the stream back",
);
const MAX_PREDICTION_AGE: Variable = Variable::optional(
    "MAX_PREDICTION_AGE",
    "900",
    "seconds from its arrival after which a reading passes unscored; must be less than the mapping's maximum record age",
);

/// What the function reads besides [`Settings::VARIABLES`].
pub const VARIABLES: &[Variable] = &[
    PLAN_URI,
    PLAN_REFRESH,
    QUALITY_STREAM,
    ENDPOINT_NAME,
    TARGET_MODEL,
    TARGET_VARIANT,
    INFERENCE_COMPONENT,
    CALL_ROWS,
    CALL_BYTES,
    CONCURRENT_CALLS,
    CALL_TIMEOUT,
    CALL_ATTEMPTS,
    BREAKER_FAILURES,
    BREAKER_PAUSE,
    WHEN_OPEN,
    MAX_PREDICTION_AGE,
];

/// Everything that the environment decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// What all functions share.
    pub settings: Settings,
    /// Where the control plan is.
    pub plan_uri: PlanUri,
    /// After how long a changed plan is looked for.
    pub plan_refresh: Duration,
    /// The quality-events stream's name.
    pub quality_stream: String,
    /// Who is asked.
    pub target: Target,
    /// How.
    pub policy: Policy,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The endpoint.
    pub endpoint: String,
    /// The model of a multi-model endpoint.
    pub model: Option<String>,
    /// The production variant.
    pub variant: Option<String>,
    /// The inference component.
    pub component: Option<String>,
}

/// How the model is asked, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What one call holds.
    pub limits: CallLimits,
    /// Calls side by side.
    pub concurrent_calls: usize,
    /// The time of one call.
    pub call_timeout: Duration,
    /// Attempts of one call in one invocation.
    pub attempts: u32,
    /// Failures in a row that open the breaker.
    pub breaker_failures: u32,
    /// For how long it is open.
    pub breaker_pause: Duration,
    /// What becomes of readings meanwhile.
    pub when_open: WhenOpen,
    /// How old a reading may get before it passes unscored.
    pub max_age: Duration,
}

/// What becomes of readings while the breaker is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenOpen {
    /// They pass unscored.
    Pass,
    /// They stay in front of the checkpoint.
    Hold,
}

impl FromStr for WhenOpen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "pass" => Ok(Self::Pass),
            "hold" => Ok(Self::Hold),
            _ => Err("neither `pass` nor `hold`"),
        }
    }
}

/// A name, or `none`.
struct Named(Option<String>);

impl FromStr for Named {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self((text != "none").then(|| text.to_owned())))
    }
}

impl Config {
    /// Reads the variables, or reports every bad one.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigErrors> {
        let mut vars = Reader::new(environment);
        let settings = Settings::read(&mut vars);
        let (plan_uri, plan_refresh) = variables::plan(&mut vars);
        let quality_stream = vars.text(&QUALITY_STREAM);
        let endpoint = vars.text(&ENDPOINT_NAME);
        let model = vars.parsed::<Named>(&TARGET_MODEL, "a name or `none`");
        let variant = vars.parsed::<Named>(&TARGET_VARIANT, "a name or `none`");
        let component = vars.parsed::<Named>(&INFERENCE_COMPONENT, "a name or `none`");
        let rows = vars.number(&CALL_ROWS, 1..=10_000);
        let bytes = vars.number(&CALL_BYTES, 1_000..=25_000_000);
        let concurrent_calls = vars.number(&CONCURRENT_CALLS, 1..=64);
        let call_timeout = vars.seconds(&CALL_TIMEOUT, 1..=60);
        let attempts = vars.number(&CALL_ATTEMPTS, 1..=20);
        let breaker_failures = vars.number(&BREAKER_FAILURES, 1..=1_000);
        let breaker_pause = vars.seconds(&BREAKER_PAUSE, 1..=3_600);
        let when_open = vars.parsed(&WHEN_OPEN, "`pass` or `hold`");
        let max_age = vars.seconds(&MAX_PREDICTION_AGE, 1..=604_800);
        vars.finish(|| {
            Some(Self {
                settings: settings?,
                plan_uri: plan_uri?,
                plan_refresh: plan_refresh?,
                quality_stream: quality_stream?,
                target: Target {
                    endpoint: endpoint?,
                    model: model?.0,
                    variant: variant?.0,
                    component: component?.0,
                },
                policy: Policy {
                    limits: CallLimits {
                        entries: rows? as usize,
                        bytes: bytes? as usize,
                    },
                    concurrent_calls: concurrent_calls? as usize,
                    call_timeout: call_timeout?,
                    attempts: attempts?,
                    breaker_failures: breaker_failures?,
                    breaker_pause: breaker_pause?,
                    when_open: when_open?,
                    max_age: max_age?,
                },
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use lambda_function::config::assert_declared;

    use super::*;

    #[test]
    fn what_is_read_is_what_is_declared() {
        assert_declared(VARIABLES, Config::read);
    }
}
