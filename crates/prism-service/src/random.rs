//! Secrets: seeds, nonces, ids. From the kernel, never from anything that could repeat.

use crate::problem::{Result, ServiceProblem};

/// So many random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(ServiceProblem::Random)?;
    Ok(bytes)
}

/// A seed that nobody has seen.
pub(crate) fn seed() -> Result<u64> {
    Ok(u64::from_le_bytes(bytes()?))
}
