//! Files with a secret of whoever types: an audit key, a password. They must be their owner's alone.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Permissions that let others read a file.
const GROUP_AND_OTHERS: u32 = 0o077;

/// At most so many bytes of such a file, which is called `what` where it cannot be used.
pub(in crate::commands) fn read(
    path: &Path,
    bytes_max: usize,
    code: &'static str,
    what: &str,
) -> Result<Zeroizing<String>, Failure> {
    let shown = path.display();
    let unreadable =
        |error: io::Error| Failure::usage(code, &format!("cannot read the {what} {shown}: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & GROUP_AND_OTHERS != 0 {
        let mode = mode & 0o777;
        let text = format!("the {what} {shown} can be read or written by others (mode {mode:03o})");
        return Err(Failure::usage(code, &text).hint(format!("run `chmod 600 {shown}`")));
    }
    // All at once, so that no copy is left where a longer one was needed.
    let mut text = Zeroizing::new(String::with_capacity(bytes_max));
    file.take(bytes_max as u64)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}
