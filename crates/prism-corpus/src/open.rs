//! Opens a locked corpus: verifies every byte of it against its manifest.
//!
//! The referee is the caller; what it gets are the readers of [`crate::reader`]. Memory stays flat. Nothing is given
//! out before all of the corpus is verified. That takes as long as reading all of it does, so whoever waits for it may
//! stop it at any time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prism_core::advice::{Advice, Hint};
use prism_core::io_error::IoError;

use crate::limits::{DOCUMENT_BYTES_MAX, DOCUMENT_CODE_MICROBITS_MAX, MANIFEST_BYTES_MAX};
use crate::manifest::{
    MANIFEST_FILE, MANIFEST_HASH_FILE, Manifest, ManifestError, Salt, ShardManifest, Split, SplitManifest,
};
use crate::reader::{BLOCK_DOCUMENTS, Lengths, Shard, SplitFiles, SplitReader, Sums};
use crate::secret::{self, REVEALED_FILE, SALT_FILE, SECRET_DIR, SaltError, SecretSalt};

/// Text that is hashed at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Told after each chunk how many bytes of text it had; its error stops the work.
type Advance<'a> = dyn FnMut(u64) -> Result<(), OpenError> + 'a;

/// Why a corpus cannot be opened.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum OpenError {
    /// A file cannot be read.
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("{path} is no corpus: it has no `manifest.json`", path = path.display())]
    NotACorpus { path: PathBuf },
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}: {source}", path = path.display())]
    Manifest { path: PathBuf, source: ManifestError },
    #[error("{path} is longer than {MANIFEST_BYTES_MAX} bytes; this is no manifest", path = path.display())]
    ManifestTooLong { path: PathBuf },
    #[error("{path} has not the SHA-256 that `{MANIFEST_HASH_FILE}` beside it says, so one of the two was changed after the corpus was locked", path = path.display())]
    OtherManifest { path: PathBuf },
    /// The bytes of a shard are not those that were locked.
    #[error("{path} was changed after it was locked", path = path.display())]
    Changed { path: PathBuf },
    #[error("{path} contradicts the manifest: {problem}", path = path.display())]
    Inconsistent { path: PathBuf, problem: &'static str },
    #[error("others than its owner may enter {path}, so nothing in it is held out", path = path.display())]
    SecretReadable { path: PathBuf },
    /// The salt that is kept or was revealed is not the one that the corpus was locked with.
    #[error("{path} is not the salt that the corpus was locked with", path = path.display())]
    OtherSalt { path: PathBuf },
    /// The salt cannot be read.
    #[error(transparent)]
    Salt(#[from] SaltError),
    #[error("the verification of the corpus was cancelled")]
    Cancelled,
}

impl Advice for OpenError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotACorpus { .. } => "make one with `prism data lock` or `prism data synth`".into(),
            Self::Unreadable { .. } => "check the path and its permissions".into(),
            Self::OtherManifest { .. } => "restore the file or lock the corpus again".into(),
            Self::Changed { .. } => "lock the corpus again or restore the file".into(),
            Self::Inconsistent { .. } => "lock the corpus again".into(),
            Self::SecretReadable { .. } => "take their rights away with `chmod 700`, and lock the text again with another salt if anybody was there".into(),
            Self::OtherSalt { .. } => "restore the file".into(),
            Self::Manifest { source, .. } => return source.hint(),
            Self::Salt(error) => return error.hint(),
            _ => return None,
        })
    }
}

impl OpenError {
    /// Whether the path leads to nothing that could be a corpus: whoever named it named the wrong one, or may not
    /// read it. Everything else is damage.
    pub fn is_no_corpus(&self) -> bool {
        matches!(self, Self::NotACorpus { .. } | Self::Unreadable { .. })
    }
}

/// A verified corpus.
#[derive(Debug, Clone)]
pub struct Corpus {
    manifest: Arc<Manifest>,
    manifest_hash: String,
    splits: [SplitReader; 3],
}

