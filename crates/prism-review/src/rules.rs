//! The rules of the reviewer, a file each under `rules/`: the page that a miner reads is what the model is told.
//!
//! Shown by `prism explain`, at `/v1/rules` and in `docs/review-rules/`; their hash is stored with every verdict.

use std::fmt::Write as _;

use prism_core::hash::Sha256Hash;
use serde::Serialize;

/// Grows with every change of what the reviewer is told. A round names the one that its submissions were read by.
pub const VERSION: u32 = 1;

/// How much a rule weighs, for whoever reads a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It is meant to deceive.
    Severe,
    /// The scripts make no sense together.
    Ordinary,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// `PRR` and three digits. Never given to another rule.
    pub code: &'static str,
    /// The stable name that programs match on.
    pub id: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// The version of PRISM that had it first.
    pub since: &'static str,
    page: &'static str,
}

macro_rules! rules {
    ($($code:literal $id:literal $weight:ident;)*) => {
        /// All of them, in the order of their codes.
        pub const ALL: &[Rule] = &[$(Rule {
            code: $code,
            id: $id,
            weight: Weight::$weight,
            since: "0.1.0",
            page: include_str!(concat!("../rules/", $code, ".md")),
        },)*];
    };
}

rules! {
    "PRR101" "prism:review-concealment" Severe;
    "PRR102" "prism:review-instructions" Severe;
    "PRR103" "prism:review-smuggled-knowledge" Severe;
    "PRR104" "prism:review-harness" Severe;
    "PRR105" "prism:review-host" Severe;
    "PRR106" "prism:review-two-faced" Severe;
    "PRR107" "prism:review-kept-answers" Severe;
    "PRR108" "prism:review-not-given" Severe;
    "PRR201" "prism:review-incoherent" Ordinary;
    "PRR202" "prism:review-idle-loop" Ordinary;
}

impl Rule {
    /// The page, in Markdown.
    pub fn page(&self) -> &'static str {
        self.page
    }

    /// The title: the first line of the page, without its mark.
    pub fn title(&self) -> &'static str {
        let line = self.page.lines().next().unwrap_or_default();
        line.trim_start_matches('#').trim()
    }

    /// The page with the rule's code, id and weight under its title.
    pub fn shown(&self) -> String {
        let (title, rest) = self.page.split_once('\n').unwrap_or((self.page, ""));
        let weight = match self.weight {
            Weight::Severe => "severe",
            Weight::Ordinary => "ordinary",
        };
        format!(
            "{title}\n\n`{}` `{}`: {weight}, of the reviewer since version {}\n{rest}",
            self.code, self.id, self.since
        )
    }

    fn section(&self, heading: &str) -> String {
        let (_, rest) = self.page.split_once(heading).unwrap_or_default();
        let body = rest.split("\n## ").next().unwrap_or_default();
        body.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What the model is told of it.
    pub fn told(&self) -> String {
        format!(
            "{} {}. {} Not meant: {}",
            self.code,
            self.title(),
            self.section("## What it is\n"),
            self.section("## What it is not\n"),
        )
    }
}

/// A rule by its code (in any case) or its id (with or without `prism:`).
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| {
        rule.code.eq_ignore_ascii_case(name)
            || rule.id == name
            || rule.id.strip_prefix("prism:") == Some(name)
    })
}

/// The hash of all pages.
pub fn sha256() -> Sha256Hash {
    let mut text = String::new();
    for rule in ALL {
        let _ = writeln!(text, "{} {}\n{}", rule.code, rule.id, rule.page);
    }
    Sha256Hash::of(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_page_with_all_sections() {
        for rule in ALL {
            assert!(
                !rule.title().is_empty() && rule.page.starts_with("# "),
                "{}",
                rule.code
            );
            for heading in [
                "## What it is\n",
                "## What it is not\n",
                "## Example\n",
                "## Write instead\n",
            ] {
                assert!(rule.page.contains(heading), "{}: {heading}", rule.code);
            }
            assert!(rule.told().len() > 200, "{}", rule.told());
            assert_eq!(
                find(&rule.code.to_lowercase()).map(|found| found.code),
                Some(rule.code)
            );
            assert_eq!(find(rule.id).map(|found| found.code), Some(rule.code));
        }
        assert!(find("PRR999").is_none() && find("").is_none());
    }
}
