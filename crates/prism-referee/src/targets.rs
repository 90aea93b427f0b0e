//! `targets.zst`: the claims of every target, compressed, as the record keeps them.
//!
//! Written block by block while a run goes on, read back by `prism verify`, with flat memory at any length. The format,
//! inside one zstd stream, little-endian:
//!
//! ```text
//! magic  "PRISMTG2"
//! block  section u8 (0 stream, 1 val kept, 2 train kept, 3 val trained, 4 val random init)
//!        runs u32, targets u32
//!        runs    x (document u64, targets u32, completes u8: 1 where all of the document is read with them)
//!        targets x  claim f32        raw, before smoothing
//!        targets x  bytes u16
//! sums   section u8 = 5, documents u32, documents x (document u64, targets u64, bytes u64, nats f64)
//! end    section u8 = 255
//! ```

use std::io::{self, BufReader, BufWriter, Read, Write};

use thiserror::Error;

use crate::account::{Account, Run};

const MAGIC: &[u8; 8] = b"PRISMTG2";
/// Fast, and the claims of a float are close to random anyway.
const ZSTD_LEVEL: i32 = 3;
/// `B * T` at the most; a longer block is refused before it is read.
const TARGETS_MAX: u32 = 1024 * 4096;
/// Documents of a stream at the most: an official one has some hundred thousand.
const DOCUMENTS_MAX: u32 = 1 << 24;
const SECTION_SUMS: u8 = 5;
const SECTION_END: u8 = 255;

/// Which account a block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names of the accounts")]
pub enum Section {
    Stream = 0,
    ValKept = 1,
    TrainKept = 2,
    ValTrained = 3,
    ValRandomInit = 4,
}

impl Section {
    fn from_code(code: u8) -> Option<Self> {
        [
            Self::Stream,
            Self::ValKept,
            Self::TrainKept,
            Self::ValTrained,
            Self::ValRandomInit,
        ]
        .get(usize::from(code))
        .copied()
    }
}

/// Why a file of targets cannot be read.
#[derive(Debug, Error)]
pub enum TargetsError {
    /// Reading failed, or the compression is broken.
    #[error("targets.zst cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Not this format.
    #[error("targets.zst is damaged: {0}")]
    Damaged(&'static str),
}

/// Writes blocks.
pub struct TargetsWriter<W: Write> {
    out: zstd::Encoder<'static, BufWriter<W>>,
}

impl<W: Write> TargetsWriter<W> {
    /// Starts a file.
    pub fn new(inner: W) -> io::Result<Self> {
        let mut out = zstd::Encoder::new(BufWriter::new(inner), ZSTD_LEVEL)?;
        out.write_all(MAGIC)?;
        Ok(Self { out })
    }

    /// Writes the claims of one step.
    pub fn step(&mut self, section: Section, runs: &[Run], claims: &[f32], bytes: &[u16]) -> io::Result<()> {
        self.out.write_all(&[section as u8])?;
        self.out.write_all(&len_u32(runs.len())?)?;
        self.out.write_all(&len_u32(claims.len())?)?;
        for run in runs {
            self.out.write_all(&run.document.to_le_bytes())?;
            self.out.write_all(&run.targets.to_le_bytes())?;
            self.out.write_all(&[u8::from(run.completes)])?;
        }
        let mut buffer = Vec::with_capacity(claims.len() * 6);
        for claim in claims {
            buffer.extend_from_slice(&claim.to_le_bytes());
        }
        for len in bytes {
            buffer.extend_from_slice(&len.to_le_bytes());
        }
        self.out.write_all(&buffer)
    }

