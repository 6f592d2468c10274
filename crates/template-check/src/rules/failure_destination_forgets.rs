use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "failure-destination-forgets",
    happens: "the pointer to the lost records is deleted while the records could still be fetched from the stream",
    cure: "a MessageRetentionPeriod of 1209600 (14 days), longer than a repair takes",
    source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let destination = mapping.destination().found();
        let queue = destination.and_then(|it| deployment.target_of(it, "AWS::SQS::Queue"));
        let (true, Some(queue)) = (mapping.is_stream(), queue) else {
            continue;
        };
        let kept = queue.properties.field("MessageRetentionPeriod");
        // Records are in the stream for its retention; what was given up at some age is there for the rest.
        let retention_s = mapping
            .origin
            .filter(|origin| origin.kind == "AWS::Kinesis::Stream")
            .and_then(retention_s);
        let (Some(kept_s), limit_s) = (kept.number_or(345_600.0), mapping.record_age_s()) else {
            continue;
        };
        let rest_s = retention_s.map(|all| all - limit_s.unwrap_or(0.0));
        let shortest = limit_s.into_iter().chain(rest_s).fold(0.0, f64::max);
        if kept_s < shortest {
            let what = format!(
                "the failure queue keeps messages for {kept_s} s, and a record can be {shortest} s old or have as long in the stream"
            );
            report.add(place_of(kept, queue), queue, &what);
        }
    }
}
