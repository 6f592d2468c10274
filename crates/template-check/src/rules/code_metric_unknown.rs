use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "code-metric-unknown",
    happens: "no such metric comes: the alarm stays without data and never fires, the picture stays empty",
    cure: "a metric as the code declares it, with its dimensions",
    source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html",
    check: Check::Code(look),
};

fn look(deployment: &Deployment, manifest: &Manifest, report: &mut Report<'_>) {
    for watched in alarm::watched(deployment) {
        if watched.namespace != manifest.namespace || !watched.is_seen() {
            continue;
        }
        let names: Vec<&str> = watched.pairs().into_iter().map(|(name, _)| name).collect();
        if let Some(what) = code::unknown_metric(manifest, watched.metric, &names) {
            report.add(watched.place, watched.alarm, &what);
        }
    }
    for dashboard in deployment.of("AWS::CloudWatch::Dashboard") {
        let Some(body) = dashboard.properties.get("DashboardBody") else {
            continue;
        };
        for (metric, names) in code::pictured(body, &manifest.namespace) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if let Some(what) = code::unknown_metric(manifest, &metric, &names) {
                report.add(body.place, dashboard, &what);
            }
        }
    }
}