    /// Writes the sums per document of the stream and ends the file.
    pub fn finish(mut self, stream: &Account) -> io::Result<W> {
        self.out.write_all(&[SECTION_SUMS])?;
        self.out.write_all(&len_u32(stream.documents().len())?)?;
        for (document, sum) in stream.documents() {
            self.out.write_all(&document.to_le_bytes())?;
            self.out.write_all(&sum.targets.to_le_bytes())?;
            self.out.write_all(&sum.bytes.to_le_bytes())?;
            self.out.write_all(&sum.nats.value().to_le_bytes())?;
        }
        self.out.write_all(&[SECTION_END])?;
        self.out
            .finish()?
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
    }
}

fn len_u32(len: usize) -> io::Result<[u8; 4]> {
    let len = u32::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(len.to_le_bytes())
}

/// One block, read back.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// The claims of one step.
    Step {
        /// Whose.
        section: Section,
        /// The documents.
        runs: Vec<Run>,
        /// The claims, in nats, before smoothing.
        claims: Vec<f32>,
        /// Source bytes of each target.
        bytes: Vec<u16>,
    },
    /// Sums of the stream's documents: number, targets, bytes, nats.
    Sums(Vec<(u64, u64, u64, f64)>),
}

/// Reads blocks.
pub struct TargetsReader<R: Read> {
    input: zstd::Decoder<'static, BufReader<R>>,
}

impl<R: Read> TargetsReader<R> {
    /// Opens a file.
    pub fn new(inner: R) -> Result<Self, TargetsError> {
        let mut input = zstd::Decoder::new(inner)?;
        // A hostile record must not make its verifier allocate: 8 MiB is far above what level 3 uses.
        input.window_log_max(23)?;
        let mut magic = [0; 8];
        input.read_exact(&mut magic)?;
        if &magic != MAGIC {
            return Err(TargetsError::Damaged("wrong magic"));
        }
        Ok(Self { input })
    }

    /// The next block; `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<Block>, TargetsError> {
        let [code] = self.array()?;
        match code {
            SECTION_END => match self.input.read(&mut [0])? {
                0 => Ok(None),
                _ => Err(TargetsError::Damaged("bytes after the end")),
            },
            SECTION_SUMS => {
                let count = u32::from_le_bytes(self.array()?);
                // No stream of this size exists; a compressed bomb must not fill the verifier's memory.
                if count > DOCUMENTS_MAX {
                    return Err(TargetsError::Damaged("more documents than any stream has"));
                }
                let mut sums = Vec::new();
                for _ in 0..count {
                    sums.push((
                        u64::from_le_bytes(self.array()?),
                        u64::from_le_bytes(self.array()?),
                        u64::from_le_bytes(self.array()?),
                        f64::from_le_bytes(self.array()?),
                    ));
                }
                Ok(Some(Block::Sums(sums)))
            }
            code => {
                let section = Section::from_code(code).ok_or(TargetsError::Damaged("unknown section"))?;
                self.step(section).map(Some)
            }
        }
    }

    fn step(&mut self, section: Section) -> Result<Block, TargetsError> {
        let (run_count, targets) = (
            u32::from_le_bytes(self.array()?),
            u32::from_le_bytes(self.array()?),
        );
        if targets > TARGETS_MAX || run_count > targets {
            return Err(TargetsError::Damaged("a block that is too long"));
        }
        let mut runs = Vec::new();
        let mut total = 0_u64;
        for _ in 0..run_count {
            let document = u64::from_le_bytes(self.array()?);
            let targets = u32::from_le_bytes(self.array()?);
            let [completes] = self.array()?;
            if completes > 1 {
                return Err(TargetsError::Damaged("a flag that is neither 0 nor 1"));
            }
            total += u64::from(targets);
            runs.push(Run {
                document,
                targets,
                completes: completes == 1,
            });
        }
        if total != u64::from(targets) {
            return Err(TargetsError::Damaged("runs that do not add up"));
        }
        let mut raw = vec![0; targets as usize * 6];
        self.input.read_exact(&mut raw)?;
        let (claims, bytes) = raw.split_at(targets as usize * 4);
        Ok(Block::Step {
            section,
            runs,
            claims: claims
                .as_chunks::<4>()
                .0
                .iter()
                .map(|four| f32::from_le_bytes(*four))
                .collect(),
            bytes: bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|two| u16::from_le_bytes(*two))
                .collect(),
        })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TargetsError> {
        let mut out = [0; N];
        self.input.read_exact(&mut out)?;
        Ok(out)
    }
}
