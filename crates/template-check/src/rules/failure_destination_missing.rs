use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "failure-destination-missing",
    happens: "a batch that is given up is gone: nobody is told which records it held",
    cure: "DestinationConfig: {OnFailure: {Destination: ...}}, a bucket if the payload is to be kept",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        if let (true, Field::Missing(place)) = (mapping.is_stream(), mapping.destination()) {
            report.add(place, mapping.resource, "there is no failure destination");
        }
    }
}
