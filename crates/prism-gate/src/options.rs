//! What a caller may choose of the gate. Everything else is the same for everybody.

/// What becomes of findings about distributed training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DistributedPolicy {
    /// They stop the submission.
    Reject,
    /// They are warnings.
    #[default]
    Flag,
    /// They are not looked for, except for what no machine may run.
    Off,
}

/// The choices.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// About distributed training.
    pub distributed: DistributedPolicy,
}
