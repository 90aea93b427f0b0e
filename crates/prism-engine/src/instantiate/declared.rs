//! What the scripts of a bundle say of their stream, as far as their text tells.
//!
//! Used by [`crate::instantiate`], which never calls `train`. It reads words, not Python: what it finds decides which length
//! of a row is tried first and which warning is left out, and nothing more.

use prism_bundle::Bundle;

const LENGTH: &str = "seq_len";
/// The loop of the older interface: its rows have one token less than it is asked for, and its claims are made in eval mode.
const OLDER_LOOP: &str = "iter_train_batches";

/// The length of a row that the training script asks for, in tokens: the only number that is given to `seq_len`, or to a
/// constant of that name.
pub(super) fn row_tokens(bundle: &Bundle) -> Option<u32> {
    let training = bundle.file(bundle.manifest().training.as_str())?.to_lowercase();
    let mut numbers: Vec<u32> = training.lines().flat_map(numbers_of).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let [number] = numbers[..] else {
        return None;
    };
    Some(number - u32::from(training.contains(OLDER_LOOP) && number > 1))
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

/// What a line gives to `seq_len`; nothing that is computed.
fn numbers_of(line: &str) -> impl Iterator<Item = u32> {
    let code = line.split('#').next().unwrap_or_default();
    let is_of_a_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(LENGTH).filter_map(move |(at, _)| {
        if code[..at].ends_with(is_of_a_name) {
            return None;
        }
        let value = code[at + LENGTH.len()..]
            .trim_start()
            .strip_prefix('=')?
            .trim_start();
        let digits = value.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '_');
        let ends = digits.trim_start();
        let is_whole = ends.is_empty() || ends.starts_with([',', ')', ';']);
        let number = value[..value.len() - digits.len()]
            .replace('_', "")
            .parse()
            .ok()?;
        (is_whole && number > 0).then_some(number)
    })
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
        ] {
            assert_eq!(row_tokens(&with_training(training)), found, "{training}");
        }
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
