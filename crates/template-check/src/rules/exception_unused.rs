use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "exception-unused",
    happens: "it will hide the next fault of this kind",
    cure: "remove the exception",
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-metadata.html",
    check: Check::Exceptions,
};
