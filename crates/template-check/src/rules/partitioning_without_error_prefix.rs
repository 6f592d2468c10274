use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "partitioning-without-error-prefix",
    happens: "Firehose refuses the delivery stream, and the deployment is rolled back",
    cure: "ErrorOutputPrefix: errors/!{firehose:error-output-type}/",
    source: "https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-s3bucketprefix.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for (delivery, destination) in firehose::destinations(deployment) {
        if destination
            .field("DynamicPartitioningConfiguration.Enabled")
            .is_on()
            == Some(true)
            && let Field::Missing(place) = destination.field("ErrorOutputPrefix")
        {
            report.add(
                place,
                delivery,
                "records are partitioned and there is no error prefix",
            );
        }
    }
}
