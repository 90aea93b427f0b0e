//! Where control groups can be made, and whose the ones that lie there are.
//!
//! Used by `preflight.rs` and `cgroup.rs`. It must never take a group for ours that another living process, or another PID namespace, has made.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use prism_scratch::Owner;

use crate::cgroup::{Duty, Group, Version};

/// Our directory below the caller's own group.
pub(crate) const OUR_DIRECTORY: &str = "prism";

/// A directory in which groups can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) version: Version,
    pub(crate) dir: PathBuf,
}

/// Where this process could make groups, as far as the mounts tell; whether it may is found out by trying.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bases {
    pub(crate) v1_memory: Option<Base>,
    pub(crate) v1_freezer: Option<Base>,
    /// The caller's own version 2 group, and the one above it, where there is one.
    pub(crate) v2: Vec<Base>,
}

impl Bases {
    /// Reads the caller's own groups and the mounts of the hierarchies.
    pub(crate) fn discover() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::from_text(&mounts, &own)
    }

    fn from_text(mountinfo: &str, own_groups: &str) -> Self {
        let mut bases = Self::default();
        for line in own_groups.lines() {
            let mut fields = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let place = |version| {
                mountinfo
                    .lines()
                    .find_map(|line| mounted_at(line, version, controllers, path))
                    .map(|dir| Base { version, dir })
            };
            if controllers.is_empty() {
                if let Some(base) = place(Version::V2) {
                    let above = base
                        .dir
                        .parent()
                        .filter(|above| above.join("cgroup.procs").exists());
                    let above = above.map(|dir| Base {
                        version: Version::V2,
                        dir: dir.to_owned(),
                    });
                    bases.v2 = std::iter::once(base).chain(above).collect();
                }
            } else if controllers.split(',').any(|name| name == "memory") {
                bases.v1_memory = place(Version::V1);
            } else if controllers.split(',').any(|name| name == "freezer") {
                bases.v1_freezer = place(Version::V1);
            }
        }
        bases
    }

    fn all(&self) -> impl Iterator<Item = &Base> {
        self.v1_memory.iter().chain(&self.v1_freezer).chain(&self.v2)
    }

    /// Removes groups that a process of ours left behind when it was killed together with its keepers.
    pub(crate) fn sweep_stale(&self) {
        for base in self.all() {
            let Ok(entries) = fs::read_dir(base.dir.join(OUR_DIRECTORY)) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let Some((owner, _)) = name.to_str().and_then(Owner::parse) else {
                    continue;
                };
                let is_own = entry
                    .metadata()
                    .is_ok_and(|found| found.is_dir() && found.uid() == rustix::process::geteuid().as_raw());
                if is_own && owner.is_gone() {
                    let duty = Duty {
                        memory: true,
                        freezer: true,
                    };
                    Group {
                        version: base.version,
                        duty,
                        dir: entry.path(),
                    }
                    .kill_and_remove();
                }
            }
        }
    }
}

/// The directory of group `path`, if this line of `mountinfo` is the mount of its hierarchy.
fn mounted_at(line: &str, version: Version, controllers: &str, path: &str) -> Option<PathBuf> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, mount_point) = (left.next()?, left.next()?);
    let mut right = right.split(' ');
    let (kind, _, options) = (right.next()?, right.next()?, right.next()?);
    let matches = match version {
        Version::V2 => kind == "cgroup2",
        Version::V1 => {
            kind == "cgroup"
                && controllers
                    .split(',')
                    .all(|name| options.split(',').any(|option| option == name))
        }
    };
    if !matches || path.split('/').any(|part| part == "..") {
        return None;
    }
    // Inside a container the mount may show only a part of the hierarchy, while the group's path starts at its top.
    let below = if root == "/" {
        path
    } else {
        path.strip_prefix(root)?
    };
    Some(Path::new(mount_point).join(below.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_are_found_side_by_side() {
        let mounts = "26 25 0:22 / /cg/memory rw,relatime - cgroup cgroup rw,memory\n\
                      27 25 0:23 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                      28 25 0:24 /docker/ab /cg/freezer rw shared:9 - cgroup cgroup rw,freezer\n\
                      29 25 0:25 / /cg/unified rw - cgroup2 cgroup2 rw\n";
        let own = "4:memory:/a/b\n3:freezer:/docker/ab\n2:cpu,cpuacct:/\n0::/user.slice\n";
        let bases = Bases::from_text(mounts, own);
        assert_eq!(bases.v1_memory.unwrap().dir, Path::new("/cg/memory/a/b"));
        assert_eq!(bases.v1_freezer.unwrap().dir, Path::new("/cg/freezer"));
        assert_eq!(bases.v2[0].dir, Path::new("/cg/unified/user.slice"));
    }

    #[test]
    fn a_group_outside_the_visible_part_is_not_guessed() {
        let mounts = "28 25 0:24 /docker/ab /cg/freezer rw - cgroup cgroup rw,freezer\n29 25 0:25 / /cg/u rw - cgroup2 cgroup2 rw\n";
        let bases = Bases::from_text(mounts, "3:freezer:/elsewhere\n0::/../sibling\n");
        assert_eq!(bases, Bases::default());
    }
}
