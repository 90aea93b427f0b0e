//! What can go wrong here, for the operator.

use prism_core::advice::Advice as _;
use prism_core::failure::Failure;
use prism_store::StoreError;

/// Why something was not done. For the operator; nothing of it goes to miners.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum ServiceProblem {
    #[error("{}", .0.told())]
    Store(#[from] StoreError),
    #[error("{}", .0.told())]
    Engine(Failure),
    #[error("{0}")]
    Refused(String),
    /// The kernel gives no random bytes.
    #[error("the kernel gives no random bytes: {0}")]
    Random(getrandom::Error),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
}

impl From<Failure> for ServiceProblem {
    fn from(failure: Failure) -> Self {
        Self::Engine(failure)
    }
}

/// What is done here comes to.
pub(crate) type Result<T> = std::result::Result<T, ServiceProblem>;
