//! A `PublishBatch` that is done in part. Its request is a form and its answer XML, where the other services speak JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Messages of one call that do not reach their topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// As members of the answer's list of what failed.
    failed: String,
}

/// What the SDK's form begins with.
const ACTION: &str = "Action=PublishBatch&";
/// An entry's fields are called so, with its number and a name after it.
const ENTRY: &str = "PublishBatchRequestEntries.member.";
/// The end of the answer's list of what failed, which the answer has even if the list is empty. As text in a message it
/// would be escaped.
const END: &str = "</Failed>";

impl Messages {
    /// The form without the messages that `keep` holds back, and those; none if it is no such form, or nothing is left or
    /// held back.
    pub fn held_back(form: &[u8], mut keep: impl FnMut() -> bool) -> Option<(String, Self)> {
        let form = std::str::from_utf8(form).ok()?;
        if !form.starts_with(ACTION) {
            return None;
        }
        // An entry's old number, and its new one if it goes on: a list of a form has no gaps.
        let mut numbers: BTreeMap<&str, Option<usize>> = BTreeMap::new();
        let mut left = 0;
        let mut kept = Vec::new();
        let mut failed = String::new();
        for pair in form.split('&') {
            let entry = pair.strip_prefix(ENTRY);
            let Some((number, field)) = entry.and_then(|entry| entry.split_once('.')) else {
                kept.push(pair.to_owned());
                continue;
            };
            let number = *numbers.entry(number).or_insert_with(|| {
                keep().then(|| {
                    left += 1;
                    left
                })
            });
            match (number, field.strip_prefix("Id=")) {
                (Some(number), _) => kept.push(format!("{ENTRY}{number}.{field}")),
                // Letters, digits, hyphens and underscores: nothing in an id is ever encoded.
                (None, Some(id)) => {
                    // Writing to a string does not fail.
                    let _ = write!(
                        failed,
                        "<member><Id>{id}</Id><Code>InternalError</Code><Message>made up by a fault plan</Message>\
                         <SenderFault>false</SenderFault></member>"
                    );
                }
                (None, None) => {}
            }
        }
        (left > 0 && !failed.is_empty()).then(|| (kept.join("&"), Self { failed }))
    }

    /// The answer to the whole call, from the one to what went on; none if that is an error.
    pub fn answer(&self, answer: &[u8]) -> Option<String> {
        let answer = std::str::from_utf8(answer).ok()?;
        let (before, after) = answer.split_once(END)?;
        Some(format!("{before}{}{END}{after}", self.failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns\
        &PublishBatchRequestEntries.member.1.Id=0&PublishBatchRequestEntries.member.1.Message=a\
        &PublishBatchRequestEntries.member.2.Id=1&PublishBatchRequestEntries.member.2.Message=b%26Id%3D7\
        &PublishBatchRequestEntries.member.3.Id=2&PublishBatchRequestEntries.member.3.Message=c";
    const ANSWER: &str = "<PublishBatchResponse><PublishBatchResult>\
        <Successful><member><Id>1</Id></member></Successful><Failed></Failed>\
        </PublishBatchResult></PublishBatchResponse>";

    #[test]
    fn what_goes_on_is_numbered_anew_and_keeps_its_id() {
        let mut fates = [false, true, false].into_iter();
        let (form, messages) =
            Messages::held_back(FORM.as_bytes(), || fates.next().unwrap()).unwrap();
        assert_eq!(
            form,
            "Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns\
             &PublishBatchRequestEntries.member.1.Id=1&PublishBatchRequestEntries.member.1.Message=b%26Id%3D7"
        );
        let answer = messages.answer(ANSWER.as_bytes()).unwrap();
        let failed = answer.split_once("<Failed>").unwrap().1;
        assert_eq!(
            failed.matches("<SenderFault>false</SenderFault>").count(),
            2
        );
        assert!(
            failed.contains("<Id>0</Id>") && failed.contains("<Id>2</Id>"),
            "{answer}"
        );
        assert!(answer.contains("<Successful><member><Id>1</Id></member></Successful>"));
        assert!(answer.ends_with("</PublishBatchResponse>"));
    }

    #[test]
    fn an_error_is_left_as_it_is() {
        let mut fates = [true, false, true].into_iter();
        let (_, messages) = Messages::held_back(FORM.as_bytes(), || fates.next().unwrap()).unwrap();
        assert_eq!(messages.answer(b"<ErrorResponse/>"), None);
    }

    #[test]
    fn what_has_no_parts_is_left_alone() {
        assert_eq!(
            Messages::held_back(FORM.as_bytes(), || true),
            None,
            "nothing held back"
        );
        assert_eq!(
            Messages::held_back(FORM.as_bytes(), || false),
            None,
            "nothing left"
        );
        assert_eq!(
            Messages::held_back(b"Action=Publish&Message=a", || false),
            None
        );
        assert_eq!(Messages::held_back(b"{}", || false), None);
    }
}
