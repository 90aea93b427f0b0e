//! What is wrong with a bundle's `tokenizer.json`, as a finding with a place.
//!
//! Called by `prism check`, with and without the model, and by [`crate::instantiate`]. The file is read as a run reads it,
//! by the referee's own parser; no process is started. Never decides what becomes of a run: loading does.

use prism_bundle::{Bundle, TokenizerChoice};
use prism_core::recipe::Recipe;
use prism_corpus::tokenizer::{JsonPlace, Tokenizer, TokenizerError, TokenizerSpec};

/// The rule of the gate for such a finding.
pub const RULE_CODE: &str = "PRS302";
/// The file, at the root of a bundle.
pub const FILE: &str = "tokenizer.json";

/// Why a bundle's tokenizer cannot be used. The texts quote the file: whoever shows them escapes them for the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenizerProblem {
    /// What is wrong, with the path of keys within the file.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// What is wrong with the tokenizer that a bundle brings along; nothing for a bundle that names a built-in one.
pub fn problem(bundle: &Bundle, recipe: &Recipe) -> Option<TokenizerProblem> {
    if bundle.tokenizer() != TokenizerChoice::Bundle {
        return None;
    }
    let json = bundle.tokenizer_json().unwrap_or_default().as_bytes();
    match Tokenizer::load(&TokenizerSpec::Bundle(json.to_vec())) {
        Ok(tokenizer) => {
            let (found, most) = (tokenizer.vocab_size(), recipe.stream.max_vocab_size);
            (found > most).then(|| TokenizerProblem {
                message: format!("the vocabulary has {found} tokens; at most {most} are allowed"),
                hint: "use a smaller vocabulary".to_owned(),
                line: 1,
                column: 1,
            })
        }
        Err(TokenizerError::Bundle(error)) => Some(told(&error.to_string(), &error.place(json))),
        // A defect of this program, which a run reports.
        Err(TokenizerError::Builtin(_)) => None,
    }
}

/// "What is wrong; what to do", at its last semicolon.
fn told(text: &str, place: &JsonPlace) -> TokenizerProblem {
    let (what, hint) = match text.rsplit_once("; ") {
        Some((what, hint)) => (what, hint.to_owned()),
        None => (
            text,
            format!("`prism explain {RULE_CODE}` says what the file may hold"),
        ),
    };
    let at = match place.path.as_str() {
        "" => String::new(),
        path => format!(" (at `{path}`)"),
    };
    TokenizerProblem {
        message: format!("`{FILE}` is refused: {what}{at}"),
        hint,
        line: place.line,
        column: place.column,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tokenizer: &str) -> Option<TokenizerProblem> {
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
        assert_eq!(found(GOOD), None);
        let problem = found(&GOOD.replace("\"vocab\"", "\"dropout\": 0.5, \"vocab\"")).unwrap();
        assert_eq!((problem.line, problem.column), (4, 28));
        assert_eq!(
            problem.message,
            "`tokenizer.json` is refused: `model.dropout` must be null: the same text must give the same tokens \
             (at `model.dropout`)"
        );
        let problem = found(&GOOD.replace("\"merges\"", "\"mergers\"")).unwrap();
        assert_eq!(problem.line, 4);
        assert!(
            problem.message.contains("unknown field `mergers`"),
            "{}",
            problem.message
        );
        assert_eq!(problem.hint, "remove or replace what it names");
        assert_eq!(found("{").unwrap().line, 1);
    }

    #[test]
    fn a_built_in_tokenizer_has_nothing_wrong() {
        let bundle = Bundle::from_entries(vec![
            ("architecture.py".into(), b"a\n".to_vec()),
            ("training.py".into(), b"x\n".to_vec()),
        ])
        .unwrap();
        assert_eq!(problem(&bundle, &Recipe::demo()), None);
    }
}
