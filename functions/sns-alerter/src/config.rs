//! The alerter's configuration, read once at the start.

use std::time::Duration;

use lambda_function::Settings;
use lambda_function::config::{ConfigErrors, Environment, Reader, Variable};

const CLAIMS_TABLE: Variable =
    Variable::required("CLAIMS_TABLE", "andon-claims", "the table of claims");
const ALERT_TOPIC: Variable = Variable::required(
    "ALERT_TOPIC",
    "arn:aws:sns:eu-central-1:123456789012:andon-alerts",
    "the topic that people subscribe to",
);
const LINE_STOP_TOPIC: Variable = Variable::required(
    "LINE_STOP_TOPIC",
    "arn:aws:sns:eu-central-1:123456789012:andon-line-stop",
    "the topic that the lines' gateways subscribe to",
);
const SET_ASIDE_BUCKET: Variable = Variable::required(
    "SET_ASIDE_BUCKET",
    "andon-set-aside",
    "the bucket for records that are no events",
);
const FUNCTION_TIMEOUT: Variable = Variable::required(
    "FUNCTION_TIMEOUT",
    "60",
    "seconds: the function's own time-out, from which the claims' lease follows",
);
const COOL_DOWN: Variable = Variable::optional(
    "COOL_DOWN",
    "300",
    "seconds of reading time in which a machine and rule alert once; 0 alerts every opening",
);
const MAX_ALERT_AGE: Variable = Variable::optional(
    "MAX_ALERT_AGE",
    "3600",
    "seconds from its arrival after which an event alerts nobody",
);
const LINE_STOP_EXPIRY: Variable = Variable::optional(
    "LINE_STOP_EXPIRY",
    "60",
    "seconds from its arrival after which an event stops no line",
);
const CLAIM_TTL: Variable = Variable::optional(
    "CLAIM_TTL",
    "604800",
    "seconds that a claim is remembered; must exceed MAX_ALERT_AGE and COOL_DOWN",
);

/// What the function reads besides [`Settings::VARIABLES`].
pub const VARIABLES: &[Variable] = &[
    CLAIMS_TABLE,
    ALERT_TOPIC,
    LINE_STOP_TOPIC,
    SET_ASIDE_BUCKET,
    FUNCTION_TIMEOUT,
    COOL_DOWN,
    MAX_ALERT_AGE,
    LINE_STOP_EXPIRY,
    CLAIM_TTL,
];

/// How much longer than an invocation a claim holds: clocks differ.
const LEASE_MARGIN: Duration = Duration::from_secs(10);

/// Everything that the environment decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// What all functions share.
    pub settings: Settings,
    /// The table of claims.
    pub claims_table: String,
    /// The ARN of the topic that people subscribe to.
    pub alert_topic: String,
    /// The ARN of the topic that the lines' gateways subscribe to.
    pub line_stop_topic: String,
    /// The bucket for what is set aside.
    pub set_aside_bucket: String,
    /// When and for how long.
    pub policy: Policy,
}

/// When an event alerts, and for how long that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// In reading time, per machine and rule.
    pub cool_down: Duration,
    /// From the record's arrival.
    pub max_alert_age: Duration,
    /// From the record's arrival.
    pub line_stop_expiry: Duration,
    /// How long a claim holds: longer than any invocation that could still publish.
    pub lease: Duration,
    /// How long a claim is remembered.
    pub claim_ttl: Duration,
}

impl Config {
    /// Reads the variables, or reports every bad one.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigErrors> {
        let mut vars = Reader::new(environment);
        let settings = Settings::read(&mut vars);
        let claims_table = vars.text(&CLAIMS_TABLE);
        let alert_topic = vars.arn(&ALERT_TOPIC, "sns");
        let line_stop_topic = vars.arn(&LINE_STOP_TOPIC, "sns");
        let set_aside_bucket = vars.text(&SET_ASIDE_BUCKET);
        let time_out = vars.seconds(&FUNCTION_TIMEOUT, 1..=900);
        let cool_down = vars.seconds(&COOL_DOWN, 0..=604_800);
        let max_alert_age = vars.seconds(&MAX_ALERT_AGE, 1..=604_800);
        let line_stop_expiry = vars.seconds(&LINE_STOP_EXPIRY, 1..=86_400);
        let claim_ttl = vars.seconds(&CLAIM_TTL, 60..=31_536_000);
        if let (Some(ttl), Some(age), Some(cool_down)) = (claim_ttl, max_alert_age, cool_down)
            && ttl <= age.max(cool_down)
        {
            vars.refuse(
                &CLAIM_TTL,
                format!("{} s", ttl.as_secs()),
                "more seconds than MAX_ALERT_AGE and COOL_DOWN",
            );
        }
        vars.finish(|| {
            Some(Self {
                settings: settings?,
                claims_table: claims_table?,
                alert_topic: alert_topic?.as_str().to_owned(),
                line_stop_topic: line_stop_topic?.as_str().to_owned(),
                set_aside_bucket: set_aside_bucket?,
                policy: Policy {
                    cool_down: cool_down?,
                    max_alert_age: max_alert_age?,
                    line_stop_expiry: line_stop_expiry?,
                    lease: time_out? + LEASE_MARGIN,
                    claim_ttl: claim_ttl?,
                },
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lambda_function::config::assert_declared;

    use super::*;

    #[test]
    fn what_is_read_is_what_is_declared() {
        assert_declared(VARIABLES, Config::read);
    }

    #[test]
    fn a_claim_outlives_what_it_guards() {
        let mut environment: BTreeMap<String, String> = VARIABLES
            .iter()
            .chain(Settings::VARIABLES)
            .map(|variable| (variable.name.to_owned(), variable.example.to_owned()))
            .collect();
        assert!(Config::read(&environment).is_ok());
        environment.insert("CLAIM_TTL".into(), "3600".into());
        assert!(
            Config::read(&environment)
                .unwrap_err()
                .to_string()
                .contains("CLAIM_TTL")
        );
    }
}
