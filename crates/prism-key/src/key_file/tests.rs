//! Files of real wallets, and hostile ones.
//!
//! The fixtures were written by the version of bittensor-wallet in their names. Their keys are the development phrase
//! `bottom drive obey lake curtain smoke basket hold race lonely fit walk` and test values: nobody's.

use std::fs::{self, Permissions};
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::*;
use crate::Seed;

const PHRASE_HOTKEY: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const PASSWORD: &str = "prism test password";
const SEED_HEX: &str = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
const PRIVATE_HEX: &str = "05d65584630d16cd4af6d0bec10f34bb504a5dcb62dba2122d49f5a663763d0afd190cce74df356432b410bd64682309d6dedb27c76845daf388557cbac3ca34";
const PUBLIC_HEX: &str = "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a";

/// A file of this content that only its owner may read.
fn file(content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("key");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    (temp, path)
}

fn read_bytes(content: impl AsRef<[u8]>) -> Result<KeyFile, KeyFileError> {
    let (_temp, path) = file(content);
    read(&path)
}

fn hotkey(content: impl AsRef<[u8]>) -> Result<String, Problem> {
    match read_bytes(content) {
        Ok(KeyFile::Plain(keypair)) => Ok(keypair.hotkey().to_string()),
        Ok(KeyFile::Locked(_)) => panic!("not under a password"),
        Err(error) => Err(error.problem),
    }
}

#[test]
fn files_of_wallets_of_every_age_are_read() {
    for (content, expected) in [
        (include_str!("fixtures/wallet-4.1.1.json"), PHRASE_HOTKEY),
        (include_str!("fixtures/wallet-2.1.3.json"), PHRASE_HOTKEY),
        (
            include_str!("fixtures/wallet-4.1.1-private-key-only.json"),
            "5EHhp2zJfQ63EuBPKPk4m7Te7R4BfVnpqpi1cZpu73zP4niJ",
        ),
        // Of a raw seed whose bytes are ASCII, which that version writes as text; its private key is sound.
        (
            include_str!("fixtures/wallet-4.1.1-garbled-seed.json"),
            "5CShbTqxKUgKZBRDu1VGVpivm3m415stz86A5GBdoV7wrU1d",
        ),
    ] {
        assert_eq!(hotkey(content).unwrap(), expected);
    }
}

#[test]
fn a_file_under_a_password_is_opened_with_it() {
    let KeyFile::Locked(locked) = read_bytes(include_bytes!("fixtures/wallet-4.1.1.nacl")).unwrap() else {
        panic!("it is under a password");
    };
    let keypair = locked.unlock(&PASSWORD.into()).unwrap();
    assert_eq!(keypair.hotkey().to_string(), PHRASE_HOTKEY);
}

