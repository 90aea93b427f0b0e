//! Addresses, signatures and key files: every input is tried as each of them.
//!
//! It must not crash; an address or a signature that is taken is written as it came; no signature but the true one verifies; a
//! key file signs for the hotkey that it names; and no refusal quotes a secret.
#![no_main]

use std::fs::Permissions;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use prism_key::key_file::{self, KeyFile};
use prism_key::{Hotkey, Signature};

const ADDRESS: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const MESSAGE: &[u8] = b"prism:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY:vector-1:1767225600:4d603fcfa0a89985333b4e84dea62f6abf94053fa831136d52e64d4aa524d004";
const SIGNATURE: &str = "3e500874850cb1b7dd9b77f5923a1c7fb3b76aa435680af2309a737466d0a6433ae2c50cc6c921c00702caf254442268755fa54556bc2b4c997398fb3171b588";
/// The hotkeys of the wallets among the seeds, and a piece of each secret in them.
const HOTKEYS: [&str; 2] = [
    "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV",
    "5EHhp2zJfQ63EuBPKPk4m7Te7R4BfVnpqpi1cZpu73zP4niJ",
];
const SECRETS: [&str; 3] = ["fac7959dbfe72f05", "05d65584630d16cd", "fed7858d038906a5"];

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = str::from_utf8(data) {
        address(text);
        signature(text);
    }
    file(data);
});

fn address(text: &str) {
    if let Ok(hotkey) = Hotkey::parse(text) {
        assert_eq!(hotkey.to_string(), text);
    }
}

fn signature(text: &str) {
    let Ok(signature) = Signature::parse(text) else {
        return;
    };
    let digits = text.strip_prefix("0x").unwrap_or(text).to_lowercase();
    assert_eq!(signature.to_string(), digits);
    let alice = Hotkey::parse(ADDRESS).expect("an address");
    assert_eq!(alice.verifies(MESSAGE, &signature).is_ok(), digits == SIGNATURE);
}

fn file(data: &[u8]) {
    // A file without a name, which nobody else may read: nothing is left behind.
    let mut file = tempfile::tempfile().expect("there is room for a small file");
    file.set_permissions(Permissions::from_mode(0o600))
        .expect("the file is ours");
    file.write_all(data).expect("there is room for a small file");
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    match key_file::read(Path::new(&path)) {
        Ok(KeyFile::Plain(keypair)) => {
            let hotkey = keypair.hotkey().to_string();
            // A file may lose its names and its longer secret: what is left is one of its keys, changed or not.
            let text = String::from_utf8_lossy(data);
            let names = |known: &str| text.contains(&format!("\"ss58Address\":\"{known}\""));
            assert!(
                !HOTKEYS.iter().any(|known| *known != hotkey && names(known)),
                "it signs for {hotkey}"
            );
        }
        Ok(KeyFile::Locked(_)) => {}
        Err(error) => {
            let said = format!("{error} {error:?}");
            assert!(!SECRETS.iter().any(|secret| said.contains(secret)), "{said}");
        }
    }
}
