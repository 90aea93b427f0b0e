//! The commands of an installation, and nothing but them: no command is run here.
//!
//! `job` runs what these return. What fetches demands exactly the locked wheels: hashes required, no dependencies
//! beyond the list, nothing built from source. Which index they come from is left to the user's own configuration.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::installed;

/// Starts uv, told what pip is told.
const UV: &str = include_str!("uv.py");
/// What would make an installer put packages somewhere else, take others, or make Python find others.
const REMOVED_VARIABLES: [&str; 20] = [
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
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
    "UV_EXCLUDE",
    "UV_EXCLUDE_NEWER",
    "UV_NO_BINARY",
    "UV_NO_VERIFY_HASHES",
    "UV_PROJECT",
    "UV_SYSTEM_PYTHON",
    "UV_TORCH_BACKEND",
    "UV_WORKING_DIR",
];
const STRICT: [&str; 4] = ["--require-hashes", "--no-deps", "--only-binary", ":all:"];

/// Where uv lies while it is at work: in the environment that it fills, so that it goes when that goes.
pub(super) fn tools(directory: &Path) -> PathBuf {
    directory.join("installer")
}

/// Makes the empty environment.
pub(super) fn environment(python: &Path, directory: &Path) -> Command {
    let mut command = clean(python);
    command.args(["-I", "-m", "venv", "--without-pip"]).arg(directory);
    command
}

/// Makes the environment of the tools, with the pip that the interpreter brings along.
pub(super) fn pip(python: &Path, directory: &Path) -> Command {
    let mut command = clean(python);
    command.args(["-I", "-m", "venv"]).arg(tools(directory));
    command
}

/// Has that pip fetch uv.
pub(super) fn fetch_uv(directory: &Path, lock: &Path) -> Command {
    let mut command = clean(&installed::python(&tools(directory)));
    command.args(["-I", "-m", "pip", "install"]).args(STRICT);
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

/// Has uv fill the environment.
pub(super) fn packages(directory: &Path, lock: &Path) -> Command {
    let tools = tools(directory);
    let mut command = clean(&installed::python(&tools));
    command.args(["-I", "-c", UV]).arg(tools.join("bin").join("uv"));
    command.args(["pip", "install"]).args(STRICT);
    // Of several indexes pip asks all, too. The hashes say which wheel it may be.
    command.args(["--index-strategy", "unsafe-best-match"]);
    // Without this every start in a read-only sandbox would compile all of torch.
    command.args(["--compile-bytecode", "--color", "never", "--python"]);
    command
        .arg(installed::python(directory))
        .arg("--requirement")
        .arg(lock);
    // Nor does a project count that somebody happens to stand in.
    command.current_dir(directory);
    command
}

fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for name in REMOVED_VARIABLES {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};
    use std::fs;
    use std::process::Stdio;

    use super::*;
    use crate::installed::tests::{settings, write_program};
    use crate::interpreter;

    const DIRECTORY: &str = "/data/runtime/x";
    const LOCK: &str = "/data/runtime/x/runtime.lock.txt";

    fn words(command: &Command) -> Vec<&str> {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_str().unwrap()).collect()
    }

    #[test]
    fn what_is_fetched_is_exactly_the_locked_wheels() {
        let (directory, lock) = (Path::new(DIRECTORY), Path::new(LOCK));
        for command in [fetch_uv(directory, lock), packages(directory, lock)] {
            let words = words(&command);
            assert_eq!(words[0], "/data/runtime/x/installer/bin/python");
            for demanded in STRICT.iter().chain(&[LOCK]) {
                assert!(words.contains(demanded), "{demanded} in {words:?}");
            }
            let ours = words.iter().filter(|word| **word != UV);
            assert!(!ours.clone().any(|word| word.contains("index-url")));
            assert!(!ours.clone().any(|word| word.contains("://")), "{words:?}");
        }
    }

    #[test]
    fn no_variable_can_send_the_packages_elsewhere() {
        let command = packages(Path::new(DIRECTORY), Path::new(LOCK));
        let variables: Vec<_> = command.get_envs().collect();
        for name in ["PIP_TARGET", "PYTHONPATH", "VIRTUAL_ENV", "UV_NO_VERIFY_HASHES"] {
            assert!(variables.contains(&(OsStr::new(name), None)), "{name}");
        }
        let is_index = |name: &OsStr| name.to_string_lossy().contains("INDEX");
        assert!(!variables.iter().any(|(name, _)| is_index(name)));
    }

    fn output(command: &mut Command) -> String {
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn uv_is_told_what_pip_is_told_unless_it_is_told_something_itself() {
        let data = tempfile::tempdir().unwrap();
        let python = interpreter::find(&settings(data.path())).unwrap().path;
        let directory = data.path().join("runtime");
        output(&mut pip(&python, &directory));
        // In the place of uv: what it would be started with.
        write_program(
            &tools(&directory).join("bin/uv"),
            "#!/bin/sh\nenv; echo \"args: $*\"\n",
        );
        let config = data.path().join("pip.conf");
        let links = data.path().join("wheels");
        fs::create_dir(&links).unwrap();
        let text = format!(
            "[global]\nindex-url = http://127.0.0.1:9/global\nextra-index-url =\n  http://127.0.0.1:9/a\n  http://127.0.0.1:9/b\n\
             find-links = /nonexistent {links}\ncert = /global.pem\n[install]\nindex-url = http://127.0.0.1:9/install\n\
             [download]\nindex-url = http://127.0.0.1:9/download\n",
            links = links.display()
        );
        fs::write(&config, text).unwrap();
        let mut told = packages(&directory, Path::new("/lock"));
        let others = |(name, _): &(OsString, _)| {
            let name = name.to_string_lossy();
            !name.starts_with("PIP_") && !name.starts_with("UV_")
        };
        told.env_clear().envs(std::env::vars_os().filter(others));
        told.env("PIP_CONFIG_FILE", &config)
            .env("SSL_CERT_FILE", "/own.pem");
        let said = output(&mut told);
        for line in [
            "UV_DEFAULT_INDEX=http://127.0.0.1:9/install",
            "UV_INDEX=http://127.0.0.1:9/a http://127.0.0.1:9/b",
            &format!("UV_FIND_LINKS={}", links.display()),
            "SSL_CERT_FILE=/own.pem",
        ] {
            assert!(said.lines().any(|said| said == line), "{line} in {said}");
        }
        assert!(!said.contains("--no-index"), "{said}");
        told.env("PIP_INDEX_URL", "http://127.0.0.1:9/variable")
            .env("PIP_NO_INDEX", "1");
        let said = output(&mut told);
        assert!(
            said.contains("UV_DEFAULT_INDEX=http://127.0.0.1:9/variable\n"),
            "{said}"
        );
        assert!(said.ends_with(" --no-index\n"), "{said}");
    }
}
