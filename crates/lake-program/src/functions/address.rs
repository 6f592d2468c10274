//! Addresses (RFC 3986): the parts that say where, without those that may name a person.

use vrl::compiler::prelude::*;

use super::checked::{Checked, part, required, text};

const VALUE: &[Parameter] = &[required("value", kind::BYTES)];

pub(super) const ALL: &[Checked] = &[
    Checked {
        name: "url_host",
        usage: "The host of an address with a scheme, without user and port; null where there is none.",
        parameters: VALUE,
        returns: |_| TypeDef::bytes().or_null().infallible(),
        run: |&[value, ..]| {
            let whole = text(value);
            Ok(host(&whole).map_or(Value::Null, |host| part(value, host)))
        },
    },
    Checked {
        name: "url_path",
        usage: "The path of an address, without query and fragment; of one without a scheme, all that is not those.",
        parameters: VALUE,
        returns: |_| TypeDef::bytes().infallible(),
        run: |&[value, ..]| {
            let whole = text(value);
            Ok(path(&whole).map_or("/".into(), |path| part(value, path)))
        },
    },
];

/// What stands behind the scheme and before the query and the fragment, if the address has a scheme and an authority.
fn behind_scheme(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then(|| before_query(rest))
}

fn before_query(address: &str) -> &str {
    let end = address.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    &address[..end.unwrap_or(address.len())]
}

/// None where nothing stands behind the host, which is the root.
fn path(address: &str) -> Option<&str> {
    match behind_scheme(address) {
        None => Some(before_query(address)),
        Some(rest) => rest.find('/').map(|begin| &rest[begin..]),
    }
}

fn host(address: &str) -> Option<&str> {
    let rest = behind_scheme(address)?;
    let authority = rest.split('/').next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let host = match place.strip_prefix('[') {
        // An address of version 6 has colons of its own.
        Some(rest) => &place[..rest.find(']')? + 2],
        None => place.split(':').next().unwrap_or_default(),
    };
    Some(host).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::check;

    #[test]
    fn a_path_has_neither_query_nor_fragment() {
        check(&[
            (
                "url_path(\"https://shop.example/p/42?q=7#top\")",
                "\"/p/42\"",
            ),
            ("url_path(\"https://shop.example/p/42#a?b\")", "\"/p/42\""),
            ("url_path(\"https://shop.example\")", "\"/\""),
            ("url_path(\"https://shop.example?q=/a\")", "\"/\""),
            ("url_path(\"/p/42?q=7#top\")", "\"/p/42\""),
            (
                "url_path(\"/to/https://a.example/b?c\")",
                "\"/to/https://a.example/b\"",
            ),
            ("url_path(\"\")", "\"\""),
            ("url_path(\"?q\")", "\"\""),
            (
                "url_path!(.n)",
                "an argument is integer, which it cannot be",
            ),
        ]);
    }

    #[test]
    fn a_host_has_neither_user_nor_port() {
        check(&[
            (
                "url_host(\"https://news.example/a?b=c\")",
                "\"news.example\"",
            ),
            ("url_host(\"https://news.example\")", "\"news.example\""),
            (
                "url_host(\"https://news.example?u=x://y@z/\")",
                "\"news.example\"",
            ),
            (
                "url_host(\"http://jane:doe@news.example:8080/a\")",
                "\"news.example\"",
            ),
            (
                "url_host(\"http://[2001:db8::7]:8080/a\")",
                "\"[2001:db8::7]\"",
            ),
            ("url_host(\"http://[2001:db8::7/a\")", "null"),
            (
                "url_host(\"android-app://com.example.shop/\")",
                "\"com.example.shop\"",
            ),
            ("url_host(\"file:///a\")", "null"),
            ("url_host(\"mailto:jane@shop.example\")", "null"),
            ("url_host(\"/to/https://a.example/b\")", "null"),
            ("url_host(\"://a\")", "null"),
            ("url_host(\"\")", "null"),
        ]);
    }
}
