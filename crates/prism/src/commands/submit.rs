//! `prism submit`: a bundle to a service, signed by a hotkey.
//!
//! The bundle is read and validated as `prism eval` does it, before anything is sent; the service checks the rest. Running
//! the command again is harmless: the same bundle of the same hotkey is the same submission.

use std::path::{Path, PathBuf};

use clap::Args;
use prism_bundle::{Bundle, PackError, pack};
use prism_client::ClientError;
use prism_client::submit::Upload;

use super::CommandResult;
use super::remote::keys::KeyArgs;
use super::remote::{self, ServiceArgs, follow, shown};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// What every service takes of an archive: as base64 text it has 7,500,000 bytes.
const ARCHIVE_BYTES_MAX: usize = 5_625_000;

/// Arguments of `prism submit`.
#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The bundle: a directory or a `.zip` with `architecture.py` and `training.py`
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    key: KeyArgs,
    /// Follow it to its end: stages, progress, then rank and weight
    #[arg(long)]
    watch: bool,
}

pub(crate) fn run(args: &SubmitArgs, output: Output) -> CommandResult {
    let client = args.service.client()?;
    let archive = archive(&args.bundle)?;
    let key = args.key.load(output)?;
    let upload = Upload {
        key: &key,
        archive: &archive,
        filename: &name(&args.bundle),
        now_seconds: remote::now_seconds(),
    };
    let got = client.submit(upload, &mut remote::again(output));
    let got = got.map_err(|error| submit_failure(&error))?;
    if !args.watch {
        output.result(&got.raw, || shown::text(&got.value))?;
        let words = args.service.words();
        output.note(format_args!(
            "\nfollow it with `prism status {} --watch{words}`",
            got.value.id
        ));
        return Ok(Exit::Ok);
    }
    output.note(format_args!("submission {}", got.value.id));
    let over = follow::to_its_end(&client, &got.value.id, output)?;
    output.result(&over.raw, || shown::text(&over.value))?;
    Ok(shown::exit(&over.value))
}

/// The archive that is sent: of a directory a new one, of an archive its own bytes.
fn archive(path: &Path) -> Result<Vec<u8>, Failure> {
    let is_dir = std::fs::metadata(path)
        .map_err(|error| {
            let text = format!("the bundle {} cannot be read: {error}", path.display());
            Failure::usage("bundle_unreadable", &text)
        })?
        .is_dir();
    let invalid = |error: prism_bundle::BundleError| Failure::submission("bundle_invalid", &error);
    let archive = if is_dir {
        let entries = pack::read_dir(path).map_err(|error| pack_failure(&error))?;
        Bundle::from_entries(entries).map_err(invalid)?.to_zip()
    } else {
        let archive = pack::read_archive(path).map_err(|error| pack_failure(&error))?;
        Bundle::from_zip(&archive).map_err(invalid)?;
        archive
    };
    if archive.len() > ARCHIVE_BYTES_MAX {
        let text = format!(
            "the bundle {} is an archive of {} bytes, and services take {ARCHIVE_BYTES_MAX}",
            path.display(),
            archive.len()
        );
        return Err(
            Failure::submission("too_large", &text).hint("pack it with compression and submit the `.zip`")
        );
    }
    Ok(archive)
}

fn pack_failure(error: &PackError) -> Failure {
    match error {
        PackError::Io { .. } | PackError::NotAnArchive(_) => Failure::usage("bundle_unreadable", error),
        PackError::Symlink(_)
        | PackError::SpecialFile(_)
        | PackError::NameNotUtf8(_)
        | PackError::TooDeep(_)
        | PackError::TooManyFiles(_)
        | PackError::TooLarge(_) => Failure::submission("bundle_invalid", error),
    }
}

/// What the bundle is called: its directory or file.
fn name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    full.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A lost answer is worth another run of the command, which a refusal is not.
fn submit_failure(error: &ClientError) -> Failure {
    let failure = remote::failure(error);
    match error {
        ClientError::Lost { .. } => failure.hint(
            "submit again: the same bundle of the same hotkey is the same submission, whether the first request arrived or not",
        ),
        ClientError::Unreachable { .. }
        | ClientError::Refused { .. }
        | ClientError::Redirected { .. }
        | ClientError::Unexpected { .. }
        | ClientError::TooLarge { .. }
        | ClientError::Random(_)
        | ClientError::Id => failure,
    }
}
