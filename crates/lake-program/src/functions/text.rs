//! Text. Lengths and limits are in characters, but for `length`, which gives the bytes of a text.

use vrl::compiler::prelude::*;

use super::checked::{Checked, optional, part, required, text};

const VALUE: &[Parameter] = &[required("value", kind::BYTES)];
const FOUND: &[Parameter] = &[
    required("value", kind::BYTES),
    required("substring", kind::BYTES),
    optional("case_sensitive", kind::BOOLEAN),
];

fn yes_or_no(_: &[Option<Kind>; 3]) -> TypeDef {
    TypeDef::boolean().infallible()
}

fn a_text(_: &[Option<Kind>; 3]) -> TypeDef {
    TypeDef::bytes().infallible()
}

pub(super) const ALL: &[Checked] = &[
    Checked {
        name: "contains",
        usage: "Whether the text contains another.",
        parameters: FOUND,
        returns: yes_or_no,
        run: |values| Ok(found(values, |value, part| value.contains(part)).into()),
    },
    Checked {
        name: "starts_with",
        usage: "Whether the text begins with another.",
        parameters: FOUND,
        returns: yes_or_no,
        run: |values| Ok(found(values, |value, part| value.starts_with(part)).into()),
    },
    Checked {
        name: "ends_with",
        usage: "Whether the text ends with another.",
        parameters: FOUND,
        returns: yes_or_no,
        run: |values| Ok(found(values, |value, part| value.ends_with(part)).into()),
    },
    Checked {
        name: "downcase",
        usage: "The text in small letters.",
        parameters: VALUE,
        returns: a_text,
        run: |&[value, ..]| Ok(text(value).to_lowercase().into()),
    },
    Checked {
        name: "upcase",
        usage: "The text in capital letters.",
        parameters: VALUE,
        returns: a_text,
        run: |&[value, ..]| Ok(text(value).to_uppercase().into()),
    },
    Checked {
        name: "strip_whitespace",
        usage: "The text without white space at either end.",
        parameters: VALUE,
        returns: a_text,
        run: |&[value, ..]| Ok(part(value, text(value).trim())),
    },
    Checked {
        name: "truncate",
        usage: "The text's first characters, up to a limit, with `suffix` behind them where it was cut.",
        parameters: &[
            required("value", kind::BYTES),
            required("limit", kind::INTEGER),
            optional("suffix", kind::BYTES),
        ],
        returns: a_text,
        run: |&[value, limit, suffix]| {
            let limit = usize::try_from(limit.as_integer().unwrap_or(0)).unwrap_or(0);
            let whole = text(value);
            match whole.char_indices().nth(limit) {
                None => Ok(whole.as_ref().into()),
                Some((end, _)) => Ok([&whole[..end], &text(suffix)].concat().into()),
            }
        },
    },
    Checked {
        name: "replace",
        usage: "The text with every occurrence of `pattern`, a text, replaced.",
        parameters: &[
            required("value", kind::BYTES),
            required("pattern", kind::BYTES),
            required("with", kind::BYTES),
        ],
        returns: a_text,
        run: |&[value, pattern, with]| Ok(text(value).replace(&*text(pattern), &text(with)).into()),
    },
    Checked {
        name: "split",
        usage: "The text's parts between occurrences of `pattern`, a text; at most `limit` of them.",
        parameters: &[
            required("value", kind::BYTES),
            required("pattern", kind::BYTES),
            optional("limit", kind::INTEGER),
        ],
        returns: |_| TypeDef::array(Collection::from_unknown(Kind::bytes())).infallible(),
        run: |&[value, pattern, limit]| {
            let limit = limit
                .as_integer()
                .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0));
            let whole = text(value);
            let part = |found| part(value, found);
            let pattern = text(pattern);
            // A search for a letter needs no preparation.
            let parts = match pattern.as_bytes() {
                [letter @ ..=0x7f] => whole.splitn(limit, char::from(*letter)).map(part).collect(),
                _ => whole.splitn(limit, &*pattern).map(part).collect(),
            };
            Ok(Value::Array(parts))
        },
    },
    Checked {
        name: "join",
        usage: "The texts of an array, one behind the other, with `separator` between them.",
        parameters: &[
            required("value", kind::ARRAY),
            optional("separator", kind::BYTES),
        ],
        returns: |[given, ..]| {
            let texts = Kind::array(Collection::from_unknown(Kind::bytes()));
            let certain = given
                .as_ref()
                .is_some_and(|given| texts.is_superset(given).is_ok());
            TypeDef::bytes().maybe_fallible(!certain)
        },
        run: |&[value, separator, _]| {
            let items = value.as_array().unwrap_or_default();
            let texts: Vec<_> = items
                .iter()
                .map(|item| item.to_str_lossy().ok_or("not every item is a string"))
                .collect::<Result<_, _>>()?;
            Ok(texts.join(&*text(separator)).into())
        },
    },
    Checked {
        name: "length",
        usage: "How many bytes a text, items an array, fields an object has.",
        parameters: &[required("value", kind::BYTES | kind::ARRAY | kind::OBJECT)],
        returns: |_| TypeDef::integer().infallible(),
        run: |&[value, ..]| {
            let length = match &value {
                Value::Array(items) => items.len(),
                Value::Object(fields) => fields.len(),
                other => text(other).len(),
            };
            Ok(Value::Integer(i64::try_from(length).unwrap_or(i64::MAX)))
        },
    },
];

