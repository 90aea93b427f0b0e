//! `prism data commit` and `prism data reveal`: what is fixed about a corpus before a round, and its opening after it.
//!
//! The commitment is the hash of the manifest. It binds every byte of the text, since the manifest has the hash of each
//! shard, and the salt; and it tells nothing, since the manifest holds the hash of a salt that nobody can guess. Every
//! record has it as the hash of its corpus, and a service publishes it with the recipe.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use prism_core::advice::{Advice, Hint};
use serde::Serialize;

use crate::manifest::{Salt, Split};
use crate::open::{Corpus, OpenError, read_manifest};
use crate::publish::{PublishError, Staging};
use crate::secret::{REVEALED_FILE, SALT_FILE, SECRET_DIR, SaltError, SecretSalt};

/// What is published of a corpus before a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Commitment {
    /// SHA-256 of the canonical manifest: the identity of the corpus.
    pub corpus_sha256: String,
    /// SHA-256 of the salt with a prefix of its own, where it is secret; it is a part of the manifest.
    pub salt_sha256: Option<String>,
    /// Bytes of the stream.
    pub stream_bytes: u64,
    /// Documents of the stream.
    pub stream_documents: u64,
}

/// Why a corpus was not revealed.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its salt cannot be read.
    #[error(transparent)]
    Salt(#[from] SaltError),
    /// It holds nothing secret.
    #[error("{path} has a public salt, so there is nothing to reveal", path = path.display())]
    Public {
        /// The corpus.
        path: PathBuf,
    },
    /// The salt is not the one that it was locked with.
    #[error("{path} is not the salt that the corpus was locked with", path = path.display())]
    OtherSalt {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl Advice for RevealError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Public { .. } => "hand it out as it is".into(),
            Self::OtherSalt { .. } => "restore the file".into(),
            Self::Open(error) => return error.hint(),
            Self::Salt(error) => return error.hint(),
            Self::Publish(error) => return error.hint(),
        })
    }
}

/// The commitment to a corpus, which was verified.
pub fn commitment(corpus: &Corpus) -> Commitment {
    let manifest = corpus.manifest();
    Commitment {
        corpus_sha256: corpus.manifest_hash().to_owned(),
        salt_sha256: match manifest.split_rule.locked_salt() {
            Some(Salt::Sha256(hash)) => Some(hash.clone()),
            Some(Salt::Public(_)) | None => None,
        },
        stream_bytes: manifest.split(Split::Train).bytes,
        stream_documents: manifest.split(Split::Train).documents,
    }
}

/// Writes what anybody needs to check records of this corpus: its text, held out and not, and its salt. What comes of it
/// opens like the corpus and has its hash.
pub fn reveal(dir: &Path, out: &Path) -> Result<Commitment, RevealError> {
    let corpus = Corpus::open(dir)?;
    let Some(Salt::Sha256(commitment_of_salt)) = corpus.manifest().split_rule.locked_salt() else {
        return Err(RevealError::Public { path: dir.to_owned() });
    };
    let salt = match fs::exists(dir.join(REVEALED_FILE)) {
        Ok(true) => SecretSalt::read_open(&dir.join(REVEALED_FILE))?,
        _ => SecretSalt::read(&dir.join(SECRET_DIR).join(SALT_FILE))?,
    };
    if salt.commitment() != *commitment_of_salt {
        return Err(RevealError::OtherSalt {
            path: dir.join(SECRET_DIR).join(SALT_FILE),
        });
    }
    let manifest = read_manifest(dir)?;
    let staging = Staging::new(out)?;
    let folder = staging.dir().join(SECRET_DIR);
    fs::create_dir(&folder).map_err(|e| PublishError::io("create", &folder, e))?;
    for split in Split::ALL {
        let (from, to) = (
            split.dir(dir, &manifest.split_rule),
            split.dir(staging.dir(), &manifest.split_rule),
        );
        for shard in &manifest.split(split).shards {
            for suffix in ["txt", "idx"] {
                let name = format!("{}.{suffix}", shard.stem);
                copy(&from.join(&name), &to.join(&name))
                    .map_err(|e| PublishError::io("write", &to.join(&name), e))?;
            }
        }
    }
    let path = staging.dir().join(REVEALED_FILE);
    salt.reveal(&path)
        .map_err(|e| PublishError::io("write", &path, e))?;
    staging.publish(&manifest)?;
    Ok(commitment(&corpus))
}