#[test]
fn what_is_not_a_hotkey_to_sign_with_says_why_and_what_to_do() {
    let ed25519 = hotkey(include_str!("fixtures/wallet-4.1.1-ed25519.json"));
    assert!(matches!(ed25519, Err(Problem::Ed25519)), "{ed25519:?}");
    let ansible = read_bytes(include_bytes!("fixtures/wallet-4.1.1.ansible")).unwrap_err();
    assert!(matches!(
        ansible.problem,
        Problem::OlderEncryption("Ansible Vault")
    ));
    assert!(ansible.told().contains("Keyfile(PATH).decrypt()"), "{ansible}");
    let fernet = read_bytes("gAAAAABi0000").unwrap_err().problem;
    assert!(matches!(fernet, Problem::OlderEncryption("Fernet")));

    let public = format!(r#"{{"accountId":"0x{PUBLIC_HEX}","ss58Address":"{PHRASE_HOTKEY}"}}"#);
    for (content, expected) in [
        (public.as_str(), "holds no secret, only a public key"),
        (r#"{"secretPhrase":"bottom drive"}"#, "holds the words of a key"),
        ("{}", "its `privateKey` is not there"),
        (r#"{"cryptoType":2}"#, "`cryptoType` 2"),
        ("", "it is empty"),
        (" \n\t", "it is empty"),
        ("$NACL", "ends too early"),
    ] {
        let said = read_bytes(content).unwrap_err().told();
        assert!(
            said.contains(expected) && said.contains("; "),
            "{content}: {said}"
        );
    }
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let other = Seed::from_bytes(&[5; 32]).keypair().hotkey();
    let other_hex = hex_of(&other);
    let json = |extra: &str| format!(r#"{{"privateKey":"0x{PRIVATE_HEX}",{extra}}}"#);
    assert!(
        hotkey(json(&format!(r#""secretSeed":"{SEED_HEX}""#))).is_ok(),
        "0x may be left out"
    );
    for (extra, field) in [
        (format!(r#""publicKey":"0x{other_hex}""#), "publicKey"),
        (format!(r#""accountId":"0x{other_hex}""#), "accountId"),
        (format!(r#""ss58Address":"{other}""#), "ss58Address"),
        (format!(r#""secretSeed":"0x{}""#, "05".repeat(32)), "secretSeed"),
    ] {
        let found = hotkey(json(&extra));
        assert!(
            matches!(found, Err(Problem::Contradiction(name)) if name == field),
            "{extra}: {found:?}"
        );
    }
}

fn hex_of(hotkey: &crate::Hotkey) -> String {
    prism_core::hex::encode(hotkey.as_bytes())
}

#[test]
fn hostile_fields_are_refused_and_never_quoted() {
    const MARK: &str = "5ecre7";
    let long = "a".repeat(KEY_FILE_BYTES_MAX / 2);
    let deep = format!("{{\"x\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    for content in [
        format!(r#"{{"privateKey":"{MARK}"}}"#),
        format!(r#"{{"privateKey":["{MARK}"]}}"#),
        format!(r#"{{"secretSeed":"{MARK}"}}"#),
        format!(r#"{{"secretSeed":{{"{MARK}":1}}}}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}","secretSeed":"{MARK}"}}"#),
        format!(r#"{{"privateKey":"0x{}"}}"#, "00".repeat(64)),
        format!(r#"{{"privateKey":"0x{}"}}"#, "ff".repeat(64)),
        format!(r#"{{"privateKey":"{}"}}"#, "5".repeat(64)),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}","cryptoType":"{MARK}"}}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}","cryptoType":-1}}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}","cryptoType":1.0}}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}","cryptoType":18446744073709551616}}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}","ss58Address":"{MARK}"}}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}","publicKey":"{MARK}"}}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}","publicKey":"{long}"}}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}"}} {MARK}"#),
        format!(r#"{{"secretSeed":"0x{SEED_HEX}"#),
        format!("[\"{MARK}\"]"),
        format!("\"{MARK}\""),
        MARK.into(),
        "null".into(),
        deep,
    ] {
        let error = hotkey(&content).expect_err(&content);
        let said = format!("{error} {error:?}");
        assert!(!said.contains(MARK) && !said.contains(SEED_HEX), "{said}");
    }
    for content in [&b"\xff\xfe{\0}\0"[..], b"{\"secretSeed\":\"\xff\"}", &[0; 100]] {
        assert!(
            matches!(hotkey(content), Err(Problem::NotAKeyFile { .. })),
            "{content:?}"
        );
    }
}

#[test]
fn only_a_private_regular_file_of_bounded_size_is_read() {
    let content = include_str!("fixtures/wallet-4.1.1.json");
    let (temp, path) = file(content);
    for mode in [0o640, 0o604, 0o620, 0o601, 0o644] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = read(&path).unwrap_err();
        assert!(
            matches!(error.problem, Problem::Exposed { mode: found } if found == mode),
            "{error}"
        );
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    let link = temp.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(read(&link), Ok(KeyFile::Plain(_))));

    let fifo = temp.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for odd in [temp.path(), &fifo, Path::new("/dev/zero")] {
        assert!(
            matches!(read(odd).unwrap_err().problem, Problem::NotAFile),
            "{odd:?}"
        );
    }
    let none = read(&temp.path().join("none")).unwrap_err().problem;
    assert!(matches!(none, Problem::Io { action: "open", .. }));

    let padded = |length: usize| format!("{content}{}", " ".repeat(length - content.len()));
    assert!(hotkey(padded(KEY_FILE_BYTES_MAX)).is_ok());
    let long = hotkey(padded(KEY_FILE_BYTES_MAX + 1));
    assert!(matches!(long, Err(Problem::TooLarge)));
}

#[test]
fn a_new_file_is_private_is_read_again_and_replaces_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("me.json");
    let seed = Seed::fresh().unwrap();
    let made = create(&path, &seed).unwrap();
    assert_eq!(made, seed.keypair().hotkey());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let content = fs::read_to_string(&path).unwrap();
    assert_eq!(hotkey(&content).unwrap(), made.to_string());

    let again = create(&path, &Seed::fresh().unwrap()).unwrap_err();
    assert!(matches!(again.problem, Problem::Exists), "{again}");
    assert_eq!(fs::read_to_string(&path).unwrap(), content);

    let link = temp.path().join("dangling");
    symlink(temp.path().join("elsewhere"), &link).unwrap();
    assert!(matches!(
        create(&link, &seed).unwrap_err().problem,
        Problem::Exists
    ));
    assert!(!temp.path().join("elsewhere").exists(), "a link is not followed");

    let nowhere = create(&temp.path().join("none/me.json"), &seed).unwrap_err();
    assert!(
        matches!(nowhere.problem, Problem::Io { action: "make", .. }),
        "{nowhere}"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_a_key_or_a_refusal(bytes: Vec<u8>) {
        let _ = fields::keypair(&bytes);
    }

    #[test]
    fn any_values_of_the_fields_are_a_key_or_a_refusal(
        names in proptest::collection::vec(
            prop_oneof![
                Just("accountId"), Just("publicKey"), Just("privateKey"), Just("secretSeed"),
                Just("secretPhrase"), Just("ss58Address"), Just("cryptoType"),
            ],
            0..8,
        ),
        value in prop_oneof![
            "(0x)?[0-9a-f]{64}", "(0x)?[0-9a-f]{128}", "\\PC{0,8}",
        ],
    ) {
        let fields: Vec<String> = names
            .iter()
            .map(|name| format!("\"{name}\":{}", serde_json::to_string(&value).unwrap()))
            .collect();
        let json = format!("{{{}}}", fields.join(","));
        if let Err(error) = fields::keypair(json.as_bytes()) {
            // Short values may stand in a text of ours by chance.
            prop_assert!(value.len() < 16 || !error.to_string().contains(&value));
        }
    }

    #[test]
    fn a_flipped_bit_in_a_file_never_signs_for_its_hotkey_as_another(at in 0_usize..500, bit in 0_u8..8) {
        let mut bytes = include_bytes!("fixtures/wallet-4.1.1.json").to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
        // Names of fields may have changed too: what is left must be the one key, or none.
        if let Ok(keypair) = fields::keypair(&bytes) {
            prop_assert_eq!(keypair.hotkey().to_string(), PHRASE_HOTKEY);
        }
    }
}
