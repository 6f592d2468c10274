//! JSON 1.0 and 1.1: the operation in `X-Amz-Target`, errors by `__type`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Refusal, Reply};
use crate::connector::Operation;

/// Reads an operation's input. An unknown member is refused: ignoring it would answer another question.
pub(crate) fn operation<T>(body: &[u8]) -> Result<Box<dyn Operation>, Refusal>
where
    T: Operation + DeserializeOwned + 'static,
{
    let body = if body.is_empty() { b"{}" } else { body };
    match serde_json::from_slice::<T>(body) {
        Ok(operation) => Ok(Box::new(operation)),
        Err(fault) => Err(malformed(&fault)),
    }
}

pub(crate) fn malformed(fault: &serde_json::Error) -> Refusal {
    Refusal::new(
        "SerializationException",
        format!("not supported or malformed: {fault}"),
    )
}

pub(crate) fn reply(
    version: &'static str,
    result: Result<Value, Refusal>,
    namespace: fn(&str) -> &'static str,
) -> Reply {
    match result {
        Ok(output) => self::body(version, 200, &output, None),
        Err(Refusal {
            status,
            code,
            message,
            mut members,
        }) => {
            members.insert(
                "__type".to_owned(),
                json!(format!("{}{code}", namespace(&code))),
            );
            members.insert("message".to_owned(), json!(message));
            self::body(version, status, &members, Some(code.into_owned()))
        }
    }
}

fn body(
    version: &'static str,
    status: u16,
    output: &impl Serialize,
    code: Option<String>,
) -> Reply {
    // Plain maps with string keys: there is nothing in them that could fail to serialise.
    let body = serde_json::to_vec(output).unwrap_or_default();
    Reply {
        status,
        headers: vec![(
            "content-type".into(),
            format!("application/x-amz-json-{version}"),
        )],
        body: body.into(),
        code,
    }
}
