//! The pictures of a backtest: a control chart for each chart rule and machine, a histogram for each specification,
//! the Pareto, and a page that shows them all.
//!
//! A chart that outgrows its sheet goes on on the next one; the full one is drawn at once, so that charts take memory by
//! rules and machines, not by readings. A histogram's classes follow from all of its values: eight bytes each until the end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use control_chart::{ChartKind, Observed};
use control_plan::{ChartRule, ControlPlan, Reading, Rule, RuleKind, SampleSize};
use judgement::ChartStep;
use quality_event::{QualityEvent, Timestamp, Transition};

use super::captions::{figures, restarted_by, settings};
use super::summary::Summary;
use crate::failure::Failure;
use crate::plot::control_chart::{self as drawing, Heading};
use crate::plot::histogram::{self, Histogram};
use crate::plot::index::{self, Picture};
use crate::plot::marks::{Mark, Marks};
use crate::plot::series::{Judged, Limits, MAX_POINTS, Series, Setting};
use crate::plot::{files, pareto};

/// The Pareto's file.
const PARETO: &str = "pareto.svg";

/// What is gathered for the pictures.
pub struct Sheets<'p> {
    plan: &'p ControlPlan,
    plan_file: String,
    dir: PathBuf,
    /// By place of the rule in the plan, then by machine.
    charts: Vec<BTreeMap<String, Chart>>,
    /// The values of specification rules, by place in the plan.
    values: BTreeMap<usize, Vec<f64>>,
    pictures: Vec<Picture>,
    span: Option<(Timestamp, Timestamp)>,
    /// What went wrong while nobody could be told.
    failure: Option<Failure>,
}

#[derive(Default)]
struct Chart {
    series: Series,
    line: Option<String>,
    /// Sheets drawn so far.
    drawn: usize,
}

impl<'p> Sheets<'p> {
    /// Pictures in `dir`, which is made if it is not there.
    pub fn new(plan: &'p ControlPlan, plan_file: String, dir: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(dir).map_err(|error| unwritable(dir, error))?;
        let specifications = plan
            .rules()
            .filter(|rule| matches!(rule.kind(), RuleKind::Specification(_)))
            .map(|rule| (rule.index(), Vec::new()));
        Ok(Self {
            values: specifications.collect(),
            charts: plan.rules().map(|_| BTreeMap::new()).collect(),
            plan,
            plan_file,
            dir: dir.to_owned(),
            pictures: Vec::new(),
            span: None,
            failure: None,
        })
    }

    /// Takes in a reading that was judged.
    pub fn reading(&mut self, reading: &Reading) {
        let (first, last) = self.span.unwrap_or((reading.time, reading.time));
        self.span = Some((first.min(reading.time), last.max(reading.time)));
        for (at, values) in &mut self.values {
            let rule = self.plan.rules().nth(*at);
            if let Some(RuleKind::Specification(limits)) = rule.map(|rule| rule.kind()) {
                values.extend(reading.value(limits.characteristic));
            }
        }
    }

    /// Takes in a step of a chart.
    pub fn take(&mut self, rule: Rule<'_>, reading: &Reading, step: &ChartStep<'_>) {
        let RuleKind::Chart(kind) = rule.kind() else {
            return;
        };
        let charts = &mut self.charts[rule.index()];
        if !charts.contains_key(&reading.machine) {
            let chart = Chart {
                line: reading.line.clone(),
                ..Chart::default()
            };
            charts.insert(reading.machine.clone(), chart);
        }
        let Some(chart) = charts.get_mut(&reading.machine) else {
            return;
        };
        if chart.series.len() >= MAX_POINTS {
            chart.drawn += 1;
            let next = chart.series.continued();
            let full = std::mem::replace(&mut chart.series, next);
            let (line, sheet) = (chart.line.clone(), Some(chart.drawn));
            self.draw(rule, &reading.machine, line, &full, sheet);
        }
        let Some(chart) = self.charts[rule.index()].get_mut(&reading.machine) else {
            return;
        };
        if let Some(restart) = step.restart {
            chart
                .series
                .restarted(restarted_by(self.plan, kind, reading, restart));
        }
        let time = reading.time.as_millis();
        match step.observed {
            Observed::Point(point) => chart.series.judged(judged(time, point)),
            Observed::Learning => chart.series.learning(time, single_value(kind, reading)),
            Observed::Gathering | Observed::Unusable => {}
        }
    }

    /// Takes in an event after the reading was judged.
    pub fn event(&mut self, event: &QualityEvent) {
        let Some(rule) = self.plan.rule(event.subject()) else {
            return;
        };
        let Some(chart) = self.charts[rule.index()].get_mut(&event.machine) else {
            return;
        };
        match event.transition() {
            Some(Transition::Opened) => chart.series.opened(),
            Some(Transition::Cleared) => chart.series.cleared(),
            Some(Transition::Ongoing) | None => {}
        }
    }

