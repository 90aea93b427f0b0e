//! What an installer is doing, from the lines that it prints.
//!
//! Only for the progress bar: a line that is not understood moves nothing, and nothing is decided by one.

use super::{Installer, Phase};

/// Reads one installer's lines.
pub(super) struct Reader {
    installer: Installer,
    done: usize,
}

impl Reader {
    pub(super) fn new(installer: Installer) -> Self {
        Self { installer, done: 0 }
    }

    /// The stage, how many packages are behind, and what is being worked on.
    pub(super) fn read(&mut self, line: &str) -> Option<(Phase, usize, String)> {
        let line = line.trim();
        match self.installer {
            Installer::Pip => self.read_pip(line),
            Installer::Uv => self.read_uv(line),
        }
    }

    fn read_pip(&mut self, line: &str) -> Option<(Phase, usize, String)> {
        if let Some(rest) = line.strip_prefix("Collecting ") {
            // A package is behind when the next one begins.
            let name = rest.split(' ').next().unwrap_or(rest).to_owned();
            self.done += 1;
            return Some((Phase::Download, self.done - 1, name));
        }
        if let Some(what) = line
            .strip_prefix("Downloading ")
            .or_else(|| line.strip_prefix("Using cached "))
        {
            return Some((Phase::Download, self.done.saturating_sub(1), what.to_owned()));
        }
        if line.starts_with("Installing collected packages") {
            return Some((Phase::Unpack, self.done, "unpacking".to_owned()));
        }
        line.starts_with("Successfully installed")
            .then(|| (Phase::Unpack, self.done, "unpacked".to_owned()))
    }

    fn read_uv(&mut self, line: &str) -> Option<(Phase, usize, String)> {
        if let Some(what) = line.strip_prefix("Downloading ") {
            return Some((Phase::Download, self.done, what.to_owned()));
        }
        if let Some(what) = line.strip_prefix("Downloaded ") {
            self.done += 1;
            return Some((Phase::Download, self.done, what.to_owned()));
        }
        if line.starts_with("Resolved ") {
            return Some((Phase::Download, self.done, "downloading".to_owned()));
        }
        if let Some(rest) = line.strip_prefix("Prepared ") {
            self.done = rest
                .split(' ')
                .next()
                .and_then(|count| count.parse().ok())
                .unwrap_or(self.done);
            return Some((Phase::Unpack, self.done, "linking".to_owned()));
        }
        line.starts_with("Installed ")
            .then(|| (Phase::Unpack, self.done, "compiling".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(installer: Installer, lines: &[&str]) -> Vec<(Phase, usize, String)> {
        let mut reader = Reader::new(installer);
        lines.iter().filter_map(|line| reader.read(line)).collect()
    }

    #[test]
    fn follows_pip() {
        let lines = [
            "Collecting einops==0.8.2 (from -r /x/runtime.lock.txt (line 17))",
            "  Downloading einops-0.8.2-py3-none-any.whl (64 kB)",
            "Collecting torch==2.15.0 (from -r /x/runtime.lock.txt (line 99))",
            "  Using cached torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl (530.1 MB)",
            "Installing collected packages: einops, torch",
            "Successfully installed einops-0.8.2 torch-2.15.0",
        ];
        let read = read(Installer::Pip, &lines);
        let counts: Vec<_> = read.iter().map(|(phase, done, _)| (*phase, *done)).collect();
        let (download, unpack) = (Phase::Download, Phase::Unpack);
        assert_eq!(
            counts,
            [
                (download, 0),
                (download, 0),
                (download, 1),
                (download, 1),
                (unpack, 2),
                (unpack, 2)
            ]
        );
        assert_eq!(read[0].2, "einops==0.8.2");
    }

    #[test]
    fn follows_uv() {
        let lines = [
            "Using Python 3.11.7 environment at: /x",
            "Resolved 31 packages in 200ms",
            "Downloading torch (505.6MiB)",
            " Downloaded torch",
            "Prepared 31 packages in 40.00s",
            "Installed 31 packages in 900ms",
            " + torch==2.15.0",
        ];
        let read = read(Installer::Uv, &lines);
        let counts: Vec<_> = read.iter().map(|(phase, done, _)| (*phase, *done)).collect();
        let (download, unpack) = (Phase::Download, Phase::Unpack);
        assert_eq!(
            counts,
            [
                (download, 0),
                (download, 0),
                (download, 1),
                (unpack, 31),
                (unpack, 31)
            ]
        );
    }

    #[test]
    fn other_lines_move_nothing() {
        assert_eq!(
            read(
                Installer::Pip,
                &["", "WARNING: x", "Requirement already satisfied"]
            ),
            []
        );
        assert_eq!(read(Installer::Uv, &["", "warning: x", "Audited 3 packages"]), []);
    }
}
