//! The grammar of the lock file, which is that of `pip install --require-hashes -r`.
//!
//! ```text
//! # a comment
//! name==version [; marker] \
//!     --hash=sha256:<64 digits> [\]
//! ```
//!
//! Installers read the file themselves. It is parsed here so that a malformed or incomplete lock is found before
//! anything is downloaded, and so that progress has a total. No options, addresses or unpinned names are allowed.

use prism_core::hash::Sha256Hash;

/// A lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// In the order of the file.
    pub pins: Vec<Pin>,
}

/// One package at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its normalised name.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// Where it is wanted, if not everywhere.
    pub marker: Option<String>,
    /// The wheels that are allowed.
    pub sha256: Vec<Sha256Hash>,
}

/// Why a lock file is malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lock file is malformed in line {line}: {what}")]
pub struct LockError {
    /// Counted from one.
    pub line: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl Lock {
    /// Parses a lock file.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let mut pins: Vec<Pin> = Vec::new();
        let mut continued = false;
        for (index, line) in text.lines().enumerate() {
            let malformed = |what| LockError {
                line: index + 1,
                what,
            };
            let trimmed = line.trim();
            if !continued && (trimmed.is_empty() || trimmed.starts_with('#')) {
                continue;
            }
            let (content, continues) = match trimmed.strip_suffix('\\') {
                Some(content) => (content.trim_end(), true),
                None => (trimmed, false),
            };
            if let Some(digits) = content.strip_prefix("--hash=sha256:") {
                let hash = Sha256Hash::parse(digits).ok_or(malformed("not the digits of a SHA-256"))?;
                match pins.last_mut().filter(|_| continued) {
                    Some(pin) => pin.sha256.push(hash),
                    None => return Err(malformed("a hash that belongs to no package")),
                }
            } else if continued {
                return Err(malformed("only hashes may follow a package"));
            } else {
                let pin = parse_pin(content).map_err(malformed)?;
                if !continues {
                    return Err(malformed("a package without a hash"));
                }
                if pins
                    .iter()
                    .any(|known| known.name == pin.name && known.marker == pin.marker)
                {
                    return Err(malformed("a package that is there twice"));
                }
                pins.push(pin);
            }
            continued = continues;
        }
        if continued || pins.is_empty() {
            return Err(LockError {
                line: text.lines().count(),
                what: "it ends too early",
            });
        }
        Ok(Self { pins })
    }

    /// The version of a package.
    pub fn version(&self, name: &str) -> Option<&str> {
        self.pins
            .iter()
            .find(|pin| pin.name == name)
            .map(|pin| pin.version.as_str())
    }
}

fn parse_pin(text: &str) -> Result<Pin, &'static str> {
    let (requirement, marker) = match text.split_once(';') {
        Some((requirement, marker)) => (requirement.trim(), Some(marker.trim().to_owned())),
        None => (text, None),
    };
    let (name, version) = requirement
        .split_once("==")
        .ok_or("not of the form name==version")?;
    let plain = |text: &str, more: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c))
    };
    if !plain(name, "-") {
        return Err("not a normalised name");
    }
    if !plain(version, ".+") {
        return Err("not an exact version");
    }
    if marker.as_ref().is_some_and(|marker| !is_marker(marker)) {
        return Err("not a marker that is understood");
    }
    Ok(Pin {
        name: name.to_owned(),
        version: version.to_owned(),
        marker,
        sha256: Vec::new(),
    })
}

