//! `andon size`: how large the pipeline has to be for a load, what it costs, and what breaks first.

mod text;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use sizing::{BadInput, INPUTS, Load, Prices, size};

use crate::failure::Failure;
use crate::input::unreadable;

/// How large the pipeline has to be for a load, what it costs, and what breaks first
///
/// Shards, batches, Lambda's duration and concurrency, lag, table capacity, topics, lake and endpoint, and the price of a
/// month: each with its formula, and with what was taken for granted. `--inputs` lists every number that goes in and where
/// its default comes from; replace those that you have measured. Exit code 1 if the busiest minute is too much for what
/// the load's settings give it.
#[derive(Args, Clone, Debug)]
pub struct Size {
    /// Readings of all machines, on average
    #[arg(long, value_name = "N")]
    readings_per_second: Option<String>,
    /// Bytes of a reading
    #[arg(long, value_name = "N")]
    bytes: Option<String>,
    /// Machines that send
    #[arg(long, value_name = "N")]
    machines: Option<String>,
    /// A YAML or JSON file of `name: number`, one for each input that is not the default
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Any other input, as often as needed; it takes precedence over the file
    #[arg(long = "set", value_name = "NAME=NUMBER")]
    sets: Vec<String>,
    /// Your prices, in the shape that --default-prices prints
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Print one JSON object, whose schema is crates/sizing/size.schema.json
    #[arg(long)]
    json: bool,
    /// Print the inputs instead: default, unit, range, and where the default comes from
    #[arg(long, exclusive = true)]
    inputs: bool,
    /// Print the price list that comes along instead, to be changed
    #[arg(long, exclusive = true)]
    default_prices: bool,
}

impl Size {
    /// Prints the answer; fails if the busiest minute is too much.
    pub fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        if self.inputs {
            return text::inputs(out);
        }
        if self.default_prices {
            return Ok(out.write_all(Prices::default_text().as_bytes())?);
        }
        let load = self.load()?;
        let sizing = size(&load, &self.prices()?);
        match self.json {
            true => {
                let json = serde_json::to_string(&sizing).map_err(std::io::Error::from)?;
                writeln!(out, "{json}")?;
            }
            false => text::write(&sizing, out)?,
        }
        match sizing.limits.iter().filter(|it| it.growth < 1.0).count() {
            0 => Ok(()),
            1 => Err(Failure::check("1 limit is too low for the busiest minute")),
            n => Err(Failure::check(format!(
                "{n} limits are too low for the busiest minute"
            ))),
        }
    }

    fn load(&self) -> Result<Load, Failure> {
        let mut load = Load::default();
        if let Some(path) = &self.load {
            let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
            sizing::read(&text, &mut load).map_err(|bad| {
                Failure::input(format!("{}:{bad}", path.display())).cure(bad.cure)
            })?;
        }
        for (flag, key, value) in [
            (
                "--readings-per-second",
                "readings_per_second",
                &self.readings_per_second,
            ),
            ("--bytes", "bytes_per_reading", &self.bytes),
            ("--machines", "machines", &self.machines),
        ] {
            if let Some(value) = value {
                load.set(key, value).map_err(|bad| refused(flag, bad))?;
            }
        }
        for set in &self.sets {
            let (key, value) = set.split_once('=').ok_or_else(|| {
                Failure::input(format!("--set {set}: no `=`")).cure("--set NAME=NUMBER")
            })?;
            load.set(key.trim(), value.trim())
                .map_err(|bad| refused("--set", bad))?;
        }
        let whole = load.check();
        whole.map_err(|bad| Failure::input(bad.problem).cure(bad.cure))?;
        Ok(load)
    }

    fn prices(&self) -> Result<Prices, Failure> {
        const CURE: &str = "`andon size --default-prices` prints a list of the right shape";
        let bad = |name: &dyn std::fmt::Display, bad: sizing::BadPrices| {
            Failure::input(name).caused_by(bad).cure(CURE)
        };
        let Some(path) = &self.prices else {
            return Prices::default_list()
                .map_err(|error| bad(&"the price list that comes along", error));
        };
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
        Prices::read(&text).map_err(|error| bad(&path.display(), error))
    }
}

fn refused(flag: &str, bad: BadInput) -> Failure {
    Failure::input(format!("{flag}: {}", bad.problem)).cure(bad.cure)
}

/// The longest name of an input, for the columns.
fn widest() -> usize {
    INPUTS
        .iter()
        .map(|input| input.key.len())
        .max()
        .unwrap_or(0)
}
