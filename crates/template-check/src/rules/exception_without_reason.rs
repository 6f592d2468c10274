use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "exception-without-reason",
    happens: "nobody will know whether it still holds",
    cure: "write the reason beside the rule's id",
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-metadata.html",
    check: Check::Exceptions,
};
