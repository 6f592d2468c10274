//! From a chart's entry in the plan to the chart. After a fault a sound value stands in, so that the faults behind it
//! are told as well.

use control_chart::{Baseline, Chart, ChartKind, EwmaLimits, MAX_SUBGROUP, Subgroups, Tests};

use super::keys::{EWMA_LIMITS, SUBGROUP_KEYS, TYPES, all, own, with_article};
use super::{ChartRule, SampleSize, tests_key};
use crate::check::yaml::{Kind, Node};
use crate::check::{Check, Entries};
use crate::expression::Meaning;
use crate::reading::AttributeId;
use crate::rule::parse::Scope;
use crate::rule::rate::positive;
use crate::rule::reference::{attribute, attributes, characteristic};

/// Fewest and most points that phase I takes in.
pub(crate) const LEARN: (u32, u32) = (10, 100_000);

pub(in crate::rule) fn parse(
    check: &mut Check<'_>,
    node: &Node,
    scope: &Scope<'_>,
) -> Option<ChartRule> {
    let entries = check.mapping(node, "chart", &all(), "")?;
    let kind = entries
        .require(check, "type")
        .and_then(|node| check.choice(node, "chart type", &TYPES.map(|(name, _)| (name, name))));
    let charted = entries
        .require(check, "characteristic")
        .and_then(|node| characteristic(check, node, "characteristic", scope.names));
    let mut listed = |key: &str| match entries.get(key) {
        None => Some(Vec::new()),
        Some(node) => attributes(check, node, key, scope.names),
    };
    let (reset_on, relearn_on) = (listed("reset_on"), listed("relearn_on"));
    let mut draft = Draft {
        check,
        entries: &entries,
        kind: kind?,
        is_sound: true,
    };
    draft.refuse_foreign_keys();
    let size = draft.size(scope);
    let (subgroups, subgroup_by) = draft.subgroups(scope);
    let chart_kind = draft.chart_kind(subgroups, size);
    let baseline = draft.baseline();
    let tests = draft.tests(chart_kind);
    let chart = draft.chart(chart_kind, baseline, tests);
    Some(ChartRule {
        characteristic: charted?,
        // An np chart's own size is part of the chart.
        size: size.filter(|_| kind != Some("np")),
        chart: chart?,
        subgroup_by,
        reset_on: reset_on?,
        relearn_on: relearn_on?,
    })
}

/// A chart under construction.
struct Draft<'d, 's, 'n> {
    check: &'d mut Check<'s>,
    entries: &'d Entries<'n>,
    kind: &'static str,
    is_sound: bool,
}

impl<'n> Draft<'_, '_, 'n> {
    /// What was found, or a stand-in for it.
    fn or<T>(&mut self, found: Option<T>, instead: T) -> T {
        self.is_sound &= found.is_some();
        found.unwrap_or(instead)
    }

