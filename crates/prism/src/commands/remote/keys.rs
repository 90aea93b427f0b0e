//! Which key signs: a key file, or a hotkey of a Bittensor wallet.

use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use prism_key::Keypair;
use prism_key::key_file::{self, KeyFile, KeyFileError, Problem};
use prism_key::wallet::{self, WALLETS, WalletError};

use super::password;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;

/// Whose key, and what opens it.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("signer").required(true).args(["key", "wallet"]))]
pub(in crate::commands) struct KeyArgs {
    /// The key file of the hotkey; `prism key new` makes one
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The Bittensor wallet that the hotkey belongs to
    #[arg(long, value_name = "WALLET", requires = "hotkey")]
    wallet: Option<String>,
    /// The name of the hotkey in its wallet
    #[arg(long, value_name = "HOTKEY", requires = "wallet")]
    hotkey: Option<String>,
    /// Where wallets are kept, instead of ~/.bittensor/wallets
    #[arg(long, value_name = "DIR", requires = "wallet")]
    wallets: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// What opens a key file that is under a password.
#[derive(Debug, Args)]
pub(in crate::commands) struct PasswordArgs {
    /// A file with the password of the key file, instead of `PRISM_KEY_PASSWORD` and the terminal
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
}

impl KeyArgs {
    /// The key.
    pub(in crate::commands) fn load(&self, output: Output) -> Result<Keypair, Failure> {
        load(&self.path()?, &self.password, output)
    }

    fn path(&self) -> Result<PathBuf, Failure> {
        match (&self.key, &self.wallet, &self.hotkey) {
            (Some(key), _, _) => Ok(key.clone()),
            (None, Some(wallet), Some(hotkey)) => {
                let found = wallet::hotkey_file(&self.wallets()?, wallet, hotkey);
                found.map_err(|error| match error {
                    WalletError::Name(_) => Failure::usage("wallet", &error),
                    WalletError::Missing { .. } => Failure::usage("hotkey_not_found", &error),
                })
            }
            (None, _, _) => Err(Failure::usage(
                "usage",
                &"no key was named; use --key, or --wallet with --hotkey",
            )),
        }
    }

    fn wallets(&self) -> Result<PathBuf, Failure> {
        if let Some(wallets) = &self.wallets {
            return Ok(wallets.clone());
        }
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let home = home.ok_or_else(|| {
            Failure::usage(
                "wallet",
                &"there is no home directory to look for wallets in; use --wallets",
            )
        })?;
        Ok(home.join(WALLETS))
    }
}

/// The key in a file; asks for its password where it has one.
pub(in crate::commands) fn load(
    path: &Path,
    args: &PasswordArgs,
    output: Output,
) -> Result<Keypair, Failure> {
    match key_file::read(path)? {
        KeyFile::Plain(keypair) => Ok(keypair),
        KeyFile::Locked(locked) => {
            let password = password::of(args, path)?;
            // It takes seconds by intent.
            let _progress = Progress::spinner(output, "opening the key file");
            Ok(locked.unlock(&password)?)
        }
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        match &error.problem {
            Problem::Io { source, .. } if is_about_the_path(source) => Self::usage("key_file", &error),
            Problem::Io { .. } | Problem::Random(_) | Problem::Memory { .. } => {
                Self::machine("key_file", &error)
            }
            Problem::WrongPassword => Self::usage("password", &error),
            Problem::Exists
            | Problem::NotAFile
            | Problem::Exposed { .. }
            | Problem::TooLarge
            | Problem::Empty
            | Problem::NotAKeyFile { .. }
            | Problem::Ed25519
            | Problem::CryptoType(_)
            | Problem::PublicOnly
            | Problem::WordsOnly
            | Problem::Field(..)
            | Problem::Contradiction(_)
            | Problem::OlderEncryption(_)
            | Problem::SealedTooShort => Self::usage("key_file", &error),
        }
    }
}

/// Whether another path would help.
fn is_about_the_path(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
    )
}
