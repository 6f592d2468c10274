use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "queue-visibility-short",
    happens: "messages become visible again while they are being worked on, and are done twice",
    cure: "a VisibilityTimeout of at least six times the function's Timeout, plus the batching window",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let (Source::Queue, Some(queue), Some(function)) =
            (mapping.source, mapping.origin, mapping.function)
        else {
            continue;
        };
        let visible = queue.properties.field("VisibilityTimeout");
        let hidden_s = visible.number_or(30.0);
        let timeout_s = function.properties.field("Timeout").number_or(3.0);
        let window_s = mapping
            .field("MaximumBatchingWindowInSeconds")
            .number_or(0.0);
        if let (Some(hidden_s), Some(timeout_s), Some(window_s)) = (hidden_s, timeout_s, window_s)
            && hidden_s < 6.0 * timeout_s + window_s
        {
            let what = format!(
                "messages are hidden for {hidden_s} s, and an attempt may take {timeout_s} s after {window_s} s of gathering"
            );
            report.add(place_of(visible, queue), queue, &what);
        }
    }
}
