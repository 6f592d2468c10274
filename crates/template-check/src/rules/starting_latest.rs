use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "starting-latest",
    happens: "records that arrive while the mapping is being created or updated are never read",
    cure: "StartingPosition: TRIM_HORIZON",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        if let Some(position) = mapping.field("StartingPosition").found()
            && mapping.is_stream()
            && position.literal() == Some("LATEST")
        {
            report.add(position.place, mapping.resource, "reading starts at LATEST");
        }
    }
}
