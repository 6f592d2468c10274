//! The metrics that an alarm watches.

use crate::deployment::{Deployment, Resource};
use crate::place::Place;
use crate::value::{Field, Located};

/// One metric of an alarm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched<'a> {
    pub(crate) alarm: &'a Resource,
    pub(crate) namespace: &'a str,
    pub(crate) metric: &'a str,
    /// Where the metric is named.
    pub(crate) place: Place,
    pub(crate) dimensions: Field<'a>,
}

impl<'a> Watched<'a> {
    /// The dimensions as pairs, as far as their names are known.
    pub(crate) fn pairs(&self) -> Vec<(&'a str, &'a Located)> {
        let items = self.dimensions.found().and_then(Located::items);
        let pair = |item: &'a Located| Some((item.get("Name")?.literal()?, item.get("Value")?));
        items.into_iter().flatten().filter_map(pair).collect()
    }

    /// Whether every dimension can be seen.
    pub(crate) fn is_seen(&self) -> bool {
        let items = self.dimensions.found().and_then(Located::items);
        items.is_none_or(|items| items.len() == self.pairs().len())
    }

    pub(crate) fn dimension(&self, name: &str) -> Option<&'a Located> {
        let pair = self.pairs().into_iter().find(|(own, _)| *own == name);
        pair.map(|(_, value)| value)
    }
}

/// Every metric that an alarm of the template watches, by itself or within an expression.
pub(crate) fn watched<'a>(deployment: &'a Deployment) -> Vec<Watched<'a>> {
    let mut found = Vec::new();
    for alarm in deployment.of("AWS::CloudWatch::Alarm") {
        found.extend(of(
            alarm,
            &alarm.properties,
            alarm.properties.field("Dimensions"),
        ));
        let metrics = alarm.properties.get("Metrics").and_then(Located::items);
        for metric in metrics.into_iter().flatten() {
            if let Some(metric) = metric.get("MetricStat.Metric") {
                found.extend(of(alarm, metric, metric.field("Dimensions")));
            }
        }
    }
    found
}

fn of<'a>(alarm: &'a Resource, at: &'a Located, dimensions: Field<'a>) -> Option<Watched<'a>> {
    let metric = at.get("MetricName")?;
    Some(Watched {
        alarm,
        namespace: at.get("Namespace")?.literal()?,
        metric: metric.literal()?,
        place: metric.place,
        dimensions,
    })
}
