use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "alarm-beyond-retention",
    happens: "records have left the stream before the alarm fires",
    cure: "a Threshold well below the stream's retention",
    source: "https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for watched in alarm::watched(deployment) {
        let stream = match watched.metric {
            "GetRecords.IteratorAgeMilliseconds" | "SubscribeToShardEvent.MillisBehindLatest" => {
                watched
                    .dimension("StreamName")
                    .and_then(|name| deployment.target_of(name, "AWS::Kinesis::Stream"))
            }
            "IteratorAge" => watched.dimension("FunctionName").and_then(|name| {
                let function = deployment.target_of(name, "AWS::Lambda::Function")?;
                let mappings = deployment.mappings();
                let reads = |it: &&Mapping<'_>| it.function.map(|it| &it.id) == Some(&function.id);
                mappings.iter().find(reads)?.origin
            }),
            _ => None,
        };
        let kept_s = stream
            .filter(|it| it.kind == "AWS::Kinesis::Stream")
            .and_then(retention_s);
        if let (Some(kept_s), Some(threshold)) = (kept_s, watched.alarm.properties.get("Threshold"))
            && let Some(age_ms) = threshold.number().filter(|age_ms| *age_ms >= kept_s * 1e3)
        {
            let what = format!(
                "the alarm waits for an age of {age_ms} ms, and the stream keeps records for {kept_s} s"
            );
            report.add(threshold.place, watched.alarm, &what);
        }
    }
}