impl Corpus {
    /// Opens a corpus directory and verifies all of it.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_with_progress(dir, &mut |_, _| ControlFlow::Continue(()))
    }

    /// The same, telling how many bytes of text are verified, of how many: at the beginning, then after about every
    /// [`CHUNK_BYTES`] read of any file. The callback may stop it with [`ControlFlow::Break`], which ends in
    /// [`OpenError::Cancelled`].
    pub fn open_with_progress(
        dir: &Path,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<Self, OpenError> {
        let manifest = read_manifest(dir)?;
        check_secrecy(dir, &manifest)?;
        let mut verified_bytes = 0;
        let mut advance = |bytes: u64| {
            verified_bytes += bytes;
            match progress(verified_bytes, manifest.bytes) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(OpenError::Cancelled),
            }
        };
        advance(0)?;
        let mut open = |split: Split| {
            let dir = split.dir(dir, &manifest.split_rule);
            open_split(&dir, split, manifest.split(split), &mut advance)
        };
        let splits = [open(Split::Train)?, open(Split::Val)?, open(Split::Test)?];
        Ok(Self {
            manifest_hash: manifest.manifest_hash(),
            splits,
            manifest: Arc::new(manifest),
        })
    }

    /// What `manifest.json` says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the canonical manifest, in hexadecimal.
    pub fn manifest_hash(&self) -> &str {
        &self.manifest_hash
    }

    /// The documents of one split. The reader is cheap to clone.
    pub fn split(&self, split: Split) -> SplitReader {
        self.splits[split.index()].clone()
    }
}

/// What is held out must be the owner's alone, until its salt is revealed.
fn check_secrecy(dir: &Path, manifest: &Manifest) -> Result<(), OpenError> {
    let Some(Salt::Sha256(commitment)) = manifest.split_rule.locked_salt() else {
        return Ok(());
    };
    let check_salt = |path: PathBuf| {
        if SecretSalt::read_open(&path)?.commitment() == *commitment {
            Ok(())
        } else {
            Err(OpenError::OtherSalt { path })
        }
    };
    let revealed = dir.join(REVEALED_FILE);
    if revealed.exists() {
        return check_salt(revealed);
    }
    let path = dir.join(SECRET_DIR);
    match fs::metadata(&path) {
        Ok(metadata) if secret::is_open_to_others(&metadata) => Err(OpenError::SecretReadable { path }),
        // A machine that only evaluates needs no salt. Where there is one it must be good after the round.
        Ok(_) if path.join(SALT_FILE).exists() => check_salt(path.join(SALT_FILE)),
        Ok(_) => Ok(()),
        Err(source) => Err(IoError::new("read", path, source).into()),
    }
}

/// The manifest of a corpus, without its shards.
pub(crate) fn read_manifest(dir: &Path) -> Result<Manifest, OpenError> {
    let path = dir.join(MANIFEST_FILE);
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            OpenError::NotACorpus { path: dir.to_owned() }
        }
        _ => OpenError::Unreadable {
            path: path.clone(),
            source,
        },
    })?;
    file.take(MANIFEST_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| OpenError::Unreadable {
            path: path.clone(),
            source,
        })?;
    if bytes.len() as u64 > MANIFEST_BYTES_MAX {
        return Err(OpenError::ManifestTooLong { path });
    }
    let manifest = Manifest::parse(&bytes).map_err(|source| OpenError::Manifest {
        path: path.clone(),
        source,
    })?;
    let hash_path = dir.join(MANIFEST_HASH_FILE);
    let expected = manifest.hash_line();
    let read = File::open(&hash_path).and_then(|file| {
        let mut line = Vec::new();
        file.take(expected.len() as u64 + 1).read_to_end(&mut line)?;
        Ok(line)
    });
    match read {
        Ok(line) if line == expected.as_bytes() => Ok(manifest),
        Ok(_) => Err(OpenError::OtherManifest { path }),
        // Those of earlier versions have none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(manifest),
        Err(source) => Err(IoError::new("read", hash_path, source).into()),
    }
}

