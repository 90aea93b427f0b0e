//! The commands of an installation, and nothing but them: no command is run here.
//!
//! `install` runs what these return. Each demands exactly the locked wheels: hashes required, no dependencies beyond
//! the list, nothing built from source. Which index they come from is left to the user's own configuration.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::{InstallPlan, Installer};
use crate::installed;

/// Variables that would make an installer put packages somewhere else, or Python find others.
const REMOVED_VARIABLES: [&str; 10] = [
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_REQUIREMENT",
    "PIP_CONSTRAINT",
    "PIP_DRY_RUN",
];

/// Makes an empty environment; with `pip` in it only where that is what installs.
pub(super) fn environment(plan: &InstallPlan) -> Command {
    let mut command = clean(plan.python.as_os_str());
    command.args(["-I", "-m", "venv"]);
    if plan.installer == Installer::Uv {
        command.arg("--without-pip");
    }
    command.arg(&plan.directory);
    command
}

pub(super) fn pip(plan: &InstallPlan, lock: &Path) -> Command {
    let mut command = clean(installed::python(&plan.directory).as_os_str());
    command.args([
        "-I",
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]);
    command.args([
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
    ]);
    command
        .args(["--root-user-action", "ignore", "--requirement"])
        .arg(lock);
    // Set by some distributions, and refused inside an environment.
    command.env("PIP_USER", "0");
    command
}

pub(super) fn uv(uv: &Path, plan: &InstallPlan, lock: &Path) -> Command {
    let mut command = clean(uv.as_os_str());
    command.args([
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]);
    // pip compiles what it installs; without this every start in a read-only sandbox would compile all of torch.
    command.args(["--compile-bytecode", "--color", "never", "--python"]);
    command
        .arg(installed::python(&plan.directory))
        .arg("--requirement")
        .arg(lock);
    command
}

fn clean(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    for name in REMOVED_VARIABLES {
        command.env_remove(name);
    }
    // Messages are classified by their text, which is that of this locale.
    command.env("LC_ALL", "C.UTF-8");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(installer: Installer) -> InstallPlan {
        InstallPlan {
            python: "/opt/py/bin/python3.12".into(),
            python_version: "3.12.1".to_owned(),
            installer,
            directory: "/data/runtime/x".into(),
            packages: 1,
            installed_bytes: 1,
            download_bytes: 1,
            disk: Vec::new(),
        }
    }

    fn words(command: &Command) -> Vec<String> {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_environment_is_made_with_the_chosen_python() {
        let made = words(&environment(&plan(Installer::Pip)));
        assert_eq!(
            made,
            ["/opt/py/bin/python3.12", "-I", "-m", "venv", "/data/runtime/x"]
        );
        let made = words(&environment(&plan(Installer::Uv)));
        assert_eq!(made[3..], ["venv", "--without-pip", "/data/runtime/x"]);
    }

    #[test]
    fn both_installers_demand_exactly_the_locked_wheels() {
        let lock = Path::new("/data/runtime/x/runtime.lock.txt");
        let pip = pip(&plan(Installer::Pip), lock);
        let uv = uv(Path::new("/usr/bin/uv"), &plan(Installer::Uv), lock);
        assert_eq!(pip.get_program(), "/data/runtime/x/bin/python");
        assert_eq!(uv.get_program(), "/usr/bin/uv");
        for command in [&pip, &uv] {
            let words = words(command);
            for demanded in [
                "--require-hashes",
                "--no-deps",
                ":all:",
                "/data/runtime/x/runtime.lock.txt",
            ] {
                assert!(
                    words.iter().any(|word| word == demanded),
                    "{demanded} in {words:?}"
                );
            }
            assert!(
                !words
                    .iter()
                    .any(|word| word.contains("index") || word.contains("://")),
                "{words:?}"
            );
        }
        assert!(
            words(&uv)
                .windows(2)
                .any(|pair| pair == ["--python", "/data/runtime/x/bin/python"])
        );
    }

    #[test]
    fn no_variable_can_send_the_packages_elsewhere() {
        let command = pip(&plan(Installer::Pip), Path::new("/lock"));
        let variables: Vec<_> = command.get_envs().collect();
        for name in ["PIP_TARGET", "PYTHONPATH", "VIRTUAL_ENV"] {
            assert!(variables.contains(&(OsStr::new(name), None)), "{name}");
        }
        assert!(
            !variables
                .iter()
                .any(|(name, _)| name.to_string_lossy().contains("INDEX"))
        );
    }
}
