//! Where Bittensor wallets keep a hotkey: `~/.bittensor/wallets/WALLET/hotkeys/HOTKEY`.
//!
//! For the command line, which gets two names and needs a path. Names are names: none of them leads out of the folder.
//! Says which hotkeys there are when the one that was asked for is not.

use std::fs;
use std::path::{Path, PathBuf};

use prism_core::advice::{Advice, Hint};

/// The folder of all wallets, below the home directory.
pub const WALLETS: &str = ".bittensor/wallets";

/// Names that are listed where one was not found.
const LISTED_MAX: usize = 10;

/// Why no hotkey was found.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum WalletError {
    #[error("`{0}` is no name of a wallet or hotkey")]
    Name(String),
    #[error("there is no hotkey `{hotkey}` in the wallet `{wallet}`: {} is missing", .path.display())]
    Missing {
        wallet: String,
        hotkey: String,
        path: PathBuf,
        there: Vec<String>,
    },
}

impl Advice for WalletError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Name(..) => "give the name alone, or a path with `--key`".into(),
            Self::Missing { there, .. } if there.is_empty() => {
                "`prism key new` makes a hotkey without a wallet".into()
            }
            Self::Missing { there, .. } => format!("there are: {}", there.join(", ")).into(),
        })
    }
}

/// The file of a hotkey.
pub fn hotkey_file(wallets: &Path, wallet: &str, hotkey: &str) -> Result<PathBuf, WalletError> {
    for name in [wallet, hotkey] {
        if !is_name(name) {
            return Err(WalletError::Name(name.to_owned()));
        }
    }
    let folder = wallets.join(wallet).join("hotkeys");
    let path = folder.join(hotkey);
    if path.exists() {
        return Ok(path);
    }
    Err(WalletError::Missing {
        wallet: wallet.to_owned(),
        hotkey: hotkey.to_owned(),
        there: names(&folder),
        path,
    })
}

fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['/', '\0'])
}

/// The hotkeys of a folder in their order; files with the public half alone are none.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.ends_with("pub.txt") && !name.starts_with('.'))
        .collect();
    names.sort();
    names.truncate(LISTED_MAX);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hotkey_is_found_by_its_names() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("w/hotkeys");
        fs::create_dir_all(&folder).unwrap();
        for name in ["b", "a", "apub.txt", ".lock"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(hotkey_file(temp.path(), "w", "a"), Ok(folder.join("a")));
        let missing = hotkey_file(temp.path(), "w", "c").unwrap_err().told();
        assert!(
            missing.ends_with("/w/hotkeys/c is missing; there are: a, b"),
            "{missing}"
        );
        let missing = hotkey_file(temp.path(), "v", "c").unwrap_err().told();
        assert!(missing.contains("`prism key new`"), "{missing}");
    }

    #[test]
    fn no_name_leads_elsewhere() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("secret"), "").unwrap();
        for name in ["", ".", "..", "../secret", "/etc/passwd", "a/b", "a\0"] {
            for (wallet, hotkey) in [(name, "a"), ("w", name)] {
                assert_eq!(
                    hotkey_file(temp.path(), wallet, hotkey),
                    Err(WalletError::Name(name.to_owned()))
                );
            }
        }
    }
}
