//! Fresh ids, from the kernel's random bytes.

use tracing::error;

use crate::app::Answer;
use crate::problem::Problem;

/// A UUID of version 4.
pub(crate) fn uuid() -> Answer<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|failure| {
        error!(error = %failure, "the kernel gives no random bytes");
        Problem::internal()
    })?;
    Ok(prism_store::ids::uuid_v4(bytes))
}
