use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "transformation-buffer",
    happens: "the answer, base64-encoded and with its record ids, does not fit Lambda's 6 MB: the batch fails each time and ends under processing-failed/",
    cure: "a BufferSizeInMBs of 1, which leaves rows room to grow",
    source: "https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html",
    check: Check::Deployed(look),
};

/// From here on an answer of small rows, unchanged, is over 6 MB: a third for base64, and about 110 bytes a record
/// around rows of 100.
const TOO_MUCH_MB: f64 = 3.0;

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for delivery in deployment.of("AWS::KinesisFirehose::DeliveryStream") {
        if let Some(buffer) = firehose::parameter(delivery, "BufferSizeInMBs")
            && let Some(size_mb) = buffer.number().filter(|size_mb| *size_mb >= TOO_MUCH_MB)
        {
            let what = format!("the transformation gets {size_mb} MB at a time");
            report.add(buffer.place, delivery, &what);
        }
    }
}
