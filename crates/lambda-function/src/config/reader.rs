//! Reads declared variables and collects every fault before it reports any.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::{Arn, Environment, Variable};

/// Reads one configuration. A value that cannot be used is `None` and a fault is kept;
/// [`Reader::finish`] reports them together.
pub struct Reader<'a> {
    environment: &'a dyn Environment,
    faults: Vec<Fault>,
}

/// One variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The variable's name.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What was expected instead.
    pub expected: String,
    /// A value as it could be set.
    pub example: &'static str,
}

/// Every variable that cannot be used. `Debug` reads like `Display`: it is what a failed start prints.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<Fault>);

impl<'a> Reader<'a> {
    /// Reads from `environment`.
    pub fn new(environment: &'a dyn Environment) -> Self {
        Self {
            environment,
            faults: Vec::new(),
        }
    }

    /// A text that is not empty, e.g. a table's name.
    pub fn text(&mut self, variable: &Variable) -> Option<String> {
        self.read(variable, "a text", |text| Ok::<_, &str>(text.to_owned()))
    }

    /// A whole number of seconds within `range`.
    pub fn seconds(&mut self, variable: &Variable, range: RangeInclusive<u64>) -> Option<Duration> {
        let expected = format!("whole seconds from {} to {}", range.start(), range.end());
        self.read(variable, &expected, |text| within(text, &range))
            .map(Duration::from_secs)
    }

    /// A whole number within `range`.
    pub fn number(&mut self, variable: &Variable, range: RangeInclusive<u32>) -> Option<u32> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.read(variable, &expected, |text| within(text, &range))
    }

    /// The ARN of a resource of `service`.
    pub fn arn(&mut self, variable: &Variable, service: &str) -> Option<Arn> {
        self.read(variable, &format!("an ARN of {service}"), |text| {
            let arn = text.parse::<Arn>().map_err(|fault| fault.to_string())?;
            match arn.service() == service {
                true => Ok(arn),
                false => Err(format!("an ARN of {}", arn.service())),
            }
        })
    }

    /// Whatever parses from text (a choice, a URI); `expected` completes "expected ..." in the report.
    pub fn parsed<T>(&mut self, variable: &Variable, expected: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.read(variable, expected, T::from_str)
    }

    /// Keeps a fault that shows only in the values together, e.g. one time that must exceed another.
    pub fn refuse(
        &mut self,
        variable: &Variable,
        problem: impl Into<String>,
        expected: impl Into<String>,
    ) {
        self.faults.push(Fault {
            name: variable.name,
            problem: problem.into(),
            expected: expected.into(),
            example: variable.example,
        });
    }

    /// Builds the configuration, or reports every fault. `build` gives `None` only where a read did.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, ConfigErrors> {
        let built = build();
        match built {
            Some(config) if self.faults.is_empty() => Ok(config),
            _ => Err(ConfigErrors(self.faults)),
        }
    }

    fn read<T, E: fmt::Display>(
        &mut self,
        variable: &Variable,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let set = self.environment.get(variable.name);
        let Some(text) = set.as_deref().or(variable.default) else {
            self.refuse(variable, "is not set", expected);
            return None;
        };
        if text.trim().is_empty() {
            self.refuse(variable, "is empty", expected);
            return None;
        }
        match parse(text) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.refuse(variable, format!("is {text:?}: {fault}"), expected);
                None
            }
        }
    }
}

fn within<N: FromStr + PartialOrd>(
    text: &str,
    range: &RangeInclusive<N>,
) -> Result<N, &'static str> {
    match text.parse::<N>() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(_) => Err("out of range"),
        Err(_) => Err("not a whole number"),
    }
}

