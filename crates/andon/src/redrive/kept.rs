//! The kept local run: `andon local --keep` leaves an emulated AWS running, and a file that leads to it. The functions'
//! binaries are hosted here, with what that file says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::SdkConfig;
use runtime_api::{FunctionHost, FunctionSpec, Outcome};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::invoker::{Invoker, NoAnswer};
use super::place::is_of;
use crate::failure::Failure;
use crate::local::{self, STACK};

/// The run, and what of it is hosted.
pub struct Kept {
    root: PathBuf,
    environment: BTreeMap<String, String>,
    hosts: Mutex<BTreeMap<String, FunctionHost>>,
}

/// Where the run leaves its file, below the project's folder.
const FILE: &str = "target/andon/local.env";
/// What the templates give a function, where the file does not tell.
const TIME_OUT: Duration = Duration::from_secs(60);
/// The one function that is told its own time-out, which is shorter than the others', and the variable that tells it.
const ALERTER: &str = "sns-alerter";
const ALERTER_TIME_OUT: &str = "FUNCTION_TIMEOUT";
const MEMORY_MB: u32 = 512;
const CURE: &str = "start one in another terminal, and leave it running: cargo andon local --keep";

impl Kept {
    /// The run that is kept now.
    pub async fn find() -> Result<Self, Failure> {
        let kept = Self::read(local::project()?)?;
        let endpoint = kept.variable("AWS_ENDPOINT_URL")?;
        let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
        TcpStream::connect(address).await.map_err(|error| {
            Failure::check(format_args!(
                "no local run is kept: nothing answers at {endpoint}"
            ))
            .caused_by(error)
            .cure(CURE)
        })?;
        Ok(kept)
    }

    fn read(root: PathBuf) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(root.join(FILE)).map_err(|error| {
            Failure::check(format_args!("no local run is kept: cannot read {FILE}"))
                .caused_by(error)
                .cure(CURE)
        })?;
        let lines = text.lines().filter_map(|line| line.split_once('='));
        Ok(Self {
            environment: lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            root,
            hosts: Mutex::default(),
        })
    }

    /// Leads to the emulated AWS and nowhere else.
    pub fn sdk(&self) -> SdkConfig {
        local::sdk(self.variable("AWS_ENDPOINT_URL").unwrap_or_default())
    }

    /// The set-aside bucket's name.
    pub fn bucket(&self) -> Result<&str, Failure> {
        self.variable("SET_ASIDE_BUCKET")
    }

    /// The names of the functions as deployed, by package.
    pub fn functions(&self) -> Result<BTreeMap<String, String>, Failure> {
        let packages = local::packages(&self.root)?;
        let named = |package: String| {
            let name = format!("{STACK}-{package}");
            (package, name)
        };
        Ok(packages.into_iter().map(named).collect())
    }

    fn variable(&self, name: &str) -> Result<&str, Failure> {
        let value = self.environment.get(name).map(String::as_str);
        value.ok_or_else(|| Failure::check(format_args!("{FILE} lacks {name}")).cure(CURE))
    }

    /// Hosts a function, built if it is not.
    async fn host(&self, function: &str) -> Result<FunctionHost, Failure> {
        let packages = local::packages(&self.root)?;
        let package = packages
            .into_iter()
            .find(|package| is_of(package, function));
        let package = package.ok_or_else(|| {
            Failure::check(format_args!("the project has no function {function}"))
        })?;
        let binaries = local::build(&self.root, std::slice::from_ref(&package)).await?;
        let binary = binaries.get(&package).cloned().ok_or_else(|| {
            Failure::check(format_args!("no binary {package} was built")).cure(format_args!(
                "name the binary of functions/{package} {package}"
            ))
        })?;
        let region = self.variable("AWS_REGION")?;
        let spec = FunctionSpec {
            name: function.to_owned(),
            binary,
            environment: self.environment.clone(),
            time_out: self.time_out(&package),
            memory_mb: MEMORY_MB,
            function_arn: format!("arn:aws:lambda:{region}:000000000000:function:{function}"),
            max_environments: 1,
        };
        let log = local::log(&self.logs(), &format!("redrive-{package}"))?;
        FunctionHost::start(spec, log)
            .map_err(|error| Failure::check(format_args!("cannot host {package}")).caused_by(error))
    }

    /// How long a function of this package may take.
    fn time_out(&self, package: &str) -> Duration {
        let told = self.environment.get(ALERTER_TIME_OUT);
        let told = told.filter(|_| package == ALERTER);
        let seconds = told.and_then(|text| text.parse().ok());
        seconds.map_or(TIME_OUT, Duration::from_secs)
    }

    fn logs(&self) -> PathBuf {
        Path::new(&self.root).join("target/andon/logs")
    }
}

