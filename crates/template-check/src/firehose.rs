//! A delivery stream's destination and transformation.

use crate::deployment::{Deployment, Resource};
use crate::value::{Field, Located};

/// Every delivery stream into S3, with its destination.
pub(crate) fn destinations(deployment: &Deployment) -> impl Iterator<Item = (&Resource, &Located)> {
    deployment
        .of("AWS::KinesisFirehose::DeliveryStream")
        .filter_map(|delivery| {
            let destination = delivery
                .properties
                .get("ExtendedS3DestinationConfiguration")?;
            Some((delivery, destination))
        })
}

/// Whether records are converted to a format of columns: where the switch is left out, they are.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DataFormatConversionConfiguration.html>
pub(crate) fn converts(destination: &Located) -> Option<bool> {
    match destination.field("DataFormatConversionConfiguration.Enabled") {
        Field::Missing(_) => match destination.field("DataFormatConversionConfiguration") {
            Field::Found(_) => Some(true),
            Field::Missing(_) => Some(false),
            Field::Unknown => None,
        },
        written => written.is_on(),
    }
}

/// A parameter of the transformation by a function, whatever the destination. A switch that is left out has no documented
/// default: only one that is written to be off takes the transformation away.
pub(crate) fn parameter<'a>(delivery: &'a Resource, name: &str) -> Option<&'a Located> {
    for entry in delivery.properties.entries() {
        let processing = entry.value.get("ProcessingConfiguration");
        let off = |it: &&Located| it.get("Enabled").and_then(Located::boolean) == Some(false);
        let Some(processing) = processing.filter(|it| !off(it)) else {
            continue;
        };
        let processors = processing.get("Processors").and_then(Located::items);
        let lambda = |it: &&Located| it.get("Type").and_then(Located::literal) == Some("Lambda");
        for processor in processors.into_iter().flatten().filter(lambda) {
            let parameters = processor.get("Parameters").and_then(Located::items);
            let own =
                |it: &&Located| it.get("ParameterName").and_then(Located::literal) == Some(name);
            if let Some(parameter) = parameters.into_iter().flatten().find(own) {
                return parameter.get("ParameterValue");
            }
        }
    }
    None
}