    /// Draws what has not been drawn, the histograms, the Pareto and the page. Returns how many pictures there are.
    pub fn finish(mut self, summary: &Summary) -> Result<usize, Failure> {
        for rule in self.plan.rules() {
            for (machine, chart) in std::mem::take(&mut self.charts[rule.index()]) {
                if chart.series.is_empty() {
                    continue;
                }
                let sheet = (chart.drawn > 0).then_some(chart.drawn + 1);
                self.draw(rule, &machine, chart.line, &chart.series, sheet);
            }
        }
        self.pictures
            .sort_by(|a, b| (&a.title, &a.detail, a.sheet).cmp(&(&b.title, &b.detail, b.sheet)));
        self.histograms(summary);
        self.pareto(summary);
        let about = format!(
            "{} readings of {}, {}; plan {} ({})",
            summary.readings.judged,
            summary.readings.file,
            self.span_text(),
            self.plan_file,
            self.plan.hash()
        );
        let page = index::page("Backtest", &about, &self.pictures);
        self.write("index.html", &page);
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.pictures.len()),
        }
    }

    fn draw(
        &mut self,
        rule: Rule<'_>,
        machine: &str,
        line: Option<String>,
        series: &Series,
        sheet: Option<usize>,
    ) {
        let RuleKind::Chart(kind) = rule.kind() else {
            return;
        };
        let characteristic = self.plan.name(kind.characteristic).to_owned();
        let heading = Heading {
            rule: rule.id().to_owned(),
            chart: kind.chart.kind().as_str().to_owned(),
            unit: self.plan.unit(&characteristic).map(str::to_owned),
            characteristic,
            machine: machine.to_owned(),
            line,
            settings: settings(kind, series),
            plan: self.plan_file.clone(),
            hash: self.plan.hash().to_owned(),
            sheet,
        };
        let file = files::name(rule.id(), Some(machine), sheet);
        self.write(&file, &drawing::draw(&heading, series));
        self.pictures.push(Picture {
            file,
            title: rule.id().to_owned(),
            detail: machine.to_owned(),
            sheet,
            failing: Some(series.violating()),
        });
    }

    fn histograms(&mut self, summary: &Summary) {
        for (at, values) in std::mem::take(&mut self.values) {
            let Some(rule) = self.plan.rules().nth(at) else {
                continue;
            };
            let RuleKind::Specification(limits) = rule.kind() else {
                continue;
            };
            let characteristic = self.plan.name(limits.characteristic).to_owned();
            let of_rule = || {
                summary
                    .capability
                    .iter()
                    .filter(|found| found.rule == rule.id())
            };
            let together = of_rule().find(|found| found.machine.is_none());
            let machines = of_rule().filter(|found| found.machine.is_some()).count();
            let histogram = Histogram {
                rule: rule.id().to_owned(),
                unit: self.plan.unit(&characteristic).map(str::to_owned),
                characteristic,
                machines: format!("{machines} machine{}", if machines == 1 { "" } else { "s" }),
                span: self.span_text(),
                lower: limits.lower,
                upper: limits.upper,
                normal: together.and_then(|found| Some((found.mean?, found.sigma?))),
                figures: figures(summary, rule.id(), (limits.lower, limits.upper), &values),
                plan: self.plan_file.clone(),
                hash: self.plan.hash().to_owned(),
            };
            let file = match files::name(rule.id(), None, None) {
                // The Pareto has that name. No machine is called nothing.
                taken if taken == PARETO => files::name(rule.id(), Some(""), None),
                free => free,
            };
            self.write(&file, &histogram::draw(&histogram, &values));
            self.pictures.push(Picture {
                file,
                title: rule.id().to_owned(),
                detail: "histogram".to_owned(),
                sheet: None,
                failing: None,
            });
        }
    }

    fn pareto(&mut self, summary: &Summary) {
        let heading = pareto::Heading {
            readings: summary.readings.file.clone(),
            span: self.span_text(),
            judged: summary.readings.judged,
            plan: self.plan_file.clone(),
            hash: self.plan.hash().to_owned(),
        };
        self.write(PARETO, &pareto::draw(&heading, &summary.bars()));
        let picture = Picture {
            file: PARETO.to_owned(),
            title: "Pareto of rules".to_owned(),
            detail: String::new(),
            sheet: None,
            failing: None,
        };
        self.pictures.insert(0, picture);
    }

    fn span_text(&self) -> String {
        self.span.map_or(String::new(), |(first, last)| {
            drawing::span_text(first.as_millis(), last.as_millis())
        })
    }

    fn write(&mut self, file: &str, content: &str) {
        let path = self.dir.join(file);
        if let Err(error) = fs::write(&path, content)
            && self.failure.is_none()
        {
            self.failure = Some(unwritable(&path, error));
        }
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::check(format_args!("cannot write {}", path.display())).caused_by(error)
}

fn judged(time: i64, point: &control_chart::Point) -> Judged {
    let limits = |limits: control_chart::Limits| Limits {
        center: limits.center,
        lower: limits.lower,
        upper: limits.upper,
    };
    let fired = point.fired.iter();
    let marks: Marks = fired.filter_map(|test| Mark::of(test.as_str())).collect();
    Judged {
        time,
        value: point.cusum.map_or(point.value, |(high, _)| high),
        low: point.cusum.map(|(_, low)| low),
        spread: point.spread.map(|spread| spread.value),
        setting: Setting {
            limits: limits(point.limits),
            sigma: point.sigma,
            spread: point.spread.map(|spread| limits(spread.limits)),
        },
        marks,
    }
}

/// What a chart of single readings plots in phase I too.
fn single_value(rule: &ChartRule, reading: &Reading) -> Option<f64> {
    let value = reading.value(rule.characteristic)?;
    match rule.chart.kind() {
        ChartKind::Individuals | ChartKind::C | ChartKind::Np { .. } => Some(value),
        ChartKind::P | ChartKind::U => match rule.size? {
            SampleSize::Constant(size) => Some(value / size),
            SampleSize::Characteristic(size) => Some(value / reading.value(size)?),
        },
        _ => None,
    }
}
