//! Query protocol: a form with flattened names (`Entries.member.1.Id`), read into a tree.

use std::collections::BTreeMap;

use super::{Refusal, percent};

/// A form's parameters by name. Parameters are *taken*: what is left at the end is not supported.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn decode(body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let pairs = body.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent::decode_form(name), percent::decode_form(value))
        });
        Self(pairs.collect())
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// The elements of a list or map: `prefix.1.`, `prefix.2.`, … each as a form of its own.
    pub(crate) fn take_members(&mut self, prefix: &str) -> Vec<Form> {
        let mut members: BTreeMap<u32, Form> = BTreeMap::new();
        let of_prefix: Vec<String> = self
            .0
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect();
        for name in of_prefix {
            let place = name
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix('.'));
            let Some((place, rest)) = place.and_then(|rest| rest.split_once('.')) else {
                continue;
            };
            let Ok(place) = place.parse() else { continue };
            if let Some(value) = self.0.remove(&name) {
                members
                    .entry(place)
                    .or_default()
                    .0
                    .insert(rest.to_owned(), value);
            }
        }
        members.into_values().collect()
    }

    /// Refuses what nobody has taken: ignoring it would answer another question.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Refusal::new(
                "InvalidParameter",
                format!("not supported: parameter {name}"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_numeric_order() {
        let mut form =
            Form::decode(b"A=1&L.member.10.Id=j&L.member.2.Id=b&L.member.2.M.entry.1.Name=n+m");
        let mut members = form.take_members("L.member");
        assert_eq!(members.len(), 2);
        assert_eq!(members[0].take("Id").as_deref(), Some("b"));
        assert_eq!(
            members[0].take_members("M.entry")[0]
                .take("Name")
                .as_deref(),
            Some("n m")
        );
        assert_eq!(members[1].take("Id").as_deref(), Some("j"));
        assert!(form.clone().finish().is_err(), "A has not been taken");
        assert_eq!(form.take("A").as_deref(), Some("1"));
        assert!(form.finish().is_ok());
    }
}