impl ConfigErrors {
    /// One fault for each bad variable, in the order read.
    pub fn faults(&self) -> &[Fault] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of the environment's variables cannot be used:",
            self.0.len()
        )?;
        for Fault {
            name,
            problem,
            expected,
            example,
        } in &self.0
        {
            write!(
                f,
                "\n  {name} {problem}; expected {expected}, e.g. {example}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TABLE: Variable = Variable::required("TABLE", "andon-state", "a table");
    const TOPIC: Variable = Variable::required(
        "TOPIC",
        "arn:aws:sns:eu-central-1:123456789012:alerts",
        "a topic",
    );
    const HOLD: Variable = Variable::optional("HOLD", "300", "seconds");
    const RETRIES: Variable = Variable::optional("RETRIES", "3", "attempts");
    const STORE: Variable = Variable::optional("STORE", "alerting", "what is stored");

    #[derive(Debug, PartialEq)]
    enum Store {
        Alerting,
        All,
    }

    impl FromStr for Store {
        type Err = &'static str;
        fn from_str(text: &str) -> Result<Self, Self::Err> {
            match text {
                "alerting" => Ok(Self::Alerting),
                "all" => Ok(Self::All),
                _ => Err("no such choice"),
            }
        }
    }

    type Values = (String, Arn, Duration, u32, Store);

    fn read(variables: &[(&str, &str)]) -> Result<Values, ConfigErrors> {
        let environment: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let mut vars = Reader::new(&environment);
        let table = vars.text(&TABLE);
        let topic = vars.arn(&TOPIC, "sns");
        let hold = vars.seconds(&HOLD, 1..=3_600);
        let retries = vars.number(&RETRIES, 1..=10);
        let store = vars.parsed::<Store>(&STORE, "alerting or all");
        vars.finish(|| Some((table?, topic?, hold?, retries?, store?)))
    }

    /// Reads a complete environment in which `name` is `text`.
    #[track_caller]
    fn check(name: &str, text: &str, expected: &str) {
        let errors = read(&[("TABLE", "t"), ("TOPIC", TOPIC.example), (name, text)]).unwrap_err();
        let fault = &errors.faults()[0];
        assert_eq!(errors.faults().len(), 1, "{errors}");
        let report = format!(
            "{} {}; expected {}",
            fault.name, fault.problem, fault.expected
        );
        assert_eq!(report, expected);
    }

    #[test]
    fn what_is_not_set_takes_its_default() {
        let (table, topic, hold, retries, store) =
            read(&[("TABLE", "t"), ("TOPIC", TOPIC.example), ("STORE", "all")]).unwrap();
        assert_eq!((table.as_str(), topic.as_str()), ("t", TOPIC.example));
        assert_eq!(
            (hold, retries, store),
            (Duration::from_secs(300), 3, Store::All)
        );
    }

    #[test]
    fn each_kind_of_fault_says_what_was_expected() {
        check("TABLE", "", "TABLE is empty; expected a text");
        check(
            "HOLD",
            " ",
            "HOLD is empty; expected whole seconds from 1 to 3600",
        );
        check(
            "HOLD",
            "5m",
            "HOLD is \"5m\": not a whole number; expected whole seconds from 1 to 3600",
        );
        check(
            "HOLD",
            "0",
            "HOLD is \"0\": out of range; expected whole seconds from 1 to 3600",
        );
        check(
            "HOLD",
            "-1",
            "HOLD is \"-1\": not a whole number; expected whole seconds from 1 to 3600",
        );
        check(
            "RETRIES",
            "11",
            "RETRIES is \"11\": out of range; expected a whole number from 1 to 10",
        );
        check(
            "STORE",
            "none",
            "STORE is \"none\": no such choice; expected alerting or all",
        );
        check(
            "TOPIC",
            "arn:aws:sqs:eu-central-1:123456789012:q",
            "TOPIC is \"arn:aws:sqs:eu-central-1:123456789012:q\": an ARN of sqs; expected an ARN of sns",
        );
    }

    #[test]
    fn all_faults_are_reported_together_with_examples() {
        let errors = read(&[("HOLD", "soon"), ("STORE", "some")]).unwrap_err();
        let report = format!("{errors:?}");
        assert!(
            report.starts_with("4 of the environment's variables cannot be used:"),
            "{report}"
        );
        for line in [
            "\n  TABLE is not set; expected a text, e.g. andon-state",
            "\n  TOPIC is not set; expected an ARN of sns, e.g. arn:aws:sns:",
            "\n  HOLD is \"soon\"",
            "\n  STORE is \"some\"",
        ] {
            assert!(report.contains(line), "{line} is not in {report}");
        }
    }

    #[test]
    fn a_fault_of_values_together_stops_the_start() {
        let environment = BTreeMap::from([("TABLE", "t")]);
        let mut vars = Reader::new(&environment);
        let table = vars.text(&TABLE);
        vars.refuse(&HOLD, "is 300 s", "more than the stream's retention");
        let errors = vars.finish(|| table).unwrap_err();
        assert_eq!(errors.faults()[0].name, "HOLD");
    }
}