    fn own(&self, key: &str) -> Option<&'n Node> {
        let is_own = own(self.kind).contains(&key);
        self.entries.get(key).filter(|_| is_own)
    }

    fn is_of_counts(&self) -> bool {
        matches!(self.kind, "p" | "np" | "c" | "u")
    }

    /// Keys that only other types take.
    fn refuse_foreign_keys(&mut self) {
        let own = own(self.kind);
        let kind = with_article(self.kind);
        let foreign = all().into_iter().filter(|key| {
            let is_of_all = super::KEYS.contains(key);
            !is_of_all && !own.contains(key)
        });
        for key in foreign {
            let Some(entry) = self.entries.entry(key) else {
                continue;
            };
            let message = match (key, self.kind) {
                ("tests", "ewma" | "cusum") => {
                    format!(
                        "{kind} chart takes no `tests`: its points depend on one another, so that runs of them say nothing"
                    )
                }
                ("sigma", _) => {
                    format!("{kind} chart takes no `sigma`: it follows from the centre")
                }
                _ => {
                    let known: Vec<_> = own.iter().map(|key| format!("`{key}`")).collect();
                    format!(
                        "{kind} chart takes no `{key}`; its own keys: {}",
                        known.join(", ")
                    )
                }
            };
            self.check.fault(&entry.key.span, message);
            self.is_sound = false;
        }
    }

    fn number(&mut self, key: &str, default: Option<f64>) -> f64 {
        let found = match (self.entries.get(key), default) {
            (Some(node), _) => self.check.number(node, key),
            (None, Some(default)) => Some(default),
            (None, None) => {
                self.entries.require(self.check, key);
                None
            }
        };
        // Sound for every parameter; a head start is to be below h.
        self.or(found, if key == "h" { 1_000.0 } else { 0.5 })
    }

    /// None: the chart takes no size, or it is faulty.
    fn size(&mut self, scope: &Scope<'_>) -> Option<SampleSize> {
        if !own(self.kind).contains(&"size") {
            return None;
        }
        let found = self.size_at(scope);
        self.is_sound &= found.is_some();
        found
    }

    fn size_at(&mut self, scope: &Scope<'_>) -> Option<SampleSize> {
        let kind = with_article(self.kind);
        let Some(node) = self.entries.get("size") else {
            let what = match self.kind {
                "u" => "the units in each sample, a number or a characteristic",
                "p" => "the items in each sample, a number or a characteristic",
                _ => "the items in each sample",
            };
            self.check.fault(
                self.entries.span(),
                format!("{kind} chart needs `size`: {what}"),
            );
            return None;
        };
        let is_name = matches!(&node.kind, Kind::Scalar(scalar)
            if scalar.text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
        match (is_name, self.kind) {
            (true, "np") => {
                self.check.fault(
                    &node.span,
                    "the size of an np chart is a number; where it varies, chart the proportion (p)",
                );
                None
            }
            (true, _) => characteristic(self.check, node, "size", scope.names)
                .map(SampleSize::Characteristic),
            (false, _) => positive(self.check, node, "size").map(SampleSize::Constant),
        }
    }

    fn subgroups(&mut self, scope: &Scope<'_>) -> (Subgroups, Option<AttributeId>) {
        if !own(self.kind).contains(&"subgroup") {
            return (Subgroups::ByKey, None);
        }
        let found = self.subgroups_at(scope);
        self.or(found, (Subgroups::ByKey, None))
    }

    fn subgroups_at(&mut self, scope: &Scope<'_>) -> Option<(Subgroups, Option<AttributeId>)> {
        let Some(node) = self.entries.get("subgroup") else {
            self.check.fault(
                self.entries.span(),
                format!(
                    "{} chart needs `subgroup`: 2 to {MAX_SUBGROUP} readings, or `{{by: attribute}}`",
                    with_article(self.kind)
                ),
            );
            return None;
        };
        if let Kind::Mapping(_) = &node.kind {
            let inner = self.check.mapping(node, "subgroup", &SUBGROUP_KEYS, "")?;
            let node = inner.require(self.check, "by")?;
            let by = attribute(self.check, node, "by", scope.names)?;
            return Some((Subgroups::ByKey, Some(by)));
        }
        if let Kind::Scalar(scalar) = &node.kind
            && let Some(Meaning::Attribute(_)) = scope.names.get(&scalar.text)
        {
            let name = &scalar.text;
            self.check.fault(
                &node.span,
                format!("an attribute that ends subgroups is written `{{by: {name}}}`"),
            );
            return None;
        }
        let size = self
            .check
            .whole(node, "subgroup", 2..=u32::from(MAX_SUBGROUP))?;
        let size = u8::try_from(size).unwrap_or(MAX_SUBGROUP);
        Some((Subgroups::Of(size), None))
    }

    fn chart_kind(&mut self, subgroups: Subgroups, size: Option<SampleSize>) -> ChartKind {
        match self.kind {
            "xbar-r" => ChartKind::XbarR(subgroups),
            "xbar-s" => ChartKind::XbarS(subgroups),
            "ewma" => ChartKind::Ewma {
                lambda: self.number("lambda", None),
                width: self.number("width", Some(3.0)),
                limits: self.ewma_limits(),
            },
            "cusum" => ChartKind::Cusum {
                k: self.number("k", Some(0.5)),
                h: self.number("h", Some(5.0)),
                head_start: self.number("head_start", Some(0.0)),
            },
            "p" => ChartKind::P,
            "np" => ChartKind::Np {
                size: match size {
                    Some(SampleSize::Constant(size)) => size,
                    // Any centre is below it.
                    _ => f64::from(u32::MAX),
                },
            },
            "c" => ChartKind::C,
            "u" => ChartKind::U,
            _ => ChartKind::Individuals,
        }
    }

    fn ewma_limits(&mut self) -> EwmaLimits {
        let found = match self.entries.get("limits") {
            None => Some(EwmaLimits::default()),
            Some(node) => self.check.choice(node, "kind of limits", &EWMA_LIMITS),
        };
        self.or(found, EwmaLimits::default())
    }

    /// `center` and `sigma`, or `learn`.
    fn baseline(&mut self) -> Baseline {
        let found = self.baseline_at();
        self.or(found, Baseline::Learned { points: LEARN.0 })
    }

    fn baseline_at(&mut self) -> Option<Baseline> {
        let center = self.entries.get("center");
        let sigma = self.own("sigma");
        if let Some(node) = self.entries.get("learn") {
            let points = self.check.whole(node, "learn", LEARN.0..=LEARN.1);
            let given = [("center", center), ("sigma", sigma)];
            let given = given.into_iter().find(|(_, node)| node.is_some());
            if let Some((key, _)) = given {
                if let Some(entry) = self.entries.entry(key) {
                    self.check.fault(
                        &entry.key.span,
                        format!("`{key}` is given or learned, not both"),
                    );
                }
                return None;
            }
            return Some(Baseline::Learned { points: points? });
        }
        let is_of_counts = self.is_of_counts();
        let number = |draft: &mut Self, key, node: Option<&Node>| match node {
            Some(node) => draft.check.number(node, key),
            None => None,
        };
        let problem = match (center, sigma) {
            (Some(_), None) if is_of_counts => {
                return number(self, "center", center).map(Baseline::GivenCenter);
            }
            (Some(_), Some(_)) => {
                let center = number(self, "center", center);
                let sigma = number(self, "sigma", sigma);
                return Some(Baseline::Given {
                    center: center?,
                    sigma: sigma?,
                });
            }
            (None, None) if is_of_counts => {
                "the chart needs `center`, or `learn`: so many points that it learns it from"
            }
            (None, None) => {
                "the chart needs `center` and `sigma`, or `learn`: so many points that it learns them from"
            }
            (Some(_), None) => {
                "a given `center` needs `sigma` as well, the standard deviation of single values"
            }
            (None, Some(_)) => "a given `sigma` needs `center` as well",
        };
        self.check.fault(self.entries.span(), problem);
        None
    }

    fn tests(&mut self, kind: ChartKind) -> Tests {
        let found = match self.own("tests") {
            None => Some(Tests::limits(kind)),
            Some(node) => tests_key::parse(self.check, node, kind),
        };
        self.or(found, Tests::limits(kind))
    }

    /// The chart, or every parameter that makes none.
    fn chart(mut self, mut kind: ChartKind, mut baseline: Baseline, tests: Tests) -> Option<Chart> {
        loop {
            let bad = match Chart::new(kind, baseline, tests) {
                Ok(chart) => return self.is_sound.then_some(chart),
                Err(bad) => bad,
            };
            let span = self
                .entries
                .get(bad.parameter)
                .map_or(self.entries.span().clone(), |node| node.span.clone());
            self.check
                .fault(&span, format!("{} {}", bad.parameter, bad.problem));
            let was = (kind, baseline);
            mend(&mut kind, &mut baseline, bad.parameter);
            if was == (kind, baseline) {
                return None;
            }
            self.is_sound = false;
        }
    }
}

/// Puts a sound value in the place of a parameter.
fn mend(kind: &mut ChartKind, baseline: &mut Baseline, parameter: &str) {
    match (kind, parameter) {
        (ChartKind::Ewma { lambda, .. }, "lambda") => *lambda = 0.5,
        (ChartKind::Ewma { width, .. }, "width") => *width = 3.0,
        (ChartKind::Cusum { k, .. }, "k") => *k = 0.5,
        // Any head start is to be below it.
        (ChartKind::Cusum { h, .. }, "h") => *h = 1_000.0,
        (ChartKind::Cusum { head_start, .. }, "head_start") => *head_start = 0.0,
        (ChartKind::Np { size }, "size") => *size = f64::from(u32::MAX),
        _ => match (baseline, parameter) {
            (Baseline::Given { center, .. }, "center") => *center = 0.0,
            (Baseline::Given { sigma, .. }, "sigma") => *sigma = 1.0,
            (baseline @ Baseline::GivenCenter(_), "center") => {
                *baseline = Baseline::Learned { points: LEARN.0 };
            }
            _ => {}
        },
    }
}
