//! Every limit of the corpus and of its tokenizers, in one place.
//!
//! All modules of this crate read them; nothing here computes. Raising one changes what a hostile file may cost.

/// Longest document of a corpus. A longer input document is cut into several that follow one another.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// Shortest piece that the search for a paragraph or line end near the cut may leave.
pub const PIECE_BYTES_MIN: usize = 48 * 1024;

/// Shortest and longest section of a `.txt` file that is read as sections; the search for a paragraph or line end
/// runs between the two. White space is not counted as it is: see `lock::cut`.
pub const SECTION_BYTES_MIN: usize = 6 * 1024;
/// See [`SECTION_BYTES_MIN`].
pub const SECTION_BYTES_MAX: usize = 8 * 1024;

/// Longest section in bytes of the file, however much white space it holds.
pub const SECTION_FILE_BYTES_MAX: usize = DOCUMENT_BYTES_MAX;

/// How many times as long as a packed file its text may be, beyond [`UNPACKED_FREE_BYTES`].
pub const UNPACKED_EXPANSION_MAX: u64 = 200;
/// See [`UNPACKED_EXPANSION_MAX`].
pub const UNPACKED_FREE_BYTES: u64 = 64 * 1024 * 1024;

/// Longest single record of an input file, before it is cut.
pub const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Longest input file of a format that is read at random.
pub const INPUT_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

/// Most files that one lock reads.
pub const INPUT_FILES_MAX: usize = 1_000_000;

/// Deepest nesting of input directories.
pub const INPUT_DEPTH_MAX: usize = 64;

/// Length at which a shard of the locked corpus is closed.
pub const SHARD_BYTES_TARGET: u64 = 128 * 1024 * 1024;

/// Longest shard that is accepted on opening.
pub const SHARD_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// Most shards of one split.
pub const SHARDS_MAX: usize = 99_999;

/// Longest `manifest.json`.
pub const MANIFEST_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Longest name, source, revision or salt.
pub const LABEL_BYTES_MAX: usize = 1024;

/// Most code bits that one synthetic document may carry in its index, in millionths of a bit: 64 bits a byte.
pub const DOCUMENT_CODE_MICROBITS_MAX: u64 = (DOCUMENT_BYTES_MAX as u64 + 1) * 64_000_000;

/// Widest declared vocabulary.
pub const VOCABULARY_MAX: u32 = 131_072;

/// Longest token of a bundle's tokenizer.
pub const TOKEN_BYTES_MAX: usize = 1024;

/// Longest `tokenizer.json`.
pub const TOKENIZER_JSON_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most merges of a bundle's tokenizer.
pub const MERGES_MAX: usize = 262_144;

/// Most added tokens of a bundle's tokenizer.
pub const ADDED_TOKENS_MAX: usize = 1024;

/// Most steps of a bundle's pre-tokenizer sequence.
pub const PRE_TOKENIZERS_MAX: usize = 8;