fn open_split(
    dir: &Path,
    split: Split,
    manifest: &SplitManifest,
    advance: &mut Advance<'_>,
) -> Result<SplitReader, OpenError> {
    let mut shards = Vec::with_capacity(manifest.shards.len());
    let (mut first_document, mut before) = (0, Sums::default());
    for shard_manifest in &manifest.shards {
        let shard = open_shard(dir, shard_manifest, first_document, &mut before, advance)?;
        first_document += shard.lengths.documents;
        shards.push(shard);
    }
    let code_microbits = manifest.code_microbits;
    if code_microbits.is_some_and(|code| code != before.code_microbits) {
        return Err(OpenError::Inconsistent {
            path: dir.join(MANIFEST_FILE),
            problem: "the code length of a split is not the sum over its documents",
        });
    }
    let SplitManifest { documents, bytes, .. } = *manifest;
    Ok(SplitReader {
        inner: Arc::new(SplitFiles {
            split,
            documents,
            bytes,
            code_microbits,
            shards,
        }),
    })
}

/// Reads one shard from end to end: lengths, code lengths, text, hashes and UTF-8. The files with the lengths come
/// first, so that the text is cut by lengths that are known to be the locked ones.
fn open_shard(
    dir: &Path,
    manifest: &ShardManifest,
    first_document: u64,
    before: &mut Sums,
    advance: &mut Advance<'_>,
) -> Result<Shard, OpenError> {
    let path = |suffix: &str| dir.join(format!("{}.{suffix}", manifest.stem));
    let first_byte = before.bytes;
    let mut blocks = Vec::new();
    let mut index = HashedInput::open(path("idx"), &manifest.index_blake3)?;
    for document in 0..manifest.documents {
        if document % BLOCK_DOCUMENTS == 0 {
            advance(0)?;
            blocks.push(Sums {
                bytes: before.bytes,
                code_microbits: 0,
            });
        }
        let length = u32::from_le_bytes(index.read_array()?) as usize;
        if !(1..=DOCUMENT_BYTES_MAX).contains(&length) {
            return Err(index.changed_or("a document has an impossible length", advance));
        }
        before.bytes += length as u64;
    }
    if before.bytes - first_byte != manifest.bytes {
        return Err(index.changed_or("its documents are not as long as its text", advance));
    }
    let index = index.finish(advance)?;
    let bits = match &manifest.bits_blake3 {
        Some(expected) => {
            let bits = HashedInput::open(path("bits"), expected)?;
            Some(open_bits(bits, manifest.documents, before, &mut blocks, advance)?)
        }
        None => None,
    };
    let text = HashedInput::open(path("txt"), &manifest.text_blake3)?;
    let lengths = Lengths {
        index,
        documents: manifest.documents,
    };
    let text = open_text(text, &path("idx"), &lengths, advance)?;
    Ok(Shard {
        text,
        lengths,
        bits,
        first_document,
        first_byte,
        blocks,
    })
}

/// Verifies the code lengths of a shard and fills in their sums before each block.
fn open_bits(
    mut bits: HashedInput,
    documents: u64,
    before: &mut Sums,
    blocks: &mut [Sums],
    advance: &mut Advance<'_>,
) -> Result<File, OpenError> {
    for document in 0..documents {
        if document % BLOCK_DOCUMENTS == 0 {
            advance(0)?;
            let block = usize::try_from(document / BLOCK_DOCUMENTS).unwrap_or(usize::MAX);
            blocks[block].code_microbits = before.code_microbits;
        }
        let code_microbits = u64::from_le_bytes(bits.read_array()?);
        if code_microbits > DOCUMENT_CODE_MICROBITS_MAX {
            return Err(bits.changed_or("a document has an impossible code length", advance));
        }
        before.code_microbits += code_microbits;
    }
    bits.finish(advance)
}

