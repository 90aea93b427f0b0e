//! Finds what was claimed for the audited targets: `targets.zst` holds it, the record alone does not.

use std::io::Read;

use prism_core::nats::Smoothing;
use prism_referee::{
    record::Record,
    targets::{Block, Section, TargetsError, TargetsReader},
};
use prism_report::audits::AuditGrid;

/// Reads the claims of the audited targets of the stream. Audits are in the order of their targets, so one pass
/// is enough and memory stays flat.
pub(super) fn replay(record: &Record, targets: impl Read) -> Result<AuditGrid, TargetsError> {
    let smoothing = Smoothing::new(record.recipe.score.smoothing, record.tokenizer.vocab_size);
    let mut pairs = Vec::with_capacity(record.audits.len());
    let mut audits = record.audits.iter().peekable();
    let mut first = 0_u64;
    let mut reader = TargetsReader::new(targets)?;
    while audits.peek().is_some()
        && let Some(block) = reader.next_block()?
    {
        let Block::Step {
            section: Section::Stream,
            claims,
            ..
        } = block
        else {
            continue;
        };
        let next = first + claims.len() as u64;
        while let Some(audit) = audits.next_if(|audit| audit.target < next) {
            let index = audit
                .target
                .checked_sub(first)
                .and_then(|index| usize::try_from(index).ok());
            let Some(&claim) = index.and_then(|index| claims.get(index)) else {
                return Err(TargetsError::Damaged(
                    "audits that are not in the order of their targets",
                ));
            };
            pairs.push((smoothing.apply(f64::from(claim)), audit.nats));
        }
        first = next;
    }
    Ok(AuditGrid::of(&pairs))
}
