//! The sections that say what a run came to: its rank or why it takes none, its score, the held-out text.
//!
//! Called by `run_page` alone; the other sections are in `sections`.

use maud::{Markup, html};
use prism_core::{
    rank::Standing,
    score::{RAW_BITS_PER_BYTE, heldout_bpb, summands},
};
use prism_referee::record::Record;

use crate::{
    figures,
    page::{card, row},
    run::{Ending, Run},
    words,
};

/// Why a completed run takes no rank, with the two figures that decided.
pub(crate) fn no_rank(run: &Run, ending: &Ending) -> Markup {
    let Some(why) = &ending.no_rank else {
        return html! {};
    };
    html! {
        section class="card failure" {
            h2 { "No rank: " code { (why) } }
            p {
                "The run completed and its estimate stands, but it takes no rank: " (words::no_rank(why)) "."
                @if let (Some(rms), Some(record)) = (ending.claims_rms_nats, &run.record) {
                    " Audits and claims differ by " b { (figures::figure(rms)) } " nats (root mean square); at most "
                    (record.recipe.score.claims_rms_nats) " are allowed."
                }
            }
        }
    }
}

/// How the score came about.
pub(crate) fn score(run: &Run) -> Markup {
    let Some(record) = &run.record else {
        return html! {};
    };
    let Record { verdict, recipe, .. } = record;
    let constants = &recipe.score;
    let Standing::Ranked {
        bpb_ranked,
        final_score,
    } = verdict.standing
    else {
        return score_without_rank(record);
    };
    let parts = summands(bpb_ranked, verdict.heldout_delta_lower_bpb, constants);
    card(
        "Score",
        &html! {
            pre class="formula" {
                "code bits   = read + 8 · unread bytes + bundle\n"
                "bpb         = code bits / stream bytes\n"
                "b           = bpb + " (constants.se_multiplier) " se\n"
                "d           = max(delta − " (constants.se_multiplier) " se, 0)\n"
                "P           = 1 where gap + " (constants.se_multiplier) " se is at most " (constants.gap_threshold_bpb) ", else " (constants.gap_penalty) "\n"
                "final score = A · P · ( s(b) + " (constants.delta_weight) " · (s(b) − s(b + " (constants.tie_window_bpb)
                ")) · d / (1 + d) )\n"
            "s(x)        = 1 / (1 + x)"
            }
            div class="columns" {
                table { tbody {
                    (code_length_rows(record))
                    (row("standard error (se)", format!("{:.6}", verdict.bpb_se)))
                    tr class="total" { th { "b, what is ranked" } td class="number" { (format!("{bpb_ranked:.6}")) } }
                } }
                table { tbody {
                    (row("s(b)", format!("{:.6}", parts.of_rank)))
                    (row("held-out delta, less its error", format!("{:.4}", verdict.heldout_delta_lower_bpb)))
                    (row("what it adds", format!("{:.6}", parts.of_delta)))
                    (row("P, memorisation", verdict.memorization_penalty))
                    (row("A, step-0 anomaly", verdict.anti_cheat_multiplier))
                    tr class="total" { th { "final score" } td class="number" { (format!("{final_score:.6}")) } }
                } }
            }
        },
    )
}

/// The code length of a run that takes no rank: there is nothing to be made of it.
fn score_without_rank(record: &Record) -> Markup {
    let verdict = &record.verdict;
    card(
        "Estimate",
        &html! {
            table { tbody {
                (code_length_rows(record))
                (row("standard error (se)", format!("{:.6}", verdict.bpb_se)))
                tr class="total" { th { "what is ranked" } td class="number" { "no rank" } }
                tr class="total" { th { "final score" } td class="number" { "none" } }
            } }
        },
    )
}