/// Verifies the text of a shard, some documents at a time.
fn open_text(
    mut text: HashedInput,
    index_path: &Path,
    lengths: &Lengths,
    advance: &mut Advance<'_>,
) -> Result<File, OpenError> {
    let (mut pending, mut pending_bytes) = (Vec::new(), 0);
    for block in 0..lengths.documents.div_ceil(BLOCK_DOCUMENTS) {
        let of_block = lengths
            .block(block)
            .map_err(|source| IoError::new("read", index_path, source))?;
        for length_bytes in of_block {
            pending.push(length_bytes as usize);
            pending_bytes += length_bytes as usize;
            if pending_bytes >= CHUNK_BYTES {
                text.read_documents(&pending, advance)?;
                pending.clear();
                pending_bytes = 0;
            }
        }
    }
    text.read_documents(&pending, advance)?;
    text.finish(advance)
}

/// A file that is hashed while it is read.
struct HashedInput {
    path: PathBuf,
    /// The hash of the manifest, in hexadecimal.
    expected: String,
    file: io::BufReader<File>,
    hasher: blake3::Hasher,
    chunk: Vec<u8>,
}

impl HashedInput {
    fn open(path: PathBuf, expected: &str) -> Result<Self, OpenError> {
        match File::open(&path) {
            Ok(file) => Ok(Self {
                path,
                expected: expected.to_owned(),
                file: io::BufReader::with_capacity(64 * 1024, file),
                hasher: blake3::Hasher::new(),
                chunk: Vec::new(),
            }),
            Err(source) => Err(IoError::new("read", path, source).into()),
        }
    }

    /// A file that ends early was changed: its length follows from the manifest.
    fn read_failed(&self, source: io::Error) -> OpenError {
        let path = self.path.clone();
        match source.kind() {
            io::ErrorKind::UnexpectedEof => OpenError::Changed { path },
            _ => IoError::new("read", path, source).into(),
        }
    }

    fn read_array<const N: usize>(&mut self) -> Result<[u8; N], OpenError> {
        let mut bytes = [0; N];
        self.file
            .read_exact(&mut bytes)
            .map_err(|e| self.read_failed(e))?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    /// Reads documents of these lengths and checks that each is UTF-8.
    fn read_documents(&mut self, lengths: &[usize], advance: &mut Advance<'_>) -> Result<(), OpenError> {
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.resize(lengths.iter().sum(), 0);
        self.file
            .read_exact(&mut chunk)
            .map_err(|e| self.read_failed(e))?;
        self.hasher.update(&chunk);
        let mut rest = chunk.as_slice();
        for length in lengths {
            let (document, after) = rest.split_at(*length);
            if std::str::from_utf8(document).is_err() {
                return Err(self.changed_or("a document is not UTF-8", advance));
            }
            rest = after;
        }
        self.chunk = chunk;
        advance(self.chunk.len() as u64)
    }

    /// What is wrong with a file whose content makes no sense: it was changed, or it was locked like that.
    fn changed_or(&mut self, problem: &'static str, advance: &mut Advance<'_>) -> OpenError {
        let path = self.path.clone();
        match self.hash_rest(advance) {
            Ok(_) if self.hasher.finalize().to_hex().as_str() == self.expected => {
                OpenError::Inconsistent { path, problem }
            }
            Ok(_) => OpenError::Changed { path },
            Err(error) => error,
        }
    }

    /// Hashes what is left of the file, and tells whether there was any.
    fn hash_rest(&mut self, advance: &mut Advance<'_>) -> Result<bool, OpenError> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut has_more = false;
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => return Ok(has_more),
                Ok(count) => self.hasher.update(&buffer[..count]),
                Err(source) => return Err(self.read_failed(source)),
            };
            has_more = true;
            // What follows the last document is no text of the corpus, but may be long.
            advance(0)?;
        }
    }

    /// The file, if it ends here and has the expected hash.
    fn finish(mut self, advance: &mut Advance<'_>) -> Result<File, OpenError> {
        let has_more = self.hash_rest(advance)?;
        if self.hasher.finalize().to_hex().as_str() != self.expected {
            return Err(OpenError::Changed { path: self.path });
        }
        if has_more {
            let problem = "it is longer than its documents";
            return Err(OpenError::Inconsistent {
                path: self.path,
                problem,
            });
        }
        Ok(self.file.into_inner())
    }
}

#[cfg(test)]
mod tests;
