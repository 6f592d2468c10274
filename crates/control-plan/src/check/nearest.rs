//! The known name that an unknown one was probably meant to be.

/// The nearest of `known` by edits (insert, remove, replace, swap neighbours), case ignored, if it is near enough to be
/// a slip: at most a third of the longer name's length, and at least one.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Longer names are no identifiers, and the distance costs their product.
    if name.chars().count() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| {
            (
                distance(&name.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(edits, candidate)| {
            *edits <= (name.chars().count().max(candidate.chars().count()) / 3).max(1)
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// "; did you mean `x`?", or the list of what is known.
pub(crate) fn hint<'k>(name: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => known_list(known),
    }
}

/// "; known: `a`, `b`", as long as the list stays short.
fn known_list<'k>(known: impl IntoIterator<Item = &'k str>) -> String {
    let names: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() || names.len() > 12 {
        return String::new();
    }
    format!("; known: {}", names.join(", "))
}

/// Optimal string alignment distance.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(
            nearest(name, ["torque", "power", "tool_wear", "rotational_speed"]),
            expected
        );
    }

    #[test]
    fn finds_slips_and_only_slips() {
        check("torqe", Some("torque"));
        check("Torque", Some("torque"));
        check("powre", Some("power"));
        check("toolwear", Some("tool_wear"));
        check("speed", None);
        check("x", None);
        check("", None);
    }
}