fn code_length_rows(record: &Record) -> Markup {
    let verdict = &record.verdict;
    html! {
        (row("read, in bits", bits(verdict.read_bits)))
        (row("unread bytes · 8, in bits", bits(RAW_BITS_PER_BYTE * verdict.unread_bytes as f64)))
        (row("bundle above its allowance, in bits", figures::grouped(record.bundle_bits)))
        tr class="total" { th { "code bits" } td class="number" { (bits(verdict.code_bits)) } }
        (row("stream bytes", figures::grouped(record.stream.bytes)))
        tr class="total" { th { "bits per byte" } td class="number" { (format!("{:.6}", verdict.bpb)) } }
    }
}

fn bits(value: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shown only; out of range saturates"
    )]
    let whole = value.abs().round() as u64;
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", figures::grouped(whole))
}

/// What the model knows beyond the stream.
pub(crate) fn heldout(run: &Run) -> Markup {
    let Some(record) = &run.record else {
        return html! {};
    };
    let Some(heldout) = record.heldout.as_ref().map(|heldout| &heldout.measured) else {
        return html! {};
    };
    let verdict = &record.verdict;
    let uniform_bpb = heldout_bpb(
        verdict.uniform_nats * heldout.val_trained.targets as f64,
        heldout.val_trained.bytes,
    );
    let kept = heldout.kept.as_ref();
    let accounts = [
        ("last weights, held-out text", Some(&heldout.val_trained)),
        ("random init, held-out text", Some(&heldout.val_random_init)),
        ("kept snapshot, held-out text", kept.map(|kept| &kept.val)),
        (
            "kept snapshot, train text newest to it",
            kept.map(|kept| &kept.train),
        ),
    ];
    card(
        "Held-out text",
        &html! {
            div class="scroll" { table {
                thead { tr { th { "" } th class="number" { "bits per byte" } th class="number" { "bytes" } th class="number" { "audits" } } }
                tbody {
                    @for (name, account) in accounts {
                        @if let Some(account) = account {
                            tr {
                                th { (name) }
                                td class="number" {
                                    (with_error(heldout_bpb(account.nats, account.bytes), heldout_bpb(account.se_nats, account.bytes)))
                                }
                                td class="number" { (figures::grouped(account.bytes)) }
                                td class="number" { (figures::grouped(account.audits)) }
                            }
                        }
                    }
                    tr { th { "uniform guess, held-out text" } td class="number" { (format!("{uniform_bpb:.4}")) } td {} td {} }
                    tr class="total" {
                        th { "delta: what training taught" }
                        td class="number" { (with_error(verdict.heldout_delta_bpb, verdict.heldout_delta_se_bpb)) } td {} td {}
                    }
                    @if let (Some(gap), Some(se)) = (verdict.gap_bpb, verdict.gap_se_bpb) {
                        tr {
                            th { "gap: held-out less train text" }
                            td class="number" { (with_error(gap, se)) } td {} td {}
                        }
                    }
                }
            } }
            (heldout_words(record))
        },
    )
}

/// What the two differences mean for the score.
fn heldout_words(record: &Record) -> Markup {
    let (verdict, constants) = (&record.verdict, &record.recipe.score);
    let kept = record.heldout.as_ref().and_then(|heldout| heldout.measured.kept);
    html! {
        p class="small soft" style="margin-top:8px" {
            "Errors count against the submission: the score uses the delta less " (constants.se_multiplier) " standard errors, "
            (format!("{:.4}", verdict.heldout_delta_lower_bpb)) ". "
            @if let (Some(kept), Some(gap), Some(se), Some(upper)) = (kept, verdict.gap_bpb, verdict.gap_se_bpb, verdict.gap_upper_bpb) {
                "The gap is " (with_error(gap, se)) ", counted as " (format!("{upper:.4}")) "; the bound is "
                (format!("{:.1}", constants.gap_threshold_bpb)) ". Above it, it is memorisation and multiplies the score by "
                (constants.gap_penalty) ". It is measured under the snapshot of step " (figures::grouped(kept.step))
                ", which the key drew from the last tenth of the steps. "
            }
            "Where claims on held-out text are not borne out by their audits, the error is the whole range of a code length."
        }
    }
}

/// A figure with its standard error.
fn with_error(bpb: f64, se_bpb: f64) -> String {
    format!("{bpb:.4} ± {se_bpb:.4}")
}