fn found(&[value, part, case_sensitive]: &[&Value; 3], holds: fn(&str, &str) -> bool) -> bool {
    match case_sensitive.as_boolean() {
        Some(false) => holds(&text(value).to_lowercase(), &text(part).to_lowercase()),
        _ => holds(&text(value), &text(part)),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::check;

    #[test]
    fn texts_are_searched() {
        check(&[
            ("contains(\"torque\", \"orq\")", "true"),
            ("contains(\"torque\", \"ORQ\")", "false"),
            (
                "contains(\"torque\", \"ORQ\", case_sensitive: false)",
                "true",
            ),
            ("starts_with(\"torque\", \"tor\")", "true"),
            ("starts_with(\"torque\", \"que\")", "false"),
            ("ends_with(\"torque\", \"que\")", "true"),
            (
                "ends_with!(.n, \"7\")",
                "an argument is integer, which it cannot be",
            ),
        ]);
    }

    #[test]
    fn texts_are_changed() {
        check(&[
            ("upcase(\"straße\")", "\"STRASSE\""),
            ("downcase!(.t)", "\"text\""),
            ("strip_whitespace(\" a b\\n\")", "\"a b\""),
            ("truncate(\"프레스\", 2)", "\"프레\""),
            ("truncate(\"프레스\", limit: 2, suffix: \"…\")", "\"프레…\""),
            ("truncate(\"프레스\", 3, \"…\")", "\"프레스\""),
            ("truncate(\"a\", -1)", "\"\""),
            ("replace(\"a-b-c\", \"-\", \"/\")", "\"a/b/c\""),
        ]);
    }

    #[test]
    fn texts_are_taken_apart_and_put_together() {
        check(&[
            ("split(\"a?b?c\", \"?\")", r#"["a","b","c"]"#),
            ("split(\"a?b?c\", \"?\", limit: 2)", r#"["a","b?c"]"#),
            ("split(\"a\", \"?\", limit: 0)", "[]"),
            ("split(\"\", \"?\")[0]", "\"\""),
            ("join([\"a\", \"b\"], \", \")", "\"a, b\""),
            ("join([\"a\", \"b\"])", "\"ab\""),
            ("join!(.a)", "not every item is a string"),
            ("length(\"프\")", "3"),
            ("length([1, 2])", "2"),
            ("length!(.o)", "1"),
        ]);
    }
}
