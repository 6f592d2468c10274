//! The writer's configuration, read once at the start.

use std::str::FromStr;
use std::time::Duration;

use lambda_function::Settings;
use lambda_function::config::{ConfigErrors, Environment, Reader, Variable};

const EVENTS_TABLE: Variable = Variable::required(
    "EVENTS_TABLE",
    "andon-events",
    "the table of quality events",
);
const SET_ASIDE_BUCKET: Variable = Variable::required(
    "SET_ASIDE_BUCKET",
    "andon-set-aside",
    "the bucket for records that are no events",
);
const STORE: Variable = Variable::optional(
    "STORE",
    "alerting",
    "`alerting` stores openings, clearings and flagged predictions; `all` stores every event",
);
const EVENT_TTL: Variable = Variable::optional(
    "EVENT_TTL",
    "7776000",
    "seconds from its arrival that an event is kept",
);

/// What the function reads besides [`Settings::VARIABLES`].
pub const VARIABLES: &[Variable] = &[EVENTS_TABLE, SET_ASIDE_BUCKET, STORE, EVENT_TTL];

/// Everything that the environment decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// What all functions share.
    pub settings: Settings,
    /// The table of quality events.
    pub events_table: String,
    /// The bucket for what is set aside.
    pub set_aside_bucket: String,
    /// What is stored, and for how long.
    pub policy: Policy,
}

/// What is stored, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which events are stored.
    pub store: Store,
    /// How long an event is kept, from its record's arrival.
    pub keep: Duration,
}

/// Which events are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Openings, clearings and flagged predictions.
    Alerting,
    /// Every event.
    All,
}

impl FromStr for Store {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "alerting" => Ok(Self::Alerting),
            "all" => Ok(Self::All),
            _ => Err("expected `alerting` or `all`"),
        }
    }
}

impl Config {
    /// Reads the variables, or reports every bad one.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigErrors> {
        let mut vars = Reader::new(environment);
        let settings = Settings::read(&mut vars);
        let events_table = vars.text(&EVENTS_TABLE);
        let set_aside_bucket = vars.text(&SET_ASIDE_BUCKET);
        let store = vars.parsed(&STORE, "`alerting` or `all`");
        let keep = vars.seconds(&EVENT_TTL, 60..=315_360_000);
        vars.finish(|| {
            Some(Self {
                settings: settings?,
                events_table: events_table?,
                set_aside_bucket: set_aside_bucket?,
                policy: Policy {
                    store: store?,
                    keep: keep?,
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
