//! Who somebody is: hotkeys, signatures, the messages that are signed, and the files in which keys are kept.
//!
//! A miner is an sr25519 public key, shown as an SS58 address with prefix 42. The service calls [`Hotkey::verifies`] on
//! what [`message`] says was signed; the command line reads a key with [`key_file`] and signs with [`Keypair::sign`].
//! Both sides take the signed bytes from the same functions.
//!
//! Everything that comes in here (addresses, signatures, key files) is a stranger's and is bounded before it is parsed.
//! A secret is wiped when it is dropped, has no `Debug` that shows it, and is in no error. This crate opens no socket
//! and asks nobody for a password: that is its caller's.
//!
//! Reading order: [`hotkey`], [`signature`], [`message`], [`keypair`], [`key_file`], [`wallet`].

pub mod hotkey;

pub mod signature;

pub mod message;

pub mod keypair;

pub mod key_file;

pub mod wallet;

pub mod random;

pub use hotkey::{Hotkey, HotkeyError};
pub use keypair::{Keypair, Seed};
/// Passwords come in as this, so that they are wiped and shown by nothing.
pub use secrecy::{ExposeSecret, SecretString};
pub use signature::{Signature, SignatureError};
