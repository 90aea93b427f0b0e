//! Signatures of other implementations, and what is no signature.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::scalar::Scalar;
use prism_core::hash::Sha256Hash;
use proptest::prelude::*;

use super::*;
use crate::message::{self, Stamp};
use crate::{Keypair, Seed};

/// The well-known development key.
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const ALICE_SEED: &str = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";

/// Made with bittensor-wallet 4.0.1: body, signature over the direct upload's text, over the same in `<Bytes>`, and over
/// the text of an upload through BASE.
const BODY: &[u8] = br#"{"filename":"a.zip","code":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","metadata":{}}"#;
const BODY_SHA256: &str = "4d603fcfa0a89985333b4e84dea62f6abf94053fa831136d52e64d4aa524d004";
const PLAIN: &str = "3e500874850cb1b7dd9b77f5923a1c7fb3b76aa435680af2309a737466d0a6433ae2c50cc6c921c00702caf254442268755fa54556bc2b4c997398fb3171b588";
const WRAPPED: &str = "dce12a12cffe6cef30727e57a6688310f27ad53f5a324befc79aed59a4ab063b562eefdb6dc621dea54e5cc5b062e9b55502bffeea150a13d97a388a45512982";
const THROUGH_BASE: &str = "90f7eacda91da463424fc45b229f139a8a83b2e586e02459d22b42f00e1e671e00ee8173c2caefd89b50f41400b85ff5508cb2a2385ba3c94dfea5047e9e5a86";

/// Tool and version, its signature over [`OTHERS_MESSAGE`], and over the same in `<Bytes>`; all with Alice's key.
const OTHERS: [(&str, &str, &str); 3] = [
    (
        "bittensor-wallet 4.1.1",
        "1af9ec1b78c6ed8b42651d35dfe722ceedad1bd03435e55cd74f170ee586ff3d8f9a509f0604602b6073047a0f6e2ff7729f7e7cdd3ec2c6eaee32a84b4c7782",
        "aee913f36df3744e4b4a2a1b5bdb2a9288bcf853b6c664403dfbb88b9eb3f2337466f3c817fe18f18dd50c9775f9b93604be3652e29358216f4697e87d446b8b",
    ),
    (
        "substrate-interface 1.8.1",
        "cc54b14040301e942d0b871ac197d58267f3103388ff69c87034ae7e314b8c14441e42a37d421fb08b4c52212ad9f3fe8334cc6007b8789cb0ac514143d3d384",
        "2ace0cc566f7609c0b5c3c6f6d22bcb3ee7295a4c3557f837bbb32d32ab1dd6b35d56810450132e352b9f926e9c3db4ec842f11d9eac8bfd133c7a8e4f768b8d",
    ),
    (
        "py-sr25519-bindings 0.2.4",
        "682761f564d7fb64d2348533554b39d3f14bde80b685ffa7a9d79f569fe28d4cf9e8b1dada1fa9e330a356fc4ddd7ed846a41c746afb90970aa84bca1f6d3d81",
        "840c46c8f03fc9901822d9dc69ed55d0dce7a54b957ab3b1b6b0638fd4ab150d13ea596c573108b7ac73bcd358ed158aa58a25543573bee0674603929c796387",
    ),
];
const OTHERS_MESSAGE: &str = "prism:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY:vector-2:1767225600:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Made by this crate, and verified by bittensor-wallet 2.1.3, 3.0.10 and 4.1.1, substrate-interface 1.7.11 and 1.8.1, and
/// py-sr25519-bindings 0.2.4: hotkey, message, signature.
const OURS: (&str, &[u8], &str) = (
    "5FF24CKcHrhApDJNX7Jf8eHDgTAhJqRyCADJnMBzP2T5CS7s",
    b"prism:hello:1",
    "dae9bafc7fcb99f0e2eef2c2b1999ff4094939c39f2dc703923d1d449a4c326e1e98ee73708838f9491a61c12192fd6d65aca5aaf156fcd4def3859a9b8ad08a",
);

const STAMP: Stamp<'_> = Stamp {
    hotkey: ALICE,
    nonce: "vector-1",
    timestamp: "1767225600",
};

fn alice() -> Hotkey {
    Hotkey::parse(ALICE).unwrap()
}

fn is_good(message: &str, signature: &str) -> bool {
    verify(&alice(), message.as_bytes(), signature).is_ok()
}

/// The signature with its last byte changed.
fn last_byte_changed(signature: &str) -> String {
    let mut bytes = *Signature::parse(signature).unwrap().as_bytes();
    bytes[SIGNATURE_BYTES - 1] ^= 1;
    hex::encode(&bytes)
}

#[test]
fn the_contracts_vector_verifies_in_every_spelling_and_nothing_near_it_does() {
    let body = Sha256Hash::of(BODY);
    assert_eq!(body.to_string(), BODY_SHA256);
    let upload = message::upload(STAMP, &body);
    for (text, signature) in [
        (&upload, PLAIN),
        (&upload, WRAPPED),
        (&message::base_upload(STAMP, &body), THROUGH_BASE),
    ] {
        assert!(is_good(text, signature));
        assert!(is_good(text, &format!("0x{signature}")));
        assert!(is_good(text, &signature.to_uppercase()));
        assert!(is_good(text, &format!("0x{}", signature.to_uppercase())));

        assert!(!is_good(text, &format!("0X{signature}")));
        assert!(!is_good(text, &last_byte_changed(signature)));
        assert!(!is_good(text, &format!("01{signature}")), "a 65th byte in front");
        assert!(!is_good(&text.replace("vector-1", "vector-2"), signature));
        assert!(!is_good(&format!("{text}\n"), signature));
    }
    assert!(
        !is_good(&upload, THROUGH_BASE),
        "a signature for one road is none for the other"
    );
}

