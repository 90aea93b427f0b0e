//! Opens a file whose text may be packed, and tells a damaged packing from a file that cannot be read.
//!
//! [`super::jsonl`] reads through it. Memory is bounded by the windows of the formats; how much text may come out of a
//! file is for the reader to bound.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use prism_core::io_error::IoError;

use super::LockError;

/// How the text of a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    /// The name of the packing that the file does not begin with. A file that cannot be read again is taken at its word.
    fn missed(self, path: &Path) -> Option<&'static str> {
        let (name, magic): (_, &[u8]) = match self {
            Self::None => return None,
            Self::Gzip => ("gzip", &[0x1f, 0x8b]),
            Self::Zstd => ("zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
        };
        let mut first = vec![0; magic.len()];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
        (read.is_ok() && first != magic).then_some(name)
    }
}

/// Largest window of zstd that is taken, as a power of two: 128 MiB, which is what its own tool takes too.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

const BUFFER_BYTES: usize = 256 * 1024;

/// Why the text does not come out of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackedProblem {
    /// The packing is damaged, or something else.
    #[error("{0}")]
    Damaged(String),
    /// It does not begin as such a file does.
    #[error("it is no {0} file, whatever its name says")]
    Other(&'static str),
    /// The end of the file is missing.
    #[error("it ends in the middle")]
    Cut,
    /// The text is out of all proportion to the file.
    #[error("its text is more than {EXPANSION_MAX} times as long as the file, which no corpus is", EXPANSION_MAX = crate::limits::UNPACKED_EXPANSION_MAX)]
    Expansion,
}

/// How far a file is read.
#[derive(Debug, Default)]
struct Progress {
    bytes: Cell<u64>,
    has_failed: Cell<bool>,
}

/// The text of a file.
pub(super) struct Unpacked {
    text: Box<dyn Read>,
    progress: Rc<Progress>,
    /// Length of the file.
    pub(super) file_bytes: u64,
    packing: Packing,
}

impl Unpacked {
    pub(super) fn open(path: &Path, packing: Packing) -> Result<Self, LockError> {
        let failed = |source| LockError::from(IoError::new("read", path, source));
        let file = File::open(path).map_err(failed)?;
        let file_bytes = file.metadata().map_err(failed)?.len();
        let progress = Rc::new(Progress::default());
        let file = Watched {
            file,
            progress: Rc::clone(&progress),
        };
        let text: Box<dyn Read> = match packing {
            Packing::None => Box::new(file),
            // Members one after another, each with its checksum.
            Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, file))),
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(file).map_err(failed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
                Box::new(decoder)
            }
        };
        Ok(Self {
            text,
            progress,
            file_bytes,
            packing,
        })
    }

    /// Bytes of the file that were read.
    pub(super) fn position_bytes(&self) -> u64 {
        self.progress.bytes.get()
    }

    /// Whether more text than this may come out of the file.
    pub(super) fn may_hold(&self, text_bytes: u64) -> bool {
        use crate::limits::{UNPACKED_EXPANSION_MAX, UNPACKED_FREE_BYTES};
        let most = UNPACKED_FREE_BYTES.saturating_add(self.file_bytes.saturating_mul(UNPACKED_EXPANSION_MAX));
        self.packing == Packing::None || text_bytes <= most
    }

    /// The error of a failed read, after this many lines.
    pub(super) fn failed(&self, path: &Path, lines: u64, source: io::Error) -> LockError {
        let path = path.to_owned();
        if self.packing == Packing::None || self.progress.has_failed.get() {
            return IoError::new("read", path, source).into();
        }
        let problem = if let (0, Some(name)) = (lines, self.packing.missed(&path)) {
            PackedProblem::Other(name)
        } else if source.kind() == io::ErrorKind::UnexpectedEof {
            PackedProblem::Cut
        } else {
            PackedProblem::Damaged(source.to_string())
        };
        LockError::Packed { path, lines, problem }
    }
}

impl Read for Unpacked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.text.read(out)
    }
}

/// The file itself, watched.
struct Watched {
    file: File,
    progress: Rc<Progress>,
}

impl Read for Watched {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.file.read(out) {
            Ok(count) => {
                self.progress.bytes.set(self.progress.bytes.get() + count as u64);
                Ok(count)
            }
            Err(error) => {
                let is_failure = error.kind() != io::ErrorKind::Interrupted;
                self.progress.has_failed.set(is_failure);
                Err(error)
            }
        }
    }
}
