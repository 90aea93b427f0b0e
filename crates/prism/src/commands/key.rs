//! `prism key`: a hotkey of one's own, its address, and signatures by hand.
//!
//! Keys of Bittensor wallets are read as they are. No secret is ever printed.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use prism_key::key_file;
use prism_key::{Hotkey, Seed};
use serde_json::json;

use super::CommandResult;
use super::remote::keys::{self, KeyArgs, PasswordArgs};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::show;

/// Most bytes of a message that are signed.
const MESSAGE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// `prism key ...`
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a hotkey to submit with
    New(NewArgs),
    /// Show the address of a key file
    Show(ShowArgs),
    /// Sign a message with a hotkey
    Sign(SignArgs),
}

/// Arguments of `prism key new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Where the key file is written; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Arguments of `prism key show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The key file: one of ours, or a hotkey's of a Bittensor wallet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Arguments of `prism key sign`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["message", "file"]))]
pub(crate) struct SignArgs {
    /// The message, as it is typed
    #[arg(value_name = "MESSAGE")]
    message: Option<String>,
    /// Sign the bytes of this file, or of stdin with `-`
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) fn run(command: &KeyCommand, output: Output) -> CommandResult {
    match command {
        KeyCommand::New(args) => new(args, output),
        KeyCommand::Show(args) => show(args, output),
        KeyCommand::Sign(args) => sign(args, output),
    }
}

fn new(args: &NewArgs, output: Output) -> CommandResult {
    let seed = Seed::fresh().map_err(|error| Failure::machine("random", &error))?;
    let hotkey = key_file::create(&args.out, &seed)?;
    tell(&hotkey, &args.out, output)?;
    output.note(
        "\nnote: whoever has this file submits in your name, and nobody can make it again: keep a copy where it is safe",
    );
    Ok(Exit::Ok)
}

fn show(args: &ShowArgs, output: Output) -> CommandResult {
    let keypair = keys::load(&args.file, &args.password, output)?;
    tell(&keypair.hotkey(), &args.file, output)
}

fn tell(hotkey: &Hotkey, file: &std::path::Path, output: Output) -> CommandResult {
    let public_key = hotkey.to_hex();
    let value = json!({"hotkey": hotkey, "public_key": public_key, "file": file});
    output.result(&value, || {
        show::pairs(&[
            ("hotkey", hotkey.to_string()),
            ("public key", public_key.clone()),
            ("file", show::line(&file.display().to_string())),
        ])
    })
}

fn sign(args: &SignArgs, output: Output) -> CommandResult {
    let message = match (&args.message, &args.file) {
        (Some(message), _) => message.clone().into_bytes(),
        (None, Some(file)) => read(file)?,
        (None, None) => Vec::new(),
    };
    let keypair = args.key.load(output)?;
    let signature = keypair.sign(&message).to_string();
    let value = json!({"hotkey": keypair.hotkey(), "signature": signature});
    output.result(&value, || signature.clone())
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage("message", &format!("cannot read {}: {error}", path.display()))
    };
    let mut message = Vec::new();
    let most = MESSAGE_BYTES_MAX + 1;
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(most).read_to_end(&mut message)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut message))
    };
    read.map_err(unreadable)?;
    if message.len() as u64 > MESSAGE_BYTES_MAX {
        let text = format!("{} has more than {MESSAGE_BYTES_MAX} bytes", path.display());
        return Err(Failure::usage("message", &text).hint("sign its hash instead"));
    }
    Ok(message)
}
