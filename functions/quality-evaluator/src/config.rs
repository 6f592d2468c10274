//! The evaluator's configuration, read once at the start.

use std::time::Duration;

use function_ports::variables::{self, PLAN_REFRESH, PLAN_URI, QUALITY_STREAM};
use lambda_function::Settings;
use lambda_function::config::{ConfigErrors, Environment, Reader, Variable};

use crate::PlanUri;

const STATE_TABLE: Variable =
    Variable::required("STATE_TABLE", "andon-state", "the table of machine states");
const SET_ASIDE_BUCKET: Variable = Variable::required(
    "SET_ASIDE_BUCKET",
    "andon-set-aside",
    "the bucket for readings that cannot be judged",
);
const STATE_TTL: Variable = Variable::optional(
    "STATE_TTL",
    "604800",
    "seconds that a silent machine's state is kept; must exceed the readings stream's retention",
);
const MACHINE_HOLD: Variable = Variable::optional(
    "MACHINE_HOLD",
    "300",
    "seconds from its arrival after which a failing machine's reading is parked instead of holding its shard back; must be less than the mapping's maximum record age",
);

/// What the function reads besides [`Settings::VARIABLES`].
pub const VARIABLES: &[Variable] = &[
    PLAN_URI,
    PLAN_REFRESH,
    STATE_TABLE,
    QUALITY_STREAM,
    SET_ASIDE_BUCKET,
    STATE_TTL,
    MACHINE_HOLD,
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
    /// The table of machine states.
    pub state_table: String,
    /// The quality-events stream's name.
    pub quality_stream: String,
    /// The bucket for what is set aside.
    pub set_aside_bucket: String,
    /// How long a silent machine's state is kept.
    pub state_ttl: Duration,
    /// How old a failing machine's reading may get before it is parked.
    pub machine_hold: Duration,
}

impl Config {
    /// Reads the variables, or reports every bad one.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigErrors> {
        let mut vars = Reader::new(environment);
        let settings = Settings::read(&mut vars);
        let (plan_uri, plan_refresh) = variables::plan(&mut vars);
        let state_table = vars.text(&STATE_TABLE);
        let quality_stream = vars.text(&QUALITY_STREAM);
        let set_aside_bucket = vars.text(&SET_ASIDE_BUCKET);
        let state_ttl = vars.seconds(&STATE_TTL, 86_400..=315_360_000);
        let machine_hold = vars.seconds(&MACHINE_HOLD, 1..=604_800);
        vars.finish(|| {
            Some(Self {
                settings: settings?,
                plan_uri: plan_uri?,
                plan_refresh: plan_refresh?,
                state_table: state_table?,
                quality_stream: quality_stream?,
                set_aside_bucket: set_aside_bucket?,
                state_ttl: state_ttl?,
                machine_hold: machine_hold?,
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