#[test]
fn signatures_of_other_tools_verify_plain_and_wrapped() {
    for (tool, plain, wrapped) in OTHERS {
        assert!(is_good(OTHERS_MESSAGE, plain), "{tool}");
        assert!(is_good(OTHERS_MESSAGE, wrapped), "{tool}");
        assert!(
            is_good(&format!("<Bytes>{OTHERS_MESSAGE}</Bytes>"), wrapped),
            "{tool}"
        );
        assert!(!is_good(&format!("<Bytes>{OTHERS_MESSAGE}"), wrapped), "{tool}");
    }
}

#[test]
fn what_other_tools_have_verified_still_verifies() {
    let (hotkey, message, text) = OURS;
    assert_eq!(verify(&Hotkey::parse(hotkey).unwrap(), message, text), Ok(()));
}

#[test]
fn a_seed_makes_the_key_that_other_tools_make() {
    let mut seed = [0; 32];
    assert!(hex::decode_into(ALICE_SEED, &mut seed));
    assert_eq!(Seed::from_bytes(&seed).keypair().hotkey(), alice());
}

#[test]
fn only_64_bytes_of_digits_are_a_signature() {
    for bad in [
        String::new(),
        "0x".into(),
        PLAIN[2..].into(),
        format!("{PLAIN}00"),
        PLAIN[1..].into(),
        format!("{PLAIN} "),
        format!(" {}", &PLAIN[1..]),
        format!("0x0x{PLAIN}"),
        PLAIN.replacen('3', "g", 1),
        "é".repeat(64),
        "0".repeat(1 << 20),
    ] {
        assert_eq!(Signature::parse(&bad), Err(SignatureError::Malformed), "{bad}");
    }
    let signature = Signature::parse(PLAIN).unwrap();
    assert_eq!(signature.to_string(), PLAIN);
    assert_eq!(Signature::parse(&signature.to_string()), Ok(signature));
}

#[test]
fn a_signature_without_the_mark_of_its_kind_is_refused() {
    let mut bytes = *Signature::parse(PLAIN).unwrap().as_bytes();
    bytes[63] &= 0x7f;
    let unmarked = Signature::from_bytes(bytes);
    let text = message::upload(STAMP, &Sha256Hash::of(BODY));
    assert_eq!(
        alice().verifies(text.as_bytes(), &unmarked),
        Err(SignatureError::Wrong)
    );
}

#[test]
fn a_signature_is_its_hotkeys_alone() {
    let keypair = Seed::from_bytes(&[1; 32]).keypair();
    let signature = keypair.sign(b"x");
    let other = Seed::from_bytes(&[2; 32]).keypair().hotkey();
    assert_eq!(keypair.hotkey().verifies(b"x", &signature), Ok(()));
    assert_eq!(other.verifies(b"x", &signature), Err(SignatureError::Wrong));
}

#[test]
fn nobody_signs_for_the_key_that_everybody_has() {
    // With the neutral element as public key any R = s B satisfies the equation, whatever the challenge.
    let secret = Scalar::from(7_u64);
    let mut bytes = [0; SIGNATURE_BYTES];
    bytes[..32].copy_from_slice((RISTRETTO_BASEPOINT_POINT * secret).compress().as_bytes());
    bytes[32..].copy_from_slice(secret.as_bytes());
    bytes[63] |= 0x80;
    let forged = schnorrkel::Signature::from_bytes(&bytes).unwrap();
    let neutral = PublicKey::from_bytes(&[0; 32]).unwrap();
    assert!(
        neutral.verify_simple(CONTEXT, b"anything", &forged).is_ok(),
        "the library takes it, so this crate must not"
    );
    let hotkey = Hotkey::from_bytes([0; 32]);
    assert_eq!(
        hotkey.verifies(b"anything", &Signature::from_bytes(bytes)),
        Err(SignatureError::NoKey)
    );
}

#[test]
fn bytes_that_are_no_point_are_no_key() {
    let signature = Keypair::sign(&Seed::from_bytes(&[1; 32]).keypair(), b"x");
    for bytes in [[0xff; 32], [0x01; 32]] {
        assert_eq!(
            Hotkey::from_bytes(bytes).verifies(b"x", &signature),
            Err(SignatureError::NoKey)
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_a_signature_or_refused(text in "(0x)?[0-9a-fA-F]{120,132}|\\PC*") {
        if let Ok(signature) = Signature::parse(&text) {
            let digits = hex::without_prefix(&text);
            prop_assert_eq!(signature.to_string(), digits.to_lowercase());
        }
    }

    #[test]
    fn no_made_up_signature_verifies(key: [u8; 32], low: [u8; 32], high: [u8; 32], message: Vec<u8>) {
        let bytes: Vec<u8> = low.into_iter().chain(high).collect();
        let signature = Signature::from_bytes(bytes.try_into().unwrap());
        prop_assert!(Hotkey::from_bytes(key).verifies(&message, &signature).is_err());
        prop_assert!(alice().verifies(&message, &signature).is_err());
    }
}
