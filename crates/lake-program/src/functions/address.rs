//! Addresses (RFC 3986): the parts that say where, without those that may name a person.

use vrl::compiler::prelude::*;

use super::checked::{Checked, part, required, text};

const VALUE: &[Parameter] = &[required("value", kind::BYTES)];

pub(super) const ALL: &[Checked] = &[
    Checked {
        name: "url_host",
        usage: "The host of an address, without user and port; null where it has none.",
        parameters: VALUE,
        returns: |_| TypeDef::bytes().or_null().infallible(),
        run: |&[value, ..]| {
            let whole = text(value);
            Ok(Address::of(&whole)
                .host()
                .map_or(Value::Null, |host| part(value, host)))
        },
    },
    Checked {
        name: "url_path",
        usage: "The path of an address, without query and fragment; empty where it names no place, as with `mailto:`.",
        parameters: VALUE,
        returns: |_| TypeDef::bytes().infallible(),
        run: |&[value, ..]| {
            let whole = text(value);
            Ok(Address::of(&whole)
                .path
                .map_or("/".into(), |path| part(value, path)))
        },
    },
];

/// What an address says besides scheme, query and fragment.
struct Address<'a> {
    authority: Option<&'a str>,
    /// None where nothing stands behind the authority, which is the root.
    path: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn of(text: &'a str) -> Self {
        // Browsers leave out what stands around an address, too.
        let text = text.trim_matches(|letter| letter <= ' ');
        let end = text.bytes().position(|byte| matches!(byte, b'?' | b'#'));
        let text = &text[..end.unwrap_or(text.len())];
        let behind = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme));
        let rest = behind.map_or(text, |(_, rest)| rest);
        let (authority, path) = match rest.strip_prefix("//") {
            Some(place) => {
                let end = place.find('/');
                (
                    Some(&place[..end.unwrap_or(place.len())]),
                    end.map(|end| &place[end..]),
                )
            }
            // mailto:jane@shop.example names no place.
            None if behind.is_some() => (None, Some(&rest[..0])),
            None => (None, Some(rest)),
        };
        Self { authority, path }
    }

    fn host(&self) -> Option<&'a str> {
        let place = self.authority?.rsplit('@').next()?;
        let host = match place.strip_prefix('[') {
            // An address of version 6 has colons of its own.
            Some(rest) => &place[..rest.find(']')? + 2],
            None => place.split(':').next()?,
        };
        Some(host).filter(|host| !host.is_empty())
    }
}

fn is_scheme(text: &str) -> bool {
    let mut letters = text.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
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
            ("url_path(\" https://jane:doe@shop.example/p\")", "\"/p\""),
            ("url_path(\"//jane:doe@shop.example/p\")", "\"/p\""),
            ("url_path(\"mailto:jane@shop.example\")", "\"\""),
            ("url_path(\"p/42\")", "\"p/42\""),
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
            ("url_host(\"//jane@shop.example/p\")", "\"shop.example\""),
            ("url_host(\"file:///a\")", "null"),
            ("url_host(\"http://[\")", "null"),
            ("url_host(\"mailto:jane@shop.example\")", "null"),
            ("url_host(\"/to/https://a.example/b\")", "null"),
            ("url_host(\"://a\")", "null"),
            ("url_host(\"\")", "null"),
        ]);
    }
}
