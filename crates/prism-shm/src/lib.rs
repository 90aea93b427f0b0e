//! Sealed shared-memory segments between the referee and its sandboxes.
