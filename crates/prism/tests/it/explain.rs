//! `prism explain`: every rule has a page, by code and by name.

use insta::assert_snapshot;

use crate::context::Context;

#[test]
fn a_page_is_found_by_code_and_name() {
    let context = Context::new();
    let page = context.run("explain PRS314");
    assert_snapshot!(context.show(&page), @r#"
    exit: 0
    ----- stdout
    # Predictions that depend on earlier calls

    `PRS314` `prism:stateful-forward`: error, since version 0.1.0

    ## What it does

    Asks the model, in eval mode and with the same weights, about a row, about another one, and about the first again.
    Refuses it where the first and the last answer differ.

    ## Why is this refused?

    An audit is a prediction from the snapshot and the row alone. What a model keeps anywhere but in its parameters and
    buffers, or draws at random in eval mode, is something else: a process that remembers more than its weights could
    know the text. So a fresh process is asked a few of the questions of a run again, and an answer that does not come
    again ends the run as `answers_differ`, without a score.

    ## Example

    ```python
    def forward(self, tokens):
        self.cache.append(tokens)  # a list: no snapshot holds it
        return self.head(self.mix(self.cache))
    ```

    Use instead:

    ```python
    def __init__(self, vocab_size):
        super().__init__()
        self.register_buffer("memory", torch.zeros(64, 256))  # part of every snapshot
    ```
    ----- stderr
    "#);
    for name in ["prs314", "prism:stateful-forward", "stateful-forward"] {
        assert_eq!(
            context.run(&format!("explain {name}")).stdout,
            page.stdout,
            "{name}"
        );
    }
}

#[test]
fn every_rule_says_what_why_and_what_to_write_instead() {
    let context = Context::new();
    let (exit, value) = context.json("explain --all --json");
    assert_eq!(exit, 0);
    let rules = value.as_array().unwrap();
    let text = String::from_utf8(context.run("explain --all").stdout).unwrap();
    assert_eq!(text.lines().count(), rules.len() + 1);
    let mut codes = Vec::new();
    for rule in rules {
        let code = rule["code"].as_str().unwrap();
        let page = rule["page"].as_str().unwrap();
        let of_gate = [
            "# ",
            "## What it does",
            "## Why is this ",
            "## Example",
            "Use instead:",
        ];
        let of_reviewer = [
            "# ",
            "## What it is\n",
            "## What it is not",
            "## Example",
            "## Write instead",
        ];
        for part in if code.starts_with("PRR") {
            of_reviewer
        } else {
            of_gate
        } {
            assert!(page.contains(part), "{code}: {part}");
        }
        assert_eq!(page.matches("```").count() % 2, 0, "{code}");
        assert!(
            text.contains(code) && text.contains(rule["title"].as_str().unwrap()),
            "{code}"
        );
        let (_, one) = context.json(&format!("explain {code} --json"));
        assert_eq!(one, *rule);
        codes.push(code.to_owned());
    }
    // The gate's, then the reviewer's.
    let of_gate = codes.iter().filter(|code| code.starts_with("PRS")).count();
    let (gate, reviewer) = codes.split_at(of_gate);
    assert!(gate.is_sorted() && reviewer.is_sorted(), "{codes:?}");
    for code in [
        "PRR103", "PRS001", "PRS004", "PRS102", "PRS301", "PRS311", "PRS312", "PRS313", "PRS314", "PRS315",
    ] {
        assert!(codes.iter().any(|known| known == code), "{code}");
    }
}

#[test]
fn a_rule_that_does_not_exist_is_a_usage_error() {
    let context = Context::new();
    assert_snapshot!(context.shown("explain PRS999"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: there is no rule `PRS999`

    hint: see `prism explain --all`
    ");
    assert_eq!(context.run("explain").status.code(), Some(2));
    assert_eq!(context.run("explain PRS101 --all").status.code(), Some(2));
}
