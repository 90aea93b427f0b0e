//! A program that can be nothing but the helper of sandboxes.
//!
//! Named by tests, and by callers whose own binary cannot call [`prism_sandbox::run_init_if_asked`] first. It must never do anything else.

fn main() {
    prism_sandbox::run_init_if_asked();
}