/// `variable == "value"`, joined by `and` and `or`, in parentheses or not: all that the lock's script writes.
fn is_marker(marker: &str) -> bool {
    let comparison = |text: &str| {
        text.split_once("==").is_some_and(|(variable, value)| {
            matches!(variable.trim(), "platform_machine" | "python_version")
                && value
                    .trim()
                    .strip_prefix('"')
                    .and_then(|value| value.strip_suffix('"'))
                    .is_some_and(|value| {
                        value
                            .chars()
                            .all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
                    })
        })
    };
    marker.split(" or ").all(|alternative| {
        let alternative = alternative.trim();
        let inner = alternative
            .strip_prefix('(')
            .and_then(|inner| inner.strip_suffix(')'))
            .unwrap_or(alternative);
        inner.split(" and ").all(comparison)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: &str = "--hash=sha256:abababababababababababababababababababababababababababababababab";

    #[test]
    fn parses_pins_with_and_without_markers() {
        let text = format!(
            "# comment\n\na-b==1.2.post3 \\\n    {HASH} \\\n    {HASH}\nc==2 ; platform_machine == \"x86_64\" \\\n  {HASH}\n"
        );
        let lock = Lock::parse(&text).unwrap();
        assert_eq!(lock.version("a-b"), Some("1.2.post3"));
        assert_eq!(lock.pins[0].sha256, [Sha256Hash([0xab; 32]); 2]);
        assert_eq!(
            lock.pins[1].marker.as_deref(),
            Some("platform_machine == \"x86_64\"")
        );
        assert_eq!(lock.version("d"), None);
    }

    #[test]
    fn refuses_everything_else() {
        for (text, what) in [
            (String::new(), "it ends too early"),
            ("a==1\n".to_owned(), "a package without a hash"),
            ("a==1 \\\n".to_owned(), "it ends too early"),
            (format!("a==1 \\\n{HASH} \\\n"), "it ends too early"),
            (format!("{HASH}\n"), "a hash that belongs to no package"),
            (format!("a>=1 \\\n{HASH}\n"), "not of the form name==version"),
            (format!("a==1.* \\\n{HASH}\n"), "not an exact version"),
            (format!("A_b==1 \\\n{HASH}\n"), "not a normalised name"),
            (format!("--index-url x==1 \\\n{HASH}\n"), "not a normalised name"),
            (
                "a==1 \\\n--hash=sha256:ab\n".to_owned(),
                "not the digits of a SHA-256",
            ),
            (
                "a==1 \\\n--hash=md5:ab\n".to_owned(),
                "only hashes may follow a package",
            ),
            (
                format!("a==1 \\\n{HASH}\na==2 \\\n{HASH}\n"),
                "a package that is there twice",
            ),
            (
                format!("a==1 ; os_name == \"nt\" \\\n{HASH}\n"),
                "not a marker that is understood",
            ),
            (
                format!("a==1 ; python_version == 3 \\\n{HASH}\n"),
                "not a marker that is understood",
            ),
        ] {
            assert_eq!(Lock::parse(&text).unwrap_err().what, what, "{text:?}");
        }
    }

    #[test]
    fn the_embedded_lock_covers_what_miners_may_import_and_what_that_needs() {
        let lock = Lock::parse(crate::lock_text()).unwrap();
        // An interpreter and machine each; pure Python needs one wheel for all of them.
        let wheels = |name: &str| {
            lock.pins
                .iter()
                .find(|pin| pin.name == name)
                .map_or(0, |pin| pin.sha256.len())
        };
        let targets = 6;
        assert_eq!(wheels("triton"), 4, "one wheel serves the two newer interpreters");
        for name in ["torch", "numpy", "markupsafe", "cuda-bindings"] {
            assert_eq!(wheels(name), targets, "{name}");
        }
        for name in ["nvidia-cublas", "nvidia-cudnn-cu13", "nvidia-nccl-cu13"] {
            assert_eq!(wheels(name), 2, "{name}: a wheel for each machine");
        }
        let pure = [
            "einops",
            "filelock",
            "fsspec",
            "jinja2",
            "mpmath",
            "networkx",
            "sympy",
            "typing-extensions",
        ];
        for name in pure {
            assert_eq!(wheels(name), 1, "{name}");
        }
        assert!(lock.pins.iter().all(|pin| !pin.sha256.is_empty()));
        assert!(lock.pins.is_sorted_by_key(|pin| &pin.name));
        let torch = crate::probe::leading_version(lock.version("torch").unwrap()).unwrap();
        assert!(torch >= crate::probe::OLDEST_TORCH);
    }

    #[test]
    fn the_embedded_lock_names_no_address() {
        assert!(!crate::lock_text().contains("://"));
        assert!(!crate::lock_text().contains("index"));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-z=;\\\\ \n#\"0-9.-]{0,200}") {
            let _ = Lock::parse(&text);
        }
    }
}
