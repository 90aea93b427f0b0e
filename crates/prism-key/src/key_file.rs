//! Key files: what Bittensor wallets keep, plain or under a password, and what `prism key new` writes.
//!
//! [`read`] opens a file of its user's and says what it is; [`Locked::unlock`] opens one that is under a password, which
//! its caller asked for. A file that others may read is refused: whoever reads a hotkey's secret submits in its name.
//! Files are bounded before they are parsed, no error quotes what is in one, and nothing is ever written over.
//!
//! Reading order: `fields` (the JSON), `sealed` (the password), `create` (a new file).

mod create;
mod fields;
mod sealed;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use prism_core::advice::{Advice, Hint};
use secrecy::SecretString;
use zeroize::Zeroizing;

pub use create::create;

use crate::keypair::Keypair;
use sealed::Sealed;

/// A key file has a few hundred bytes.
pub const KEY_FILE_BYTES_MAX: usize = 16 * 1024;
/// Permissions that let others at a file.
const GROUP_AND_OTHERS: u32 = 0o077;
/// How files begin that older wallets put under a password.
const OLDER: [(&[u8], &str); 2] = [(b"$ANSIBLE_VAULT", "Ansible Vault"), (b"gAAAAA", "Fernet")];

/// What a key file is.
#[derive(Debug)]
pub enum KeyFile {
    /// It lies open.
    Plain(Keypair),
    /// It wants its password.
    Locked(Locked),
}

/// A key under a password.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    sealed: Sealed,
}

impl Locked {
    /// Opens it. Takes seconds and half a gigabyte of memory: that is what guards the password.
    pub fn unlock(&self, password: &SecretString) -> Result<Keypair, KeyFileError> {
        let opened = self.sealed.open(password, sealed::Cost::SENSITIVE);
        let keypair = opened.and_then(|json| fields::keypair(&json));
        keypair.map_err(|problem| KeyFileError::new(&self.path, problem))
    }
}

/// What is wrong with which key file.
#[derive(Debug)]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl KeyFileError {
    fn new(path: &Path, problem: Problem) -> Self {
        let path = path.to_owned();
        Self { path, problem }
    }
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key file {}: {}", self.path.display(), self.problem)
    }
}

impl std::error::Error for KeyFileError {}

impl Advice for KeyFileError {
    fn hint(&self) -> Option<Hint> {
        self.problem.hint()
    }
}

/// What can be wrong with a key file. None of these texts holds anything that stands in the file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum Problem {
    #[error("cannot {action} it: {source}")]
    Io { action: &'static str, source: io::Error },
    /// A new key never replaces anything.
    #[error("it exists already")]
    Exists,
    /// The system gave no randomness.
    #[error(transparent)]
    Random(#[from] crate::random::RandomError),
    #[error("it is no regular file")]
    NotAFile,
    #[error("others can read or write it (mode {mode:03o})")]
    Exposed { mode: u32 },
    #[error("it has more than {KEY_FILE_BYTES_MAX} bytes, so it is no key file")]
    TooLarge,
    #[error("it is empty")]
    Empty,
    #[error("it is no key file of a wallet: line {line}, column {column} is not as in one")]
    NotAKeyFile { line: usize, column: usize },
    #[error("it holds an ed25519 key (`cryptoType` 0), and hotkeys here are sr25519")]
    Ed25519,
    #[error(
        "it holds a key of a kind that is not known here (`cryptoType` {0}); hotkeys here are sr25519, `cryptoType` 1"
    )]
    CryptoType(u64),
    #[error("it holds no secret, only a public key")]
    PublicOnly,
    #[error("it holds the words of a key and not the key")]
    WordsOnly,
    #[error("its `{0}` is not {1}")]
    Field(&'static str, &'static str),
    #[error("its `{0}` is not that of its secret")]
    Contradiction(&'static str),
    #[error("it is under a password in an older way ({0})")]
    OlderEncryption(&'static str),
    #[error("it is under a password and damaged: it ends too early")]
    SealedTooShort,
    #[error("the password does not open it")]
    WrongPassword,
    #[error("opening it takes {needed_bytes} bytes of memory, which this machine does not give")]
    Memory { needed_bytes: usize },
}

impl Advice for Problem {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Exists => "choose another name, or move it away if nobody needs its key".into(),
            Self::NotAFile => {
                "name the hotkey's own file, like ~/.bittensor/wallets/WALLET/hotkeys/HOTKEY".into()
            }
            Self::Exposed { .. } => "run `chmod 600` on it".into(),
            Self::TooLarge | Self::NotAKeyFile { .. } => "name the hotkey's own file".into(),
            Self::Empty | Self::Field(..) | Self::Contradiction(..) => {
                "write it again from the wallet's words with `btcli wallet regen-hotkey`".into()
            }
            Self::Ed25519 => "make a new one with `prism key new`".into(),
            Self::PublicOnly => "name the file beside it, without `pub` in its name".into(),
            Self::WordsOnly => "write it again with `btcli wallet regen-hotkey`".into(),
            Self::OlderEncryption(..) => {
                "in Python, `bittensor_wallet.Keyfile(PATH).decrypt()` writes it open, which can be read here"
                    .into()
            }
            Self::SealedTooShort => "copy it again from where it came".into(),
            Self::WrongPassword => "try again, or the file is damaged".into(),
            Self::Memory { .. } => "close something, or open it elsewhere".into(),
            Self::Random(error) => return error.hint(),
            _ => return None,
        })
    }
}

/// Reads a key file. Links are followed: it is its user who named it.
pub fn read(path: &Path) -> Result<KeyFile, KeyFileError> {
    let fail = |problem| KeyFileError::new(path, problem);
    let bytes = bytes(path).map_err(fail)?;
    if bytes.trim_ascii().is_empty() {
        return Err(fail(Problem::Empty));
    }
    if let Some(sealed) = Sealed::recognise(&bytes) {
        let sealed = sealed.map_err(fail)?;
        let path = path.to_owned();
        return Ok(KeyFile::Locked(Locked { path, sealed }));
    }
    for (prefix, name) in OLDER {
        if bytes.starts_with(prefix) {
            return Err(fail(Problem::OlderEncryption(name)));
        }
    }
    fields::keypair(&bytes).map(KeyFile::Plain).map_err(fail)
}

fn bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let io = |action| move |source| Problem::Io { action, source };
    // A pipe would block for ever when it is opened.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(io("open"))?;
    let found = file.metadata().map_err(io("look at"))?;
    if !found.is_file() {
        return Err(Problem::NotAFile);
    }
    let mode = found.permissions().mode() & 0o777;
    if mode & GROUP_AND_OTHERS != 0 {
        return Err(Problem::Exposed { mode });
    }
    bounded(file)
}

/// All bytes of a file, in one allocation: a buffer that grew would leave copies of a secret behind.
fn bounded(file: File) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES_MAX + 1));
    file.take(KEY_FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| Problem::Io {
            action: "read",
            source,
        })?;
    if bytes.len() > KEY_FILE_BYTES_MAX {
        return Err(Problem::TooLarge);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
