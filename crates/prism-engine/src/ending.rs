//! How a completed run ended, in a sentence: and where it ended early, what that has cost.
//!
//! Called by [`crate::evaluate`]; the sentence is the outcome's `detail`, which terminal and report show.

use prism_core::{outcome::Reason, score::RAW_BITS_PER_BYTE};

use prism_report::figures;

/// The end of a run that has a score.
pub(crate) struct Ended {
    /// Why it ended.
    pub(crate) reason: Reason,
    /// Steps whose claims were accepted.
    pub(crate) steps: u64,
    /// Source bytes that were read.
    pub(crate) read_bytes: u64,
    /// Source bytes of the stream.
    pub(crate) stream_bytes: u64,
    /// Bits per byte of the whole stream.
    pub(crate) bpb: f64,
    /// Most time that the recipe gives.
    pub(crate) time_limit_seconds: u64,
}

/// The sentence.
pub(crate) fn words(ended: &Ended) -> String {
    let why = match ended.reason {
        Reason::EndOfData => return "the whole stream was read".to_owned(),
        Reason::TimeLimit => format!("the time limit of {} s was reached", ended.time_limit_seconds),
        Reason::StepBudget => "the recipe's budget of steps was spent".to_owned(),
        Reason::TokenBudget => "the recipe's budget of tokens was spent".to_owned(),
        Reason::EarlyReturn => "`train` returned before the end of the stream".to_owned(),
        reason => format!("the run ended early ({reason})"),
    };
    if ended.steps == 0 {
        return format!(
            "{why}, and no batch was read: all {} are charged at {RAW_BITS_PER_BYTE:.0} bits a byte. Loop over the stream, as \
             in `for batch in ctx.stream(model, batch_size=..., seq_len=...)`, and call `batch.loss` once for each batch",
            figures::bytes(ended.stream_bytes)
        );
    }
    let unread = ended.stream_bytes.saturating_sub(ended.read_bytes);
    let cost = RAW_BITS_PER_BYTE * unread as f64 / ended.stream_bytes.max(1) as f64;
    format!(
        "{why}: read {}; the rest is charged at {RAW_BITS_PER_BYTE:.0} bits a byte, which makes {cost:.2} of the {:.2} bits per \
         byte",
        figures::part_of(ended.read_bytes, ended.stream_bytes),
        ended.bpb
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reason: Reason, steps: u64, read_bytes: u64) -> String {
        words(&Ended {
            reason,
            steps,
            read_bytes,
            stream_bytes: 29_200,
            bpb: 7.12,
            time_limit_seconds: 30,
        })
    }

    #[test]
    fn an_early_end_says_what_it_cost() {
        assert_eq!(
            said(Reason::EarlyReturn, 3, 7_740),
            "`train` returned before the end of the stream: read 7.7 of 29.2 kB; the rest is charged at 8 bits a byte, which \
             makes 5.88 of the 7.12 bits per byte"
        );
        assert!(
            said(Reason::TimeLimit, 3, 7_740).starts_with("the time limit of 30 s was reached: read 7.7 of")
        );
        assert_eq!(said(Reason::EndOfData, 9, 29_200), "the whole stream was read");
    }

    #[test]
    fn a_run_that_read_nothing_says_so() {
        for reason in [Reason::EarlyReturn, Reason::TimeLimit] {
            let said = said(reason, 0, 0);
            assert!(
                said.contains("no batch was read: all 29.2 kB are charged at 8 bits a byte"),
                "{said}"
            );
            assert!(said.contains("for batch in ctx.stream("), "{said}");
        }
    }
}
