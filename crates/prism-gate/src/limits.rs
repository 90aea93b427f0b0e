//! Every bound of the gate, in one place. A bundle's own limits (files, bytes) are those of `prism-bundle`.
//!
//! Read by the scan, the checker and the rules; nothing here does anything.

/// Stack of the thread that parses, visits and drops: the parser recurses once for each level of nesting.
pub const STACK_BYTES: usize = 64 * 1024 * 1024;
/// Most levels that brackets and chained operators of one expression may add up to.
pub const NESTING_MAX: usize = 1_000;
/// Most loops, `with` and `try` of one function that `CPython` compiles in one another (`CO_MAXBLOCKS`).
pub const BLOCKS_MAX: usize = 20;
/// Most levels of indentation that `CPython` reads (`MAXINDENT`, less the one of the file).
pub const INDENTS_MAX: usize = 99;
/// Most rounds in which names that stand for one another (`a = b`, `c = a` ...) are followed; honest code needs three.
pub const ALIAS_ROUNDS_MAX: usize = 8;
/// Most scopes (functions, classes, comprehensions) that may lie in one another.
pub const SCOPE_DEPTH_MAX: usize = 64;
/// Most meanings that are followed for one name.
pub const MEANINGS_MAX: usize = 64;
/// Most meanings beside the first of a name that are followed in one bundle; honest names have one.
pub const FOLLOWED_MAX: usize = 50_000;
/// Most choices (`a if b else c`, `a or b`) within one another that are followed.
pub const CHOICES_MAX: usize = 32;
/// Most findings that are kept for one bundle; the rest is counted.
pub const FINDINGS_MAX: usize = 1_000;
/// Most modules of which one file may import everything.
pub const STARS_MAX: usize = 16;
/// Most syntax errors of one file that are kept; after the first few the parser guesses.
pub const SYNTAX_ERRORS_MAX: usize = 50;
/// Most bytes of all Python files of a bundle together: what a reviewer reads whole.
pub const SOURCE_BYTES_MAX: usize = 256 * 1024;
/// Of a bundle with more bytes in its Python files than this, nothing is read: so its check is bounded in time and memory.
pub const READ_BYTES_MAX: usize = 1024 * 1024;
/// Most expressions and calls that are looked at, in a whole bundle, to see whose an object is; then nobody knows.
pub const ORIGIN_STEPS_MAX: usize = 2_000_000;
/// A literal that looks packed is a warning from this size, in bytes.
pub const BLOB_WARNING_BYTES: usize = 2 * 1024;
/// A literal that looks packed is an error from this size, in bytes.
pub const BLOB_ERROR_BYTES: usize = 16 * 1024;
/// So many significant digits of a bundle's numbers are not counted as packed data.
pub const BLOB_FREE_DIGITS: usize = 2 * 1024;
/// For so many readable bytes of a literal one unreadable byte is not counted as packed data.
pub const BLOB_FREE_SHARE: usize = 16;
/// A line of code that is longer is hard to read on purpose, in characters.
pub const LINE_CHARS_MAX: usize = 500;
/// GPUs of the machine that a submission may run on.
pub const NODE_GPUS_MAX: i64 = 8;
/// Machines that a submission may run on.
pub const NODES_MAX: i64 = 1;
