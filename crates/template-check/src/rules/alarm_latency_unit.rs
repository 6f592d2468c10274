use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "alarm-latency-unit",
    happens: "the threshold is in microseconds: the alarm fires at every call",
    cure: "a Threshold in microseconds, 200000 for 200 ms",
    source: "https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html",
    check: Check::Deployed(look),
};

/// No model answers within so many microseconds.
const LEAST_US: f64 = 2_000.0;

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for watched in alarm::watched(deployment) {
        let latency = matches!(watched.metric, "ModelLatency" | "OverheadLatency");
        if let Some(threshold) = watched.alarm.properties.get("Threshold")
            && let Some(least_us) = threshold.number().filter(|it| *it < LEAST_US && *it > 0.0)
            && latency
            && watched.namespace == "AWS/SageMaker"
            && watched.alarm.properties.entry("Metrics").is_none()
        {
            let what = format!("{} is held against {least_us}", watched.metric);
            report.add(threshold.place, watched.alarm, &what);
        }
    }
}
