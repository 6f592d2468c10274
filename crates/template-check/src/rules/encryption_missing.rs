use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "encryption-missing",
    happens: "what passes is kept in clear",
    cure: "StreamEncryption, KmsMasterKeyId or DeliveryStreamEncryptionConfigurationInput",
    source: "https://docs.aws.amazon.com/streams/latest/dev/server-side-encryption.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for resource in &deployment.resources {
        let field = |path| resource.properties.field(path);
        let bare = match resource.kind.as_str() {
            "AWS::Kinesis::Stream" => field("StreamEncryption"),
            "AWS::SNS::Topic" => field("KmsMasterKeyId"),
            // A stream as source brings its own encryption.
            "AWS::KinesisFirehose::DeliveryStream"
                if ["KinesisStreamSourceConfiguration", "MSKSourceConfiguration"]
                    .iter()
                    .all(|source| field(source).is_missing()) =>
            {
                field("DeliveryStreamEncryptionConfigurationInput")
            }
            "AWS::SQS::Queue" if field("KmsMasterKeyId").is_missing() => {
                match field("SqsManagedSseEnabled") {
                    Field::Found(switch) if switch.boolean() == Some(false) => {
                        Field::Missing(switch.place)
                    }
                    _ => continue,
                }
            }
            _ => continue,
        };
        if let Field::Missing(place) = bare {
            report.add(place, resource, "nothing is encrypted at rest");
        }
    }
}
