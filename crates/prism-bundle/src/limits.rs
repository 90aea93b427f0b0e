//! Every limit of a bundle, in one place.
//!
//! The parsers, the error messages, the command line's tables and the documentation read these constants; no other
//! file of this crate may spell such a number out.

/// Most files in one bundle.
pub const MAX_FILES: usize = 200;

/// Most entries in one archive: the files and the directory entries that archivers add beside them.
pub const MAX_ARCHIVE_ENTRIES: usize = 512;

/// Largest `.py` file.
pub const MAX_PYTHON_FILE_BYTES: u64 = 256 * 1024;

/// Largest `tokenizer.json`.
pub const MAX_TOKENIZER_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Largest `prism.yaml`.
pub const MAX_MANIFEST_BYTES: u64 = 16 * 1024;

/// Most bytes of all files together, unpacked. Files of the other suffixes have no smaller limit of their own.
pub const MAX_BUNDLE_BYTES: u64 = 8 * 1024 * 1024;

/// Largest archive: a bundle stored without compression, and room for the archive's own headers.
pub const MAX_ARCHIVE_BYTES: u64 = MAX_BUNDLE_BYTES + 256 * 1024;

/// Most bytes that one compressed byte of an entry may unpack to.
pub const MAX_COMPRESSION_RATIO: u64 = 100;

/// Longest path, from the bundle's root.
pub const MAX_PATH_BYTES: usize = 160;

/// Most components of a path: the file and the directories above it.
pub const MAX_PATH_COMPONENTS: usize = 6;

/// Deepest nesting of `prism.yaml`.
pub const MAX_YAML_DEPTH: usize = 4;

/// Most keys and values in `prism.yaml`.
pub const MAX_YAML_NODES: usize = 256;

/// Longest `name` in `prism.yaml`, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Longest `description` in `prism.yaml`, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 2000;

/// The suffixes that a file of a bundle may have.
pub const SUFFIXES: [&str; 7] = [".py", ".yaml", ".yml", ".json", ".toml", ".md", ".txt"];

/// The largest size that a file of this path may have.
pub fn max_file_bytes(path: &str) -> u64 {
    match path {
        crate::manifest::MANIFEST_FILE => MAX_MANIFEST_BYTES,
        crate::manifest::TOKENIZER_FILE => MAX_TOKENIZER_FILE_BYTES,
        _ if path.strip_suffix(".py").is_some() => MAX_PYTHON_FILE_BYTES,
        _ => MAX_BUNDLE_BYTES,
    }
}
