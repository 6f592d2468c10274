use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "partitioning-buffer",
    happens: "Firehose refuses the delivery stream, and the deployment is rolled back",
    cure: "BufferingHints: {SizeInMBs: 64} or more",
    source: "https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for (delivery, destination) in firehose::destinations(deployment) {
        let partitions = destination.field("DynamicPartitioningConfiguration.Enabled");
        let why = match (
            partitions.is_on() == Some(true),
            firehose::converts(destination) == Some(true),
        ) {
            (true, _) => "partitioned",
            (false, true) => "converted",
            _ => continue,
        };
        if let Some(size) = destination.get("BufferingHints.SizeInMBs")
            && let Some(size_mib) = size.number().filter(|size_mib| *size_mib < 64.0)
        {
            let what = format!("records are {why} and {size_mib} MiB are buffered");
            report.add(size.place, delivery, &what);
        }
    }
}
