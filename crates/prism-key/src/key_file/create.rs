//! A new key file: private from its first byte on, and never over anything that is there.
//!
//! It holds what a Bittensor wallet needs to read it: the seed, from which the rest follows, and the public fields. There
//! is no `cryptoType`, since wallets before version 4 refuse a file with one, and those after it take sr25519 where there is
//! none. There are no words: a copy of the file is the copy of the key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::{KeyFileError, Problem};
use crate::hotkey::Hotkey;
use crate::keypair::Seed;
use prism_core::hex;

/// Its owner's alone.
const MODE: u32 = 0o600;

/// Writes the file of this seed and says whose hotkey it is. Where it cannot be written whole, nothing stays.
pub fn create(path: &Path, seed: &Seed) -> Result<Hotkey, KeyFileError> {
    let hotkey = seed.keypair().hotkey();
    write(path, &json(seed, &hotkey)).map_err(|problem| KeyFileError::new(path, problem))?;
    Ok(hotkey)
}

/// All of it is digits and an address, so nothing needs an escape.
fn json(seed: &Seed, hotkey: &Hotkey) -> Zeroizing<String> {
    let public = hex::encode(hotkey.as_bytes());
    let secret = Zeroizing::new(hex::encode(seed.as_bytes()));
    let secret = &*secret;
    Zeroizing::new(format!(
        "{{\"accountId\":\"0x{public}\",\"publicKey\":\"0x{public}\",\"secretSeed\":\"0x{secret}\",\
         \"ss58Address\":\"{hotkey}\"}}\n"
    ))
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)
        .map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Problem::Exists,
            _ => Problem::Io {
                action: "make",
                source,
            },
        })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| sync_parent(path)).map_err(|source| {
        // It is ours: `create_new` has just made it.
        let _ = fs::remove_file(path);
        Problem::Io {
            action: "write",
            source,
        }
    })
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
