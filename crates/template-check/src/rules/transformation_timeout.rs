use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "transformation-timeout",
    happens: "Firehose waits for five minutes, tries again three times, and puts the batch under processing-failed/",
    cure: "a Timeout of at most 300",
    source: "https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for delivery in deployment.of("AWS::KinesisFirehose::DeliveryStream") {
        let function = firehose::parameter(delivery, "LambdaArn")
            .and_then(|arn| deployment.target_of(arn, "AWS::Lambda::Function"));
        if let Some(function) = function
            && let Some(timeout) = function.properties.get("Timeout")
            && let Some(timeout_s) = timeout.number().filter(|timeout_s| *timeout_s > 300.0)
        {
            let what = format!("the transforming function may take {timeout_s} s");
            report.add(timeout.place, function, &what);
        }
    }
}
