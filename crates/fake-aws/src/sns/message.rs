//! A message: what SNS accepts of its subject, structure and attributes.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::invalid_parameter;
use crate::protocol::Refusal;
use crate::protocol::form::Form;

/// The largest message, and the largest batch: text, attribute names, types and values in bytes.
pub(super) const MAX_BYTES: usize = 262_144;
const MAX_SUBJECT_CHARS: usize = 100;

/// A message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// SNS's id of the message.
    pub message_id: String,
    /// The entry's id, if it was published in a batch.
    pub entry_id: Option<String>,
    /// The text, as it was published: with `structure` `json` an object with a text for each protocol.
    pub message: String,
    /// The subject.
    pub subject: Option<String>,
    /// The `MessageStructure`.
    pub structure: Option<String>,
    /// The attributes by name.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// When it was published, in the world's milliseconds since 1970.
    pub at_ms: i64,
}

/// A message attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageAttribute {
    /// `String`, `String.Array`, `Number`, `Binary`, …
    pub data_type: String,
    /// The value as text; a binary one in Base64.
    pub value: String,
}

impl Published {
    /// What a subscriber of this protocol gets: its own text, else the default, else the message as it is.
    pub fn text_for(&self, protocol: &str) -> String {
        match self.texts() {
            None => self.message.clone(),
            Some(texts) => texts
                .get(protocol)
                .or_else(|| texts.get("default"))
                .cloned()
                .unwrap_or_default(),
        }
    }

    /// The texts by protocol, if the message has that structure. Values that are no text are ignored.
    fn texts(&self) -> Option<BTreeMap<String, String>> {
        self.structure
            .as_deref()
            .filter(|structure| *structure == "json")?;
        let texts: BTreeMap<String, Json> = serde_json::from_str(&self.message).ok()?;
        Some(
            texts
                .into_iter()
                .filter_map(|(name, text)| Some((name, text.as_str()?.to_owned())))
                .collect(),
        )
    }

    /// Reads what Publish and a batch's entry share.
    pub(super) fn read(form: &mut Form, entry_id: Option<String>) -> Result<Self, Refusal> {
        let attributes = form
            .take_members("MessageAttributes.entry")
            .into_iter()
            .map(attribute);
        Ok(Self {
            message_id: String::new(),
            entry_id,
            message: form.take("Message").unwrap_or_default(),
            subject: form.take("Subject"),
            structure: form.take("MessageStructure"),
            attributes: attributes.collect::<Result<_, _>>()?,
            at_ms: 0,
        })
    }

    pub(super) fn size(&self) -> usize {
        let of_attribute = |(name, attribute): (&String, &MessageAttribute)| {
            name.len() + attribute.data_type.len() + attribute.value.len()
        };
        self.message.len() + self.attributes.iter().map(of_attribute).sum::<usize>()
    }

    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.message.is_empty() {
            return Err(invalid_parameter("Empty message"));
        }
        if self.size() > MAX_BYTES {
            return Err(invalid_parameter("Message too long"));
        }
        if self
            .subject
            .as_deref()
            .is_some_and(|subject| !is_subject(subject))
        {
            return Err(invalid_parameter("Subject"));
        }
        match self.structure.as_deref() {
            None => {}
            Some("json") => match serde_json::from_str::<BTreeMap<String, Json>>(&self.message) {
                Err(_) => {
                    return Err(invalid_parameter(
                        "Message Structure - JSON message body failed to parse",
                    ));
                }
                Ok(texts) if texts.get("default").and_then(Json::as_str).is_none() => {
                    return Err(invalid_parameter(
                        "Message Structure - No default entry in JSON message body",
                    ));
                }
                Ok(_) => {}
            },
            Some(_) => return Err(invalid_parameter("MessageStructure")),
        }
        self.attributes
            .iter()
            .try_for_each(|(name, attribute)| attribute.check(name))
    }
}

/// ASCII that begins with a letter, a digit or punctuation, without line breaks or control characters, of less
/// than 100 characters. The current reference allows UTF-8; e-mail shows ASCII alone reliably.
fn is_subject(subject: &str) -> bool {
    (1..MAX_SUBJECT_CHARS).contains(&subject.len())
        && subject
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        && !subject.starts_with(' ')
}

