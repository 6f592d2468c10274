//! JSON pointers (RFC 6901): where a value stands in a payload.

/// Deepest pointer.
const MAX_DEPTH: usize = 16;

/// The pointer's reference tokens, unescaped, or what is wrong with it and at which byte.
pub(crate) fn parse(text: &str) -> Result<Vec<String>, (usize, &'static str)> {
    if text.is_empty() {
        return Err((0, "a pointer names a member, as in `/machine`"));
    }
    if !text.starts_with('/') {
        return Err((0, "a JSON pointer begins with `/`, as in `/machine`"));
    }
    let mut tokens = Vec::new();
    let mut at = 1;
    for token in text[1..].split('/') {
        let mut escapes = token.match_indices('~');
        if let Some((tilde, _)) =
            escapes.find(|(tilde, _)| !matches!(token.as_bytes().get(tilde + 1), Some(b'0' | b'1')))
        {
            return Err((
                at + tilde,
                "in a JSON pointer `~` is written `~0` and `/` within a name `~1`",
            ));
        }
        tokens.push(token.replace("~1", "/").replace("~0", "~"));
        at += token.len() + 1;
    }
    if tokens.len() > MAX_DEPTH {
        return Err((0, "a pointer has at most 16 steps"));
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&[&str], usize>) {
        let found = parse(text).map_err(|(at, _)| at);
        assert_eq!(
            found,
            expected.map(|tokens| tokens.iter().map(|token| (*token).to_owned()).collect()),
            "{text}"
        );
    }

    #[test]
    fn follows_rfc_6901() {
        check("/a", Ok(&["a"]));
        check("/a/0/b c", Ok(&["a", "0", "b c"]));
        check("/a~1b/m~0n", Ok(&["a/b", "m~n"]));
        check("/~01", Ok(&["~1"]));
        check("/", Ok(&[""]));
        check("/a//b", Ok(&["a", "", "b"]));
        check("", Err(0));
        check("a", Err(0));
        check("/a/b~", Err(4));
        check("/a~2", Err(2));
    }
}