/// Copies the bytes alone: the rights of the new file are those of any other.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut out = fs::File::create_new(to)?;
    io::copy(&mut fs::File::open(from)?, &mut out)?;
    out.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::lock::{LockOptions, lock};
    use crate::manifest::{LockSalt, Shares};

    fn locked(dir: &Path, salt: LockSalt) -> PathBuf {
        let lines = (0..300).map(|i| format!("{{\"text\":\"Text {i} of many, with {} and more\"}}\n", i * 7));
        let text = lines.collect::<Vec<_>>().concat();
        fs::write(dir.join("in.jsonl"), text).unwrap();
        let options = LockOptions {
            salt,
            shares: Shares::Permille { val: 100, test: 100 },
            ..LockOptions::default()
        };
        let out = dir.join("corpus");
        lock(&[dir.join("in.jsonl")], &out, &options, &mut |_| {
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        out
    }

    #[test]
    fn a_revealed_corpus_has_the_hash_that_was_committed_to_and_opens_for_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let salt = SecretSalt::new("a salt that nobody knows").unwrap();
        let corpus = locked(dir.path(), LockSalt::Secret(salt.clone()));
        let before = commitment(&Corpus::open(&corpus).unwrap());
        assert_eq!(before.salt_sha256, Some(salt.commitment()));
        let out = dir.path().join("revealed");
        assert_eq!(reveal(&corpus, &out).unwrap(), before);
        // Others may enter all of it.
        fs::set_permissions(&out, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(out.join(SECRET_DIR), fs::Permissions::from_mode(0o755)).unwrap();
        let opened = Corpus::open(&out).unwrap();
        assert_eq!(commitment(&opened), before);
        assert_eq!(
            fs::read_to_string(out.join(REVEALED_FILE)).unwrap(),
            "a salt that nobody knows\n"
        );
        // Another salt in its place opens nothing.
        fs::write(out.join(REVEALED_FILE), "another that nobody knows\n").unwrap();
        assert!(matches!(Corpus::open(&out), Err(OpenError::OtherSalt { .. })));
    }

    #[test]
    fn the_commitment_binds_text_and_salt() {
        let of = |salt: &str| {
            let dir = tempfile::tempdir().unwrap();
            let corpus = locked(dir.path(), LockSalt::Secret(SecretSalt::new(salt).unwrap()));
            commitment(&Corpus::open(&corpus).unwrap()).corpus_sha256
        };
        assert_eq!(of("a salt that nobody knows"), of("a salt that nobody knows"));
        assert_ne!(of("a salt that nobody knows"), of("another that nobody knows"));
    }

    #[test]
    fn what_is_public_has_nothing_to_reveal_and_a_wrong_salt_reveals_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let corpus = locked(dir.path(), LockSalt::Public("prism".to_owned()));
        let out = dir.path().join("revealed");
        assert!(matches!(reveal(&corpus, &out), Err(RevealError::Public { .. })));
        let other = tempfile::tempdir().unwrap();
        let corpus = locked(
            other.path(),
            LockSalt::Secret(SecretSalt::new("a salt that nobody knows").unwrap()),
        );
        fs::write(
            corpus.join(SECRET_DIR).join(SALT_FILE),
            "another that nobody knows\n",
        )
        .unwrap();
        assert!(matches!(
            reveal(&corpus, &out),
            Err(RevealError::Open(OpenError::OtherSalt { .. }))
        ));
        // Without any there is nothing to reveal either, though the corpus opens.
        fs::remove_file(corpus.join(SECRET_DIR).join(SALT_FILE)).unwrap();
        Corpus::open(&corpus).unwrap();
        assert!(matches!(
            reveal(&corpus, &out),
            Err(RevealError::Salt(SaltError::Io { .. }))
        ));
        assert!(!out.exists());
    }
}
