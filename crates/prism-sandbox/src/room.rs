//! How much memory could be given out: by the machine, and by the control groups that PRISM itself runs in.
//!
//! For whoever starts sandboxes, before the first one. A container that may use 8 GB of a machine with 500 GB free has
//! room for 8 GB. It must never be taken for a promise: others may use the memory first.

use std::fs;
use std::path::Path;

use crate::cgroup::Version;
use crate::cgroup_places::{Base, Bases};
use crate::proctree;

/// The smallest of all, in bytes; `None` where the kernel tells nothing.
pub fn available_memory_bytes() -> Option<u64> {
    let bases = Bases::discover();
    let groups = bases.v1_memory.iter().chain(bases.v2.first());
    groups
        .flat_map(|base| base.dir.ancestors().map_while(|dir| room(base, dir)))
        .flatten()
        .chain(proctree::available_bytes())
        .min()
}

/// What a group could still take: `Some(None)` where it has no limit, `None` where there is no group any more.
#[allow(
    clippy::option_option,
    reason = "the end of a walk and a step of it are two things"
)]
fn room(base: &Base, dir: &Path) -> Option<Option<u64>> {
    let (limit, used, cache) = match base.version {
        Version::V1 => (
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            ["total_inactive_file ", "total_active_file "],
        ),
        Version::V2 => ("memory.max", "memory.current", ["inactive_file ", "active_file "]),
    };
    let number = |name: &str| {
        fs::read_to_string(dir.join(name))
            .ok()?
            .trim_end()
            .parse::<u64>()
            .ok()
    };
    if !dir.join("cgroup.procs").exists() {
        return None;
    }
    let Some((limit_bytes, used_bytes)) = number(limit).zip(number(used)) else {
        return Some(None);
    };
    // What was read from files is given back when memory is wanted.
    let stat = fs::read_to_string(dir.join("memory.stat")).unwrap_or_default();
    let counted = |name: &str| {
        stat.lines()
            .find_map(|line| line.strip_prefix(name)?.trim_end().parse::<u64>().ok())
    };
    let cache_bytes: u64 = cache.into_iter().filter_map(counted).sum();
    Some(Some(
        limit_bytes.saturating_sub(used_bytes.saturating_sub(cache_bytes)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(dir: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("cgroup.procs"), "").unwrap();
        for (name, content) in files {
            fs::write(dir.join(name), content).unwrap();
        }
    }

    #[test]
    fn a_group_has_room_for_what_it_does_not_use_and_what_it_could_drop() {
        let temp = tempfile::tempdir().unwrap();
        let base = |version| Base {
            version,
            dir: temp.path().to_owned(),
        };
        let stat = "anon 5\ninactive_file 30\nactive_file 7\ntotal_inactive_file 20\n";
        let v2 = temp.path().join("v2");
        group(
            &v2,
            &[
                ("memory.max", "1000\n"),
                ("memory.current", "400\n"),
                ("memory.stat", stat),
            ],
        );
        assert_eq!(room(&base(Version::V2), &v2), Some(Some(637)));
        fs::write(v2.join("memory.max"), "max\n").unwrap();
        assert_eq!(room(&base(Version::V2), &v2), Some(None), "no limit of its own");
        let v1 = temp.path().join("v1");
        let files = [
            ("memory.limit_in_bytes", "1000\n"),
            ("memory.usage_in_bytes", "1400\n"),
            ("memory.stat", stat),
        ];
        group(&v1, &files);
        assert_eq!(room(&base(Version::V1), &v1), Some(Some(0)));
        assert_eq!(room(&base(Version::V1), temp.path()), None, "no group at all");
    }

    #[test]
    fn this_machine_has_some() {
        let bytes = available_memory_bytes().unwrap();
        assert!(bytes > 1 << 20, "{bytes}");
    }
}
