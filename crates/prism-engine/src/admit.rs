//! The first step of an evaluation: from the bytes of a bundle to one that may be measured.
//!
//! Called by [`crate::evaluate`]. Starts nothing and needs no corpus: format, gate and tokenizer are judged here, and nothing of
//! a bundle that is refused goes any further. (CPython's own compiler is asked later, in the sandbox.)

use prism_bundle::Bundle;
use prism_core::{failure::Failure, outcome::Reason};
use prism_corpus::tokenizer::{Tokenizer, TokenizerSpec};
use prism_referee::plan::TokenizerInfo;

use crate::{
    event::EvalStage,
    gate,
    prepare::{read_bundle, tokenizer_info, tokenizer_spec},
    request::RehearsalReason,
    run::Run,
};

/// A bundle that may be measured.
pub(crate) struct Admitted {
    pub(crate) bundle: Bundle,
    /// Price of the bundle, in bits.
    pub(crate) bundle_bits: u64,
    pub(crate) tokenizer_spec: TokenizerSpec,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) tokenizer_info: TokenizerInfo,
}

/// Reads and judges the bundle of a request.
pub(crate) fn admit(run: &mut Run<'_>) -> Result<Admitted, Failure> {
    let (request, recipe) = (run.request, &run.request.recipe);
    run.stage(EvalStage::Bundle, "reading the bundle")?;
    let bundle = read_bundle(&request.bundle)?;
    if !request.rehearsal.contains(&RehearsalReason::NoGate) {
        // Before anything costs time or starts a process.
        run.stage(EvalStage::Gate, "checking the source by the rules of the gate")?;
        let said = gate::judge(&bundle, &request.bundle)?;
        run.heed(said)?;
    }
    let bundle_bits = bundle
        .priced_bits(recipe.bundle.allowance_bytes)
        .map_err(|error| Failure::of(Reason::Internal, &error))?;
    let tokenizer_spec = tokenizer_spec(&bundle);
    let tokenizer =
        Tokenizer::load(&tokenizer_spec).map_err(|error| Failure::of(Reason::TokenizerInvalid, &error))?;
    let tokenizer_info = tokenizer_info(&bundle, &tokenizer, recipe)?;
    Ok(Admitted {
        bundle,
        bundle_bits,
        tokenizer_spec,
        tokenizer,
        tokenizer_info,
    })
}
