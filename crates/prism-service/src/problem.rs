//! What can go wrong here, for the operator.

use prism_core::advice::Advice as _;
use prism_core::failure::Failure;
use prism_store::StoreError;

/// Why something was not done. For the operator; nothing of it goes to miners.
#[derive(Debug, thiserror::Error)]
pub enum ServiceProblem {
    /// The store refused.
    #[error("{}", .0.told())]
    Store(#[from] StoreError),
    /// The engine or an executor did.
    #[error("{}", .0.told())]
    Engine(Failure),
    /// What was asked for cannot be done now, or at all.
    #[error("{0}")]
    Refused(String),
    /// The kernel gives no random bytes.
    #[error("the kernel gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// A file, socket or thread.
    #[error("{what}: {source}")]
    Io {
        /// What was done.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl From<Failure> for ServiceProblem {
    fn from(failure: Failure) -> Self {
        Self::Engine(failure)
    }
}

/// What is done here comes to.
pub(crate) type Result<T> = std::result::Result<T, ServiceProblem>;
