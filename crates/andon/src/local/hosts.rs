//! The deployed functions, hosted: the real binaries with the deployed configuration, their logs in files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use runtime_api::{FunctionHost, FunctionSpec, LogLine};

use super::stack::DeployedFunction;
use crate::failure::Failure;

/// One function.
pub struct Hosted {
    /// As it was deployed.
    pub function: DeployedFunction,
    /// Where it is invoked.
    pub host: Arc<FunctionHost>,
}

/// All functions. Dropping it ends their processes.
pub struct Hosts(Vec<Hosted>);

/// More than a stream has shards here: the mappings are what limits.
const MAX_ENVIRONMENTS: usize = 64;

impl Hosts {
    /// Hosts every function; `client_environment` leads the one of a label to the local AWS. Logs are `<label>.log` in `logs`.
    pub fn start(
        functions: Vec<DeployedFunction>,
        binaries: &BTreeMap<String, PathBuf>,
        client_environment: impl Fn(&str) -> Vec<(&'static str, String)>,
        logs: &Path,
    ) -> Result<Self, Failure> {
        let mut hosts = Vec::new();
        for function in functions {
            let (package, label) = (&function.package, &function.label);
            let binary = binaries.get(package).ok_or_else(|| {
                Failure::check(format_args!(
                    "the template deploys {package}, and no such binary was built"
                ))
                .cure(format_args!(
                    "name the binary of functions/{package} {package}"
                ))
            })?;
            let spec = FunctionSpec {
                name: function.name.clone(),
                binary: binary.clone(),
                environment: variables(&function, &client_environment(label)),
                time_out: function.timeout,
                memory_mb: function.memory_mb,
                function_arn: function.arn.clone(),
                max_environments: MAX_ENVIRONMENTS,
            };
            let log = log(logs, label)?;
            let host = FunctionHost::start(spec, log).map_err(|error| {
                Failure::check(format_args!("cannot host {label}"))
                    .caused_by(error)
                    .cure("run again: the functions are built anew where they are missing")
            })?;
            hosts.push(Hosted {
                function,
                host: Arc::new(host),
            });
        }
        Ok(Self(hosts))
    }

    /// The one with this ARN, whatever version it names.
    pub fn by_arn(&self, arn: &str) -> Option<&Hosted> {
        self.0.iter().find(|hosted| {
            arn == hosted.function.arn || arn.starts_with(&format!("{}:", hosted.function.arn))
        })
    }

    /// The one of this package.
    pub fn by_package(&self, package: &str) -> Option<&Hosted> {
        self.0
            .iter()
            .find(|hosted| hosted.function.package == package)
    }

    /// Every function's label and host.
    pub fn all(&self) -> Vec<(String, Arc<FunctionHost>)> {
        let all = self.0.iter();
        all.map(|hosted| (hosted.function.label.clone(), Arc::clone(&hosted.host)))
            .collect()
    }

    /// Ends every process and waits until all are gone.
    pub async fn stop(&self) {
        for hosted in &self.0 {
            hosted.host.stop().await;
        }
    }

    /// What `cargo lambda watch --env-file` takes: the variables of all functions and what leads to the local AWS. Of
    /// several functions of one package the last one's count.
    pub fn env_file(&self, client_environment: &[(&'static str, String)]) -> String {
        let all: BTreeMap<String, String> = self
            .0
            .iter()
            .flat_map(|hosted| variables(&hosted.function, client_environment))
            .collect();
        all.iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect()
    }
}

/// The function's own variables, and those that lead it to the local AWS.
fn variables(
    function: &DeployedFunction,
    client_environment: &[(&'static str, String)],
) -> BTreeMap<String, String> {
    let mut variables = function.environment.clone();
    variables.insert(
        "AWS_LAMBDA_LOG_LEVEL".to_owned(),
        function.log_level.clone(),
    );
    variables.extend(
        client_environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    variables
}

/// The file `<name>.log` in `folder`, begun anew.
pub fn log(folder: &Path, name: &str) -> Result<Arc<dyn runtime_api::LogSink>, Failure> {
    let path = folder.join(format!("{name}.log"));
    let cannot = |error| {
        Failure::check(format_args!("cannot write {}", path.display()))
            .caused_by(error)
            .cure("check that the target folder can be written, then run again")
    };
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let file = Mutex::new(File::create(&path).map_err(cannot)?);
    Ok(Arc::new(move |line: LogLine<'_>| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk ends the log, not the run.
        let _ = writeln!(file, "{}", line.text);
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_function_is_led_to_the_local_aws_with_its_own_variables() {
        let function = DeployedFunction {
            package: "sns-alerter".into(),
            label: "sns-alerter".into(),
            name: "andon-sns-alerter".into(),
            arn: "arn:aws:lambda:us-east-1:000000000000:function:andon-sns-alerter".into(),
            environment: [("CLAIMS_TABLE".to_owned(), "claims".to_owned())].into(),
            timeout: Duration::from_secs(60),
            memory_mb: 256,
            log_level: "INFO".into(),
        };
        let client = [("AWS_ENDPOINT_URL", "http://127.0.0.1:4566".to_owned())];
        let variables = variables(&function, &client);
        let value = |name: &str| variables.get(name).map(String::as_str);
        assert_eq!(value("CLAIMS_TABLE"), Some("claims"));
        assert_eq!(value("AWS_ENDPOINT_URL"), Some("http://127.0.0.1:4566"));
        assert_eq!(value("AWS_LAMBDA_LOG_LEVEL"), Some("INFO"));
    }
}