impl Invoker for Kept {
    async fn invoke(&self, function: &str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        let mut hosts = self.hosts.lock().await;
        if !hosts.contains_key(function) {
            let host = self.host(function).await.map_err(NoAnswer::Unreachable)?;
            hosts.insert(function.to_owned(), host);
        }
        let Some(host) = hosts.get(function) else {
            return Err(NoAnswer::Failed(format!("{function} is not hosted")));
        };
        let invoked = host.invoke(body.into()).await;
        let invocation = invoked.map_err(|error| {
            let what = Failure::check(format_args!("cannot invoke {function}"));
            NoAnswer::Unreachable(what.caused_by(error))
        })?;
        match invocation.outcome {
            Outcome::Answer(answer) => Ok(answer.to_vec()),
            failed => Err(NoAnswer::Failed(format!("the function failed: {failed}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(file: Option<&str>) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("target/andon")).unwrap();
        if let Some(text) = file {
            std::fs::write(root.path().join(FILE), text).unwrap();
        }
        root
    }

    #[test]
    fn the_file_leads_to_the_run() {
        let root = root(Some(
            "AWS_ENDPOINT_URL=http://127.0.0.1:4566\nSET_ASIDE_BUCKET=andon-set-aside\nPLAN_URI=s3://a/b=c\n",
        ));
        let kept = Kept::read(root.path().to_owned()).unwrap();
        assert_eq!(kept.bucket().unwrap(), "andon-set-aside");
        assert_eq!(kept.variable("PLAN_URI").unwrap(), "s3://a/b=c");
        assert_eq!(kept.sdk().endpoint_url(), Some("http://127.0.0.1:4566"));
    }

    #[test]
    fn the_alerters_time_out_is_its_own() {
        let root = root(Some("FUNCTION_TIMEOUT=20\n"));
        let kept = Kept::read(root.path().to_owned()).unwrap();
        for (package, seconds) in [
            ("sns-alerter", 20),
            ("quality-evaluator", 60),
            ("dynamodb-writer", 60),
        ] {
            let time_out = kept.time_out(package);
            assert_eq!(time_out, Duration::from_secs(seconds), "{package}");
        }
    }

    #[test]
    fn without_a_kept_run_the_cure_is_told() {
        let none = root(None);
        let failure = Kept::read(none.path().to_owned()).err().unwrap();
        assert!(
            failure.to_string().contains("cargo andon local --keep"),
            "{failure}"
        );
        let empty = root(Some(""));
        let kept = Kept::read(empty.path().to_owned()).unwrap();
        assert!(
            kept.bucket()
                .unwrap_err()
                .to_string()
                .contains("lacks SET_ASIDE_BUCKET")
        );
    }

    #[test]
    fn its_functions_are_those_of_the_project() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let kept = Kept {
            root: project,
            environment: BTreeMap::new(),
            hosts: Mutex::default(),
        };
        assert_eq!(
            kept.functions().unwrap()["quality-evaluator"],
            "andon-quality-evaluator"
        );
    }
}
