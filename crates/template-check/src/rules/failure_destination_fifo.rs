use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "failure-destination-fifo",
    happens: "Lambda takes standard queues and topics only: the mapping is refused, and the deployment rolled back",
    cure: "a standard queue or topic, or a bucket",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let Some(destination) = mapping.destination().found() else {
            continue;
        };
        let fifo = match deployment.target(destination) {
            Some(it) => ["FifoQueue", "FifoTopic"]
                .iter()
                .any(|key| it.properties.field(key).is_on() == Some(true)),
            None => destination
                .literal()
                .is_some_and(|arn| arn.ends_with(".fifo")),
        };
        if fifo && mapping.is_stream() {
            report.add(
                destination.place,
                mapping.resource,
                "the failure destination is a FIFO one",
            );
        }
    }
}
