use std::collections::BTreeMap;

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "duplicate-key",
    happens: "the later one silently replaces the earlier",
    cure: "one of them, or another name",
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html",
    check: Check::Written(look),
};

fn look(stacks: &Stacks, report: &mut Report<'_>) {
    for stack in &stacks.all {
        stack.root.walk(&mut |node| {
            let mut seen = BTreeMap::new();
            for (key, _) in node.entries() {
                let first = *seen.entry(key.text.as_str()).or_insert(key.place);
                // What is merged with `<<` stands elsewhere, and may be overridden.
                if first != key.place && first.line >= node.place.line {
                    let what = format!(
                        "{} is written twice, first in line {}",
                        key.text, first.line
                    );
                    report.add_for(key.place, &key.text, &key.text, &what);
                }
            }
        });
    }
}
