//! What is wrong with a bundle's `tokenizer.json`, as a finding with a place.
//!
//! Called by `prism check`, with and without the model, and by [`crate::instantiate`]. The file is read as a run reads it,
//! by the referee's own parser; no process is started. Never decides what becomes of a run: loading does.

use std::borrow::Cow;

use prism_bundle::{Bundle, TokenizerChoice};
use prism_core::advice::Advice as _;
use prism_core::recipe::Recipe;
use prism_corpus::tokenizer::{Tokenizer, TokenizerError, TokenizerSpec};
use prism_gate::{Finding, Place, Severity};

/// The rule of the gate for such a finding.
const RULE_CODE: &str = "PRS302";
/// The file, at the root of a bundle.
const FILE: &str = "tokenizer.json";

/// What is wrong with the tokenizer that a bundle brings along; nothing for a bundle that names a built-in one. The texts
/// quote the file: whoever shows them escapes them for the place.
pub fn problem(bundle: &Bundle, recipe: &Recipe) -> Option<Finding> {
    if bundle.tokenizer() != TokenizerChoice::Bundle {
        return None;
    }
    let json = bundle.tokenizer_json().unwrap_or_default().as_bytes();
    match Tokenizer::load(&TokenizerSpec::Bundle(json.to_vec())) {
        Ok(tokenizer) => {
            let (found, most) = (tokenizer.vocab_size(), recipe.stream.max_vocab_size);
            (found > most).then(|| {
                finding(
                    Place::START,
                    format!("the vocabulary has {found} tokens; at most {most} are allowed"),
                    "use a smaller vocabulary".to_owned(),
                )
            })
        }
        Err(TokenizerError::Bundle(error)) => {
            let place = error.place(json);
            let at = match place.path.as_str() {
                "" => String::new(),
                path => format!(" (at `{path}`)"),
            };
            Some(finding(
                Place::at(place.line, place.column),
                format!("`{FILE}` is refused: {error}{at}"),
                error.hint().map_or_else(
                    || format!("`prism explain {RULE_CODE}` says what the file may hold"),
                    Cow::into_owned,
                ),
            ))
        }
        // A defect of this program, which a run reports.
        Err(TokenizerError::Builtin(_)) => None,
    }
}

fn finding(place: Place, message: String, hint: String) -> Finding {
    Finding {
        rule: prism_gate::of_instantiation(RULE_CODE),
        severity: Severity::Error,
        file: FILE.to_owned(),
        place,
        message,
        hint,
        traceback: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tokenizer: &str) -> Option<Finding> {
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        let bundle = Bundle::from_entries(vec![
            file("architecture.py", "def build_model(ctx): ...\n"),
            file("training.py", "def train(ctx): ...\n"),
            file("prism.yaml", "name: x\ntokenizer: bundle\n"),
            file(FILE, tokenizer),
        ])
        .unwrap();
        problem(&bundle, &Recipe::demo())
    }

    const GOOD: &str = r#"{
  "added_tokens": [{"id": 1, "content": "</s>", "special": true}],
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
  "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}
}"#;

    #[test]
    fn a_file_that_cannot_be_used_has_a_place() {
        assert!(found(GOOD).is_none());
        let problem = found(&GOOD.replace("\"vocab\"", "\"dropout\": 0.5, \"vocab\"")).unwrap();
        assert_eq!((problem.place.line, problem.place.column), (4, 28));
        assert_eq!(
            problem.message,
            "`tokenizer.json` is refused: `model.dropout` must be null: the same text must give the same tokens \
             (at `model.dropout`)"
        );
        let problem = found(&GOOD.replace("\"merges\"", "\"mergers\"")).unwrap();
        assert_eq!(problem.place.line, 4);
        assert!(
            problem.message.contains("unknown field `mergers`"),
            "{}",
            problem.message
        );
        assert_eq!(problem.hint, "remove or replace what it names");
        assert_eq!(found("{").unwrap().place.line, 1);
    }

    #[test]
    fn a_built_in_tokenizer_has_nothing_wrong() {
        let bundle = Bundle::from_entries(vec![
            ("architecture.py".into(), b"a\n".to_vec()),
            ("training.py".into(), b"x\n".to_vec()),
        ])
        .unwrap();
        assert!(problem(&bundle, &Recipe::demo()).is_none());
    }
}
