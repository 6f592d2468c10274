//! What is hosted, and what it finds in its environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A function as its template describes it.
#[derive(Clone, Debug)]
pub struct FunctionSpec {
    /// The function's name.
    pub name: String,
    /// The program that speaks with the Runtime API (`bootstrap`).
    pub binary: PathBuf,
    /// Its variables; one of Lambda's own is overridden by name (`AWS_REGION`, credentials, ...).
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub time_out: Duration,
    /// Told to the function; not enforced.
    pub memory_mb: u32,
    /// The function's ARN; its region is the function's.
    pub function_arn: String,
    /// How many invocations may run at once; further ones wait.
    pub max_environments: usize,
}

impl FunctionSpec {
    /// The directory of the program.
    pub(crate) fn task_root(&self) -> &Path {
        self.binary
            .parent()
            .filter(|path| !path.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }

    /// The whole environment of the `number`-th process: what Lambda sets, then the function's own.
    pub(crate) fn variables(&self, api: SocketAddr, number: u64) -> BTreeMap<String, String> {
        let region = self
            .function_arn
            .split(':')
            .nth(3)
            .filter(|region| !region.is_empty());
        let region = region.unwrap_or("us-east-1");
        let log_stream = format!("local/[$LATEST]{number:032x}");
        let mut variables: BTreeMap<String, String> = [
            ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            (
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                self.memory_mb.to_string(),
            ),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            (
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", self.name),
            ),
            ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
            ("AWS_REGION", region.to_owned()),
            ("AWS_DEFAULT_REGION", region.to_owned()),
            (
                "LAMBDA_TASK_ROOT",
                self.task_root().to_string_lossy().into_owned(),
            ),
            ("_HANDLER", "bootstrap".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("HOME", "/tmp".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        variables.extend(self.environment.clone());
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> FunctionSpec {
        FunctionSpec {
            name: "quality-evaluator".to_owned(),
            binary: PathBuf::from("/opt/functions/bootstrap"),
            environment: [("STATE_TABLE".to_owned(), "andon-state".to_owned())].into(),
            time_out: Duration::from_secs(3),
            memory_mb: 256,
            function_arn: "arn:aws:lambda:eu-central-1:123456789012:function:quality-evaluator"
                .to_owned(),
            max_environments: 1,
        }
    }

    #[track_caller]
    fn check(spec: &FunctionSpec, name: &str, expected: &str) {
        let variables = spec.variables(SocketAddr::from(([127, 0, 0, 1], 9001)), 7);
        assert_eq!(
            variables.get(name).map(String::as_str),
            Some(expected),
            "{name}"
        );
    }

    #[test]
    fn a_process_finds_what_lambda_sets_and_its_own() {
        for (name, expected) in [
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("AWS_LAMBDA_FUNCTION_NAME", "quality-evaluator"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/quality-evaluator"),
            ("AWS_REGION", "eu-central-1"),
            ("LAMBDA_TASK_ROOT", "/opt/functions"),
            ("TZ", ":UTC"),
            ("STATE_TABLE", "andon-state"),
        ] {
            check(&spec(), name, expected);
        }
    }

    #[test]
    fn its_own_variables_win() {
        let mut spec = spec();
        spec.environment
            .insert("AWS_REGION".to_owned(), "eu-west-1".to_owned());
        check(&spec, "AWS_REGION", "eu-west-1");
    }

    #[test]
    fn a_bare_program_name_lies_in_the_current_directory() {
        let mut spec = spec();
        spec.binary = PathBuf::from("bootstrap");
        assert_eq!(spec.task_root(), Path::new("."));
    }
}
