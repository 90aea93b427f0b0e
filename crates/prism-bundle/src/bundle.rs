//! The bundle: a set of files in which every rule of this crate holds.
//!
//! The engine builds one from an archive or from the entries of a directory and hands its files to the sandbox, its
//! hash to the record and its price to the score. A [`Bundle`] cannot be changed and cannot be made in any other way.

use std::collections::BTreeMap;

use prism_core::hash::Sha256Hash;

use crate::canonical;
use crate::content;
use crate::error::BundleError;
use crate::limits::{BUNDLE_BYTES_MAX, FILES_MAX};
use crate::manifest::{MANIFEST_FILE, Manifest, TOKENIZER_FILE, TokenizerChoice};
use crate::path::{self, BundlePath};
use crate::shown::Shown;
use crate::zip;

/// A validated submission.
#[derive(Clone, Debug)]
pub struct Bundle {
    files: BTreeMap<BundlePath, String>,
    manifest: Manifest,
    hash: Sha256Hash,
}

impl Bundle {
    /// Validates an archive. No entry is unpacked before the whole directory of the archive has been checked.
    pub fn from_zip(archive: &[u8]) -> Result<Self, BundleError> {
        Self::validate(zip::read(archive)?)
    }

    /// Validates files given as paths and contents, in any order.
    pub fn from_entries(entries: Vec<(String, Vec<u8>)>) -> Result<Self, BundleError> {
        check_count(entries.len())?;
        let parsed = entries
            .into_iter()
            .map(|(path, content)| Ok((BundlePath::parse(&path)?, content)));
        Self::validate(parsed.collect::<Result<_, BundleError>>()?)
    }

    /// The files in ascending order of their paths.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&BundlePath, &str)> {
        self.files.iter().map(|(path, content)| (path, content.as_str()))
    }

    /// The content of one file.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|(known, _)| known.as_str() == path)
            .map(|(_, content)| content.as_str())
    }

    /// What `prism.yaml` says, with the defaults filled in.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The tokenizer to use.
    pub fn tokenizer(&self) -> TokenizerChoice {
        self.manifest.tokenizer.unwrap_or(TokenizerChoice::Bytes)
    }

    /// The text of the bundle's own tokenizer, where it is the one to use. It has been bounded, not parsed.
    pub fn tokenizer_json(&self) -> Option<&str> {
        match self.tokenizer() {
            TokenizerChoice::Bundle => self.file(TOKENIZER_FILE),
            TokenizerChoice::Bytes | TokenizerChoice::Gpt2 => None,
        }
    }

    /// The SHA-256 of the canonical bytes; the same files have the same hash, however they were archived.
    pub fn hash(&self) -> Sha256Hash {
        self.hash
    }

    /// The canonical bytes that are hashed and priced, as the module `canonical` lays them out.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        canonical::bytes(&self.files)
    }

    /// The size of all files together.
    pub fn total_bytes(&self) -> u64 {
        self.files.values().map(|content| content.len() as u64).sum()
    }

    /// What the bundle adds to the code length: 8 bits for every byte of its canonical bytes, compressed with zstd at
    /// level 19, above the free allowance. Deterministic for one [`crate::zstd_version`].
    pub fn priced_bits(&self, allowance_bytes: u64) -> Result<u64, BundleError> {
        let compressed_bytes = canonical::compressed_bytes(&self.canonical_bytes())?;
        Ok(8 * compressed_bytes.saturating_sub(allowance_bytes))
    }

    /// An archive of the bundle: sorted, uncompressed, without times. The same bundle gives the same bytes, and
    /// [`Bundle::from_zip`] reads them back to the same hash.
    pub fn to_zip(&self) -> Vec<u8> {
        zip::write(&self.files)
    }

    fn validate(entries: Vec<(BundlePath, Vec<u8>)>) -> Result<Self, BundleError> {
        check_count(entries.len())?;
        path::check_together(entries.iter().map(|(path, _)| path))?;
        check_total(entries.iter().map(|(_, content)| content.len() as u64).sum())?;
        let mut files = BTreeMap::new();
        for (path, content) in entries {
            let text = content::check(&path, content)?;
            files.insert(path, text);
        }
        check_manifest_name(&files)?;
        let manifest = Manifest::parse(text_of(&files, MANIFEST_FILE).unwrap_or_default())?;
        check_entrypoints(&files, &manifest)?;
        check_tokenizer(&files, &manifest)?;
        let hash = Sha256Hash::of(&canonical::bytes(&files));
        Ok(Self {
            files,
            manifest,
            hash,
        })
    }
}

/// Refuses more files than a bundle may have.
pub(crate) fn check_count(count: usize) -> Result<(), BundleError> {
    if count > FILES_MAX {
        Err(BundleError::TooManyFiles { count })
    } else {
        Ok(())
    }
}

/// Refuses more bytes than a bundle may have.
pub(crate) fn check_total(bytes: u64) -> Result<(), BundleError> {
    if bytes > BUNDLE_BYTES_MAX {
        Err(BundleError::TooLarge { bytes })
    } else {
        Ok(())
    }
}

fn text_of<'a>(files: &'a BTreeMap<BundlePath, String>, path: &str) -> Option<&'a str> {
    files
        .iter()
        .find(|(known, _)| known.as_str() == path)
        .map(|(_, content)| content.as_str())
}

/// A manifest that is there and not read would be a silent fallback to the defaults.
fn check_manifest_name(files: &BTreeMap<BundlePath, String>) -> Result<(), BundleError> {
    for path in files.keys() {
        let name = path
            .as_str()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if matches!(name.as_str(), "prism.yaml" | "prism.yml") && path.as_str() != MANIFEST_FILE {
            return Err(BundleError::ManifestMisnamed { path: path.shown() });
        }
    }
    Ok(())
}

fn check_entrypoints(files: &BTreeMap<BundlePath, String>, manifest: &Manifest) -> Result<(), BundleError> {
    if manifest.architecture == manifest.training {
        return Err(BundleError::SameEntrypoint {
            path: manifest.architecture.shown(),
        });
    }
    for (role, path) in [
        ("architecture", &manifest.architecture),
        ("training", &manifest.training),
    ] {
        if !files.contains_key(path) {
            return Err(BundleError::MissingEntrypoint {
                role,
                path: path.shown(),
                elsewhere: elsewhere(files, path),
            });
        }
    }
    Ok(())
}

/// The usual mistake is an archive of the directory instead of the files in it.
fn elsewhere(files: &BTreeMap<BundlePath, String>, missing: &BundlePath) -> Option<Shown> {
    let below = format!("/{missing}");
    let found = files.keys().find(|path| path.as_str().ends_with(&below));
    found.map(BundlePath::shown)
}

fn check_tokenizer(files: &BTreeMap<BundlePath, String>, manifest: &Manifest) -> Result<(), BundleError> {
    match (manifest.tokenizer, text_of(files, TOKENIZER_FILE)) {
        (Some(TokenizerChoice::Bundle), None) => Err(BundleError::MissingTokenizer),
        (None, Some(_)) => Err(BundleError::UndeclaredTokenizer),
        _ => Ok(()),
    }
}
