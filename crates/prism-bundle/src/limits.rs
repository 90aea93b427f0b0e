//! Every limit of a bundle, in one place.
//!
//! The parsers, the error messages, the command line's tables and the documentation read these constants; no other
//! file of this crate may spell such a number out.

/// Most files in one bundle.
pub const FILES_MAX: usize = 200;

/// Most entries in one archive: the files and the directory entries that archivers add beside them.
pub const ARCHIVE_ENTRIES_MAX: usize = 512;

/// Largest `.py` file.
pub const PYTHON_FILE_BYTES_MAX: u64 = 256 * 1024;

/// Largest `tokenizer.json`.
pub const TOKENIZER_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Largest `prism.yaml`.
pub const MANIFEST_BYTES_MAX: u64 = 16 * 1024;

/// Most bytes of all files together, unpacked. Files of the other suffixes have no smaller limit of their own.
pub const BUNDLE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Largest archive: a bundle stored without compression, and room for the archive's own headers.
pub const ARCHIVE_BYTES_MAX: u64 = BUNDLE_BYTES_MAX + 256 * 1024;

/// Most bytes that one compressed byte of an entry may unpack to.
pub const COMPRESSION_RATIO_MAX: u64 = 100;

/// Longest path, from the bundle's root.
pub const PATH_BYTES_MAX: usize = 160;

/// Most components of a path: the file and the directories above it.
pub const PATH_COMPONENTS_MAX: usize = 6;

/// Deepest nesting of `prism.yaml`.
pub const YAML_DEPTH_MAX: usize = 4;

/// Most keys and values in `prism.yaml`.
pub const YAML_NODES_MAX: usize = 256;

/// Longest `name` in `prism.yaml`, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// Longest `description` in `prism.yaml`, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 2000;

/// The suffixes that a file of a bundle may have.
pub const SUFFIXES: [&str; 7] = [".py", ".yaml", ".yml", ".json", ".toml", ".md", ".txt"];

/// The largest size that a file of this path may have.
pub fn max_file_bytes(path: &str) -> u64 {
    match path {
        crate::manifest::MANIFEST_FILE => MANIFEST_BYTES_MAX,
        crate::manifest::TOKENIZER_FILE => TOKENIZER_FILE_BYTES_MAX,
        _ if path.strip_suffix(".py").is_some() => PYTHON_FILE_BYTES_MAX,
        _ => BUNDLE_BYTES_MAX,
    }
}
