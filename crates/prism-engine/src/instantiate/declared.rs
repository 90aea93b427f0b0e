//! What the scripts of a bundle say of their stream, as far as their text tells.
//!
//! Used by [`crate::instantiate`], which never calls `train`. It reads words, not Python: what it finds decides which length
//! of a row is tried first and which warning is left out, and nothing more.

use prism_bundle::Bundle;

const LENGTH: &str = "seq_len";
/// Names that are given to it and looked up; all files are read for each.
const NAMES_MAX: usize = 4;
/// The loop of the older interface: its rows have one token less than it is asked for, and its claims are made in eval mode.
const OLDER_LOOP: &str = "iter_train_batches";

/// The length of a row that the training script asks for, in tokens: the only number that is given to `seq_len`, to a
/// constant of that name, or to a name that is given to `seq_len`.
pub(super) fn row_tokens(bundle: &Bundle) -> Option<u32> {
    let training = bundle.file(bundle.manifest().training.as_str())?.to_lowercase();
    let values: Vec<&str> = values_of(&training, LENGTH).collect();
    let mut numbers: Vec<u32> = values.iter().filter_map(|value| number(value)).collect();
    let mut names: Vec<&str> = values.iter().filter_map(|value| last_name(value)).collect();
    names.sort_unstable();
    names.dedup();
    for name in names.into_iter().take(NAMES_MAX) {
        numbers.extend(constants(bundle, &training, name));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let [number] = numbers[..] else {
        return None;
    };
    Some(number - u32::from(training.contains(OLDER_LOOP) && number > 1))
}

/// The numbers that are given to a name: in the training script, or else in the other files, from which it may come.
fn constants(bundle: &Bundle, training: &str, name: &str) -> Vec<u32> {
    let here: Vec<u32> = values_of(training, name).filter_map(number).collect();
    if !here.is_empty() || name == LENGTH {
        return here;
    }
    let python = bundle.files().filter(|(path, _)| path.is_python());
    python
        .flat_map(|(_, text)| {
            let text = text.to_lowercase();
            values_of(&text, name).filter_map(number).collect::<Vec<u32>>()
        })
        .collect()
}

/// Whether claims may be made by a forward in eval mode: then training may predict as it likes.
pub(super) fn evaluates(bundle: &Bundle) -> bool {
    bundle.files().any(|(path, text)| {
        path.is_python()
            && (text.contains("\"eval\"")
                || text.contains("'eval'")
                || text.contains("predictor")
                || text.contains(OLDER_LOOP)
                || text.contains(".eval()"))
    })
}

/// What a text gives to a name, as `name = value` or `name: type = value`: the text of each value with all that follows in its line.
fn values_of<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    text.lines().flat_map(move |line| {
        let code = line.split('#').next().unwrap_or_default();
        code.match_indices(name).filter_map(move |(at, _)| {
            if code[..at].ends_with(is_of_a_name) {
                return None;
            }
            let after = code[at + name.len()..].trim_start();
            let after = match after.strip_prefix(':') {
                Some(annotated) => annotated
                    .trim_start()
                    .trim_start_matches(is_of_a_name)
                    .trim_start(),
                None => after,
            };
            Some(after.strip_prefix('=')?.trim_start())
        })
    })
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The value is whole: nothing is computed with it.
fn ends(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with([',', ')', ';'])
}

/// A value that is a number above zero.
fn number(value: &str) -> Option<u32> {
    let rest = value.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '_');
    let number = value[..value.len() - rest.len()].replace('_', "").parse().ok()?;
    (ends(rest) && number > 0).then_some(number)
}

/// The last part of a value that is a name or an attribute: `block_size` of `config.block_size`.
fn last_name(value: &str) -> Option<&str> {
    let rest = value.trim_start_matches(|letter| is_of_a_name(letter) || letter == '.');
    let name = value[..value.len() - rest.len()].rsplit('.').next()?;
    (ends(rest) && name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_training(training: &str) -> Bundle {
        Bundle::from_entries(vec![
            ("architecture.py".into(), b"x\n".to_vec()),
            ("training.py".into(), training.into()),
        ])
        .unwrap()
    }

    #[test]
    fn the_length_of_a_row_is_the_only_number_that_is_given_to_it() {
        for (training, found) in [
            ("ctx.stream(model, batch_size=8, seq_len=64)", Some(64)),
            (
                "SEQ_LEN = 1_024  # not seq_len = 7\nctx.stream(m, seq_len=SEQ_LEN)",
                Some(1024),
            ),
            (
                "ctx.stream(m, seq_len=64)\nctx.stream(m, seq_len=64, batch_size=8)",
                Some(64),
            ),
            ("ctx.iter_train_batches(m, seq_len=64)", Some(63)),
            ("ctx.stream(m, seq_len=64)\nctx.stream(m, seq_len=32)", None),
            ("ctx.stream(m, seq_len=64 * 2)", None),
            ("ctx.stream(m, seq_len=length)", None),
            ("max_seq_len = 64", None),
            ("if seq_len == 64: pass", None),
            ("ctx.stream(m, seq_len=0)", None),
            ("ctx.stream(m, seq_len=99999999999999)", None),
            ("seq_len=", None),
            (
                "block_size = 128\nctx.stream(m, seq_len=block_size, claims='eval')",
                Some(128),
            ),
            (
                "BLOCK: int = 128\nctx.stream(\n    m,\n    seq_len=self.cfg.BLOCK\n)",
                Some(128),
            ),
            ("T = 128\nctx.iter_train_batches(m, seq_len=T)", Some(127)),
            ("T = 128\nctx.stream(m, seq_len=T)\nT = 64", None),
            ("T = 128\nctx.stream(m, seq_len=T * 2)", None),
            ("T = 128\nctx.stream(m, seq_len=64)", Some(64)),
            ("BAT = 8\nctx.stream(m, seq_len=AT)", None),
            ("seq_len = seq_len", None),
        ] {
            assert_eq!(row_tokens(&with_training(training)), found, "{training}");
        }
    }

    #[test]
    fn a_length_may_stand_in_the_file_that_it_is_imported_from() {
        let of = |architecture: &str| {
            let bundle = Bundle::from_entries(vec![
                ("architecture.py".into(), architecture.into()),
                (
                    "training.py".into(),
                    b"from architecture import BLOCK\nctx.stream(m, seq_len=BLOCK)\n".to_vec(),
                ),
            ]);
            row_tokens(&bundle.unwrap())
        };
        assert_eq!(of("BLOCK = 128\n"), Some(128));
        assert_eq!(of("BLOCK = 128\nBLOCK = 64\n"), None);
        assert_eq!(of("x\n"), None);
    }

    #[test]
    fn claims_in_eval_mode_are_seen() {
        for training in [
            "ctx.stream(m, seq_len=64, claims='eval')",
            "CLAIMS = \"eval\"",
            "ctx.stream(m, predictor=average)",
            "ctx.iter_train_batches(m)",
            "model.eval()",
        ] {
            assert!(evaluates(&with_training(training)), "{training}");
        }
        assert!(!evaluates(&with_training("ctx.stream(m, claims=\"loss\")")));
    }
}
