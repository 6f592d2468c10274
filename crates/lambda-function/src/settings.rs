//! The settings that all functions share.

use std::time::Duration;

use crate::config::{Reader, Variable};

const FUNCTION_NAME: Variable = Variable::required(
    "AWS_LAMBDA_FUNCTION_NAME",
    "quality-evaluator",
    "set by Lambda",
);
const METRICS_NAMESPACE: Variable = Variable::optional(
    "METRICS_NAMESPACE",
    "Andon",
    "the CloudWatch namespace of the metrics",
);
const DEADLINE_MARGIN: Variable = Variable::optional(
    "DEADLINE_MARGIN",
    "2",
    "seconds before the time-out at which work stops and the answer is given; at most a third of the time-out counts",
);

/// Read once at the start, by each function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The function's name, the dimension that all its metrics have.
    pub function_name: String,
    /// The CloudWatch namespace of the metrics.
    pub metrics_namespace: String,
    /// How long before the time-out work stops.
    pub deadline_margin: Duration,
}

impl Settings {
    /// What [`Settings::read`] reads.
    pub const VARIABLES: &[Variable] = &[FUNCTION_NAME, METRICS_NAMESPACE, DEADLINE_MARGIN];

    /// Reads them; `None` if the reader holds a fault of theirs.
    pub fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let function_name = vars.text(&FUNCTION_NAME);
        let metrics_namespace = vars.text(&METRICS_NAMESPACE);
        let deadline_margin = vars.seconds(&DEADLINE_MARGIN, 0..=300);
        Some(Self {
            function_name: function_name?,
            metrics_namespace: metrics_namespace?,
            deadline_margin: deadline_margin?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::assert_declared;

    #[test]
    fn what_is_read_is_what_is_declared() {
        assert_declared(&[], |environment| {
            let mut vars = Reader::new(environment);
            let settings = Settings::read(&mut vars);
            vars.finish(|| settings)
        });
    }
}
