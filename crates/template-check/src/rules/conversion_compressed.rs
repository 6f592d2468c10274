use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "conversion-compressed",
    happens: "Firehose refuses the delivery stream: Parquet and ORC are compressed inside",
    cure: "CompressionFormat: UNCOMPRESSED, and the compression in the serializer",
    source: "https://docs.aws.amazon.com/firehose/latest/dev/enable-record-format-conversion.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for (delivery, destination) in firehose::destinations(deployment) {
        let converts = firehose::converts(destination);
        if let (Some(true), Some(format)) = (converts, destination.get("CompressionFormat"))
            && format
                .literal()
                .is_some_and(|format| format != "UNCOMPRESSED")
        {
            report.add(
                format.place,
                delivery,
                "records are converted and objects compressed",
            );
        }
    }
}
