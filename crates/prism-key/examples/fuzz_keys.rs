//! A fuzzer that runs on stable: `cargo run --release -p prism-key --example fuzz_keys -- [--seconds N] [--seed S]`.
//!
//! Mutates addresses, signatures and key files of real wallets, and gives them to their parsers. It stops at the first
//! crash; at an address or a signature that is taken and is not written as it came; at a changed signature that verifies;
//! at a key file that signs for another hotkey than it names; and at an error that quotes a secret. The same seed gives the
//! same inputs.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a command-line tool"
)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use prism_key::key_file::{self, KeyFile};
use prism_key::{Hotkey, Signature};

const ADDRESS: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const MESSAGE: &[u8] = b"prism:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY:vector-1:1767225600:4d603fcfa0a89985333b4e84dea62f6abf94053fa831136d52e64d4aa524d004";
const SIGNATURE: &str = "3e500874850cb1b7dd9b77f5923a1c7fb3b76aa435680af2309a737466d0a6433ae2c50cc6c921c00702caf254442268755fa54556bc2b4c997398fb3171b588";
/// Files of wallets, and the hotkeys that they may sign for.
const FILES: [&[u8]; 5] = [
    include_bytes!("../src/key_file/fixtures/wallet-4.1.1.json"),
    include_bytes!("../src/key_file/fixtures/wallet-2.1.3.json"),
    include_bytes!("../src/key_file/fixtures/wallet-4.1.1-private-key-only.json"),
    include_bytes!("../src/key_file/fixtures/wallet-4.1.1-ed25519.json"),
    include_bytes!("../src/key_file/fixtures/wallet-4.1.1.nacl"),
];
const HOTKEYS: [&str; 2] = [
    "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV",
    "5EHhp2zJfQ63EuBPKPk4m7Te7R4BfVnpqpi1cZpu73zP4niJ",
];
/// A piece of each secret in them.
const SECRETS: [&str; 3] = ["fac7959dbfe72f05", "05d65584630d16cd", "fed7858d038906a5"];
/// What mutations insert.
const PIECES: [&str; 14] = [
    "0x",
    "0X",
    "\"",
    "{",
    "}",
    ":",
    ",",
    "null",
    "1e999",
    "\\u0000",
    "$NACL",
    "cryptoType",
    "secretSeed",
    "\u{feff}",
];

/// A small generator; the same seed gives the same numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap()
    }

    fn mutated(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                3 => drop(bytes.splice(at..at, PIECES[self.below(PIECES.len())].bytes())),
                4 => bytes.truncate(at),
                _ => {
                    let copied = bytes[at..].to_vec();
                    let to = self.below(bytes.len() + 1);
                    bytes.splice(to..to, copied.into_iter().take(64));
                }
            }
        }
        bytes
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let end = Instant::now() + Duration::from_secs(number("--seconds", 20));
    let mut numbers = Numbers(number("--seed", 1));
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("key");
    let mut inputs = 0_u64;
    while Instant::now() < end {
        let address = numbers.mutated(ADDRESS.as_bytes());
        let signature = numbers.mutated(SIGNATURE.as_bytes());
        let seed = FILES[numbers.below(FILES.len())];
        let file = numbers.mutated(seed);
        let found = try_address(&address)
            .and_then(|()| try_signature(&signature))
            .and_then(|()| try_file(&path, &file));
        if let Err(what) = found {
            eprintln!(
                "{what}\naddress {address:?}\nsignature {signature:?}\nfile {}",
                String::from_utf8_lossy(&file)
            );
            return ExitCode::FAILURE;
        }
        inputs += 3;
    }
    println!("{inputs} inputs, nothing found");
    ExitCode::SUCCESS
}

fn try_address(bytes: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(());
    };
    match Hotkey::parse(text) {
        Ok(hotkey) if hotkey.to_string() != text => Err(format!("`{text}` is written as {hotkey}")),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn try_signature(bytes: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(());
    };
    let Ok(signature) = Signature::parse(text) else {
        return Ok(());
    };
    let digits = text.strip_prefix("0x").unwrap_or(text).to_lowercase();
    if signature.to_string() != digits {
        return Err(format!("`{text}` is written as {signature}"));
    }
    let alice = Hotkey::parse(ADDRESS).unwrap();
    if digits != SIGNATURE && alice.verifies(MESSAGE, &signature).is_ok() {
        return Err(format!("{text} verifies"));
    }
    Ok(())
}

fn try_file(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
    drop(file);
    match key_file::read(path) {
        Ok(KeyFile::Plain(keypair)) => {
            let hotkey = keypair.hotkey().to_string();
            // A file may lose its names and its longer secret: what is left is one of its keys, changed or not.
            let text = String::from_utf8_lossy(bytes);
            let names_another = HOTKEYS
                .iter()
                .any(|&known| known != hotkey && text.contains(&format!("\"ss58Address\":\"{known}\"")));
            if names_another {
                Err(format!("it signs for {hotkey}"))
            } else {
                Ok(())
            }
        }
        Ok(KeyFile::Locked(_)) => Ok(()),
        Err(error) => {
            let said = format!("{error} {error:?}");
            let quotes = SECRETS.iter().any(|secret| said.contains(secret));
            if quotes { Err(said) } else { Ok(()) }
        }
    }
}
