//! The page of a rule, as `prism explain`, `docs/rules/` and SARIF show it.

use std::fmt::Write as _;

use crate::rule::Rule;

/// The page with the rule's code, id and weight under its title.
pub fn page(rule: &Rule) -> String {
    let page = rule.page();
    let (title, rest) = page.split_once('\n').unwrap_or((&page, ""));
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{title}\n\n`{}` `{}`: {}, since version {}",
        rule.code,
        rule.id,
        rule.severity.as_str(),
        rule.since
    );
    out.push_str(rest);
    out
}
