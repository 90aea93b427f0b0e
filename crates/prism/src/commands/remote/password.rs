//! The password of a key file: from a file, from the environment, or typed and not shown.
//!
//! Typed characters are read one by one with the terminal's echo off, so that Ctrl-C leaves it on again. A password is
//! wiped when it was used.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use prism_key::SecretString;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::keys::PasswordArgs;
use crate::commands::secret_file;
use crate::failure::Failure;
use crate::show;

/// Where scripts put it.
const VARIABLE: &str = "PRISM_KEY_PASSWORD";
const PASSWORD_BYTES_MAX: usize = 4096;

/// The password of the key file at this path.
pub(super) fn of(args: &PasswordArgs, key_file: &Path) -> Result<SecretString, Failure> {
    if let Some(path) = &args.password_file {
        return from_file(path);
    }
    match std::env::var(VARIABLE) {
        Ok(password) => return Ok(password.into()),
        Err(std::env::VarError::NotPresent) => {}
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(Failure::usage("password", &format!("{VARIABLE} is not UTF-8")).hint("set it again"));
        }
    }
    let Ok(terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        let text = format!(
            "the key file {} is under a password, and there is no terminal to ask for it",
            key_file.display()
        );
        return Err(Failure::usage("password", &text).hint(format!("use --password-file or {VARIABLE}")));
    };
    ask(
        terminal,
        &format!("password of {}: ", show::line(&key_file.display().to_string())),
    )
}

fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let text = secret_file::read(path, PASSWORD_BYTES_MAX + 1, "password_file", "password file")?;
    if text.len() > PASSWORD_BYTES_MAX {
        let shown = path.display();
        let text = format!("the password file {shown} has more than {PASSWORD_BYTES_MAX} bytes");
        return Err(Failure::usage("password_file", &text));
    }
    // An editor's line end is no part of it; spaces are.
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).into())
}

/// A terminal whose echo is off until this is dropped.
struct Silent {
    terminal: File,
    before: Termios,
}

impl Silent {
    fn new(terminal: File) -> std::io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        // Signals too: Ctrl-C comes as a character, so that the echo is on again before anything ends.
        silent
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
        let _ = self.terminal.write_all(b"\n");
    }
}

fn ask(mut terminal: File, prompt: &str) -> Result<SecretString, Failure> {
    let unusable = |error: std::io::Error| {
        Failure::machine("password", &format!("cannot ask for the password: {error}"))
    };
    terminal.write_all(prompt.as_bytes()).map_err(unusable)?;
    let silent = Silent::new(terminal).map_err(unusable)?;
    #[allow(clippy::unbuffered_bytes, reason = "a buffer would keep what was typed")]
    let typed = line(&mut (&silent.terminal).bytes()).map_err(unusable)?;
    drop(silent);
    typed.ok_or_else(|| Failure::usage("password", &"no password was given"))
}

/// What was typed up to the line end; nothing where it was given up.
fn line(typed: &mut dyn Iterator<Item = std::io::Result<u8>>) -> std::io::Result<Option<SecretString>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(PASSWORD_BYTES_MAX));
    for byte in typed {
        match byte? {
            b'\n' | b'\r' => {
                let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
                return Ok(Some(text.as_str().into()));
            }
            // Ctrl-C, Ctrl-D, Ctrl-\.
            0x03 | 0x04 | 0x1c => return Ok(None),
            // Backspace takes a whole character.
            0x08 | 0x7f => while bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U.
            0x15 => bytes.clear(),
            byte if bytes.len() < PASSWORD_BYTES_MAX => bytes.push(byte),
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn typed(bytes: &[u8]) -> Option<String> {
        use prism_key::ExposeSecret as _;
        let mut bytes = bytes.iter().map(|&byte| Ok(byte));
        line(&mut bytes)
            .unwrap()
            .map(|password| password.expose_secret().to_owned())
    }

    #[test]
    fn a_line_is_edited_as_in_any_terminal() {
        assert_eq!(typed(b"secret\nrest").as_deref(), Some("secret"));
        assert_eq!(typed(b"\r").as_deref(), Some(""));
        assert_eq!(typed("añ\u{7f}b\n".as_bytes()).as_deref(), Some("ab"));
        assert_eq!(typed(b"\x7f\x7fx\x15y z\n").as_deref(), Some("y z"));
        for given_up in [&b"abc\x03\n"[..], b"abc\x04", b"abc", b""] {
            assert_eq!(typed(given_up), None);
        }
        let long = [vec![b'x'; PASSWORD_BYTES_MAX + 9], vec![b'\n']].concat();
        assert_eq!(typed(&long).map(|text| text.len()), Some(PASSWORD_BYTES_MAX));
    }

    #[test]
    fn a_password_file_is_private_and_its_line_end_is_none_of_it() {
        use prism_key::ExposeSecret as _;
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("password");
        let set = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            from_file(&path).map(|password| password.expose_secret().to_owned())
        };
        for (text, expected) in [("a b \n", "a b "), ("a\r\n", "a"), ("a\n\n", "a\n"), ("", "")] {
            assert_eq!(set(text, 0o600).unwrap(), expected);
        }
        assert!(set("a", 0o640).unwrap_err().detail.contains("mode 640"));
        assert!(set(&"a".repeat(PASSWORD_BYTES_MAX + 1), 0o600).is_err());
        assert!(from_file(&temp.path().join("none")).is_err());
    }
}
