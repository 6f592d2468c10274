//! What the pictures of a backtest say in words.

use control_chart::{Baseline, ChartKind, EwmaLimits};
use control_plan::{ChartRule, ControlPlan, Reading, readable};
use judgement::Restart;

use super::summary::{Summary, worst};
use crate::plot::series::Series;

/// The attributes that the chart was restarted for.
pub(super) fn restarted_by(
    plan: &ControlPlan,
    rule: &ChartRule,
    reading: &Reading,
    restart: Restart,
) -> String {
    let attributes = match restart {
        Restart::Learning => &rule.relearn_on,
        Restart::Points => &rule.reset_on,
    };
    let texts: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| {
            let text = reading.attribute(*attribute)?;
            Some(format!("{} {text}", plan.attribute_name(*attribute)))
        })
        .collect();
    texts.join(", ")
}

/// Where centre and sigma come from, what else the chart is set to, and its tests.
pub(super) fn settings(rule: &ChartRule, series: &Series) -> String {
    let mut parts = Vec::new();
    match rule.chart.baseline() {
        Baseline::Given { center, sigma } => parts.push(format!(
            "centre {} and sigma {} given",
            readable(center),
            readable(sigma)
        )),
        Baseline::GivenCenter(center) => parts.push(format!("centre {} given", readable(center))),
        Baseline::Learned { points } => {
            let verb = match series.setting_at_end() {
                Some(_) => "learned",
                None => "learning",
            };
            let learned = match (rule.chart.kind(), series.setting_at_end()) {
                (ChartKind::Individuals, Some(setting)) => format!(
                    ": centre {}, sigma {}",
                    readable(setting.limits.center),
                    readable(setting.sigma)
                ),
                (ChartKind::Cusum { .. }, _) | (_, None) => String::new(),
                (_, Some(setting)) => format!(": centre {}", readable(setting.limits.center)),
            };
            parts.push(format!("{verb} from {points} points{learned}"));
        }
    }
    match rule.chart.kind() {
        ChartKind::Ewma {
            lambda,
            width,
            limits,
        } => {
            parts.push(format!(
                "lambda {}, width {}",
                readable(lambda),
                readable(width)
            ));
            if limits == EwmaLimits::Steady {
                parts.push("steady limits".to_owned());
            }
        }
        ChartKind::Cusum { k, h, .. } => {
            parts.push(format!("k {} and h {} sigma", readable(k), readable(h)));
        }
        _ => {}
    }
    parts.join(" \u{b7} ")
}

/// What is told beside a specification's histogram.
pub(super) fn figures(
    summary: &Summary,
    rule: &str,
    (lower, upper): (Option<f64>, Option<f64>),
    values: &[f64],
) -> Vec<(String, String)> {
    let number = |number: f64| readable(number).to_string();
    let index = |index: f64| format!("{index:.2}");
    let mut figures: Vec<(&str, Option<String>)> = Vec::new();
    let together = summary
        .capability
        .iter()
        .find(|found| found.rule == rule && found.machine.is_none());
    let outside = |beyond: &dyn Fn(&f64) -> bool| {
        let count = values.iter().filter(|value| beyond(value)).count();
        let share = 100.0 * count as f64 / values.len().max(1) as f64;
        format!("{count} ({share:.2} %)")
    };
    figures.push(("values", Some(values.len().to_string())));
    figures.push(("mean", together.and_then(|found| found.mean).map(number)));
    figures.push((
        "sigma, overall",
        together.and_then(|found| found.sigma).map(number),
    ));
    figures.push(("LSL", lower.map(number)));
    figures.push(("USL", upper.map(number)));
    figures.push((
        "below LSL",
        lower.map(|lower| outside(&|value| *value < lower)),
    ));
    figures.push((
        "above USL",
        upper.map(|upper| outside(&|value| *value > upper)),
    ));
    figures.push(("Pp", together.and_then(|found| found.pp).map(index)));
    figures.push(("Ppk", together.and_then(|found| found.ppk).map(index)));
    figures.push(("Cp", together.and_then(|found| found.cp).map(index)));
    figures.push(("Cpk", together.and_then(|found| found.cpk).map(index)));
    if let Some(worst) = worst(&summary.capability, rule) {
        figures.push(("worst machine", worst.machine.clone()));
        figures.push(("its mean", worst.mean.map(number)));
        figures.push(("its Ppk", worst.ppk.map(index)));
    }
    figures
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