fn attribute(mut form: Form) -> Result<(String, MessageAttribute), Refusal> {
    let name = form.take("Name").unwrap_or_default();
    let data_type = form.take("Value.DataType").unwrap_or_default();
    let value = form
        .take("Value.StringValue")
        .or_else(|| form.take("Value.BinaryValue"))
        .unwrap_or_default();
    form.finish()?;
    Ok((name, MessageAttribute { data_type, value }))
}

impl MessageAttribute {
    fn check(&self, name: &str) -> Result<(), Refusal> {
        let invalid = |what: String| Err(Refusal::new("ParameterValueInvalid", what));
        let Self { data_type, value } = self;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > 256 || !name.bytes().all(is_name) {
            return invalid(format!("Invalid attribute name: '{name}'"));
        }
        if data_type.is_empty() {
            return invalid(format!(
                "The message attribute '{name}' must contain non-empty message attribute type."
            ));
        }
        let prefix = data_type.split('.').next().unwrap_or_default();
        if !["String", "Number", "Binary"].contains(&prefix) {
            return invalid(format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type \
                 prefixes is Binary, Number, and String."
            ));
        }
        if value.is_empty() {
            return invalid(format!(
                "The message attribute '{name}' must contain non-empty message attribute value for message attribute \
                 type '{data_type}'."
            ));
        }
        if prefix == "Number" && value.parse::<f64>().is_err() {
            return invalid(format!(
                "Could not cast message attribute '{name}' value to number."
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Published {
        Published {
            message_id: String::new(),
            entry_id: None,
            message: text.to_owned(),
            subject: None,
            structure: None,
            attributes: BTreeMap::new(),
            at_ms: 0,
        }
    }

    #[test]
    fn subjects_are_short_printable_ascii() {
        let longest = "x".repeat(99);
        for (subject, accepted) in [
            ("[critical] press-07: power out of range", true),
            (longest.as_str(), true),
            (&format!("{longest}x"), false),
            ("프레스-07", false),
            ("two\nlines", false),
            ("a\ttab", false),
            (" leading space", false),
            ("", false),
        ] {
            let message = Published {
                subject: Some(subject.to_owned()),
                ..message("text")
            };
            assert_eq!(message.check().is_ok(), accepted, "{subject:?}");
        }
    }

    #[test]
    fn a_text_per_protocol_needs_a_default() {
        let structured = |text: &str| Published {
            structure: Some("json".to_owned()),
            ..message(text)
        };
        for (text, fault) in [
            (r#"{"default":"d","sms":"s"}"#, None),
            (r#"{"sms":"s"}"#, Some("No default entry")),
            (r#"{"default":1}"#, Some("No default entry")),
            ("not json", Some("failed to parse")),
        ] {
            let found = structured(text)
                .check()
                .err()
                .map(|refusal| refusal.message);
            assert_eq!(found.is_some(), fault.is_some(), "{text}");
            assert!(
                found
                    .unwrap_or_default()
                    .contains(fault.unwrap_or_default())
            );
        }
        let message = structured(r#"{"default":"d","sms":"s"}"#);
        assert_eq!(
            (message.text_for("sms"), message.text_for("email")),
            ("s".to_owned(), "d".to_owned())
        );
    }

    #[test]
    fn attributes_need_a_type_and_a_value() {
        for (data_type, value, fault) in [
            ("String", "critical", None),
            ("String.Array", "[\"a\"]", None),
            ("Number", "1.5", None),
            ("Number", "many", Some("Could not cast")),
            ("", "x", Some("non-empty message attribute type")),
            ("String", "", Some("non-empty message attribute value")),
            ("Text", "x", Some("invalid message attribute type")),
        ] {
            let attribute = MessageAttribute {
                data_type: data_type.to_owned(),
                value: value.to_owned(),
            };
            let found = attribute
                .check("severity")
                .err()
                .map(|refusal| refusal.message)
                .unwrap_or_default();
            assert!(
                found.contains(fault.unwrap_or_default()) && found.is_empty() == fault.is_none(),
                "{found}"
            );
        }
    }

    #[test]
    fn the_size_counts_text_and_attributes_in_bytes() {
        let mut message = message("프레스");
        assert_eq!(message.size(), 9);
        let attribute = MessageAttribute {
            data_type: "String".to_owned(),
            value: "critical".to_owned(),
        };
        message.attributes.insert("severity".to_owned(), attribute);
        assert_eq!(message.size(), 9 + 8 + 6 + 8);
        message.message = "x".repeat(MAX_BYTES);
        assert!(message.check().is_err());
    }
}
