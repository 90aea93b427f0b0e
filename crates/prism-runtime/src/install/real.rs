//! The test that fetches uv and installs with it. It needs a package index, as the tests of the binary do, which install the
//! runtime.

use std::fs;
use std::process::{Command, Stdio};

use super::job::Job;
use super::{command, installed, interpreter, plan, take_turn};
use crate::error::RuntimeError;
use crate::installed::tests::settings;
use crate::locate::tests::TORCH;
use crate::settings::Settings;

/// Makes a directory with a wheel that has little more of torch than its name, and prints its hash.
const WHEEL: &str = r#"
import hashlib, sys, zipfile
path, version = sys.argv[1] + "/torch-" + sys.argv[2] + "-py3-none-any.whl", sys.argv[2]
code = f"""
__version__ = "{version}+cpu"
class Ones(float):
    def __add__(self, other): return Ones(float(self) + 2 * other)
    def sum(self): return self
def ones(n): return Ones(n)
"""
info = f"torch-{version}.dist-info/"
with zipfile.ZipFile(path, "w") as wheel:
    wheel.writestr("torch/__init__.py", code)
    wheel.writestr(info + "METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", f"torch/__init__.py,,\n{info}METADATA,,\n{info}WHEEL,,\n{info}RECORD,,\n")
print(hashlib.sha256(open(path, "rb").read()).hexdigest())
"#;

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn uv_installs_what_is_locked_and_nothing_else() {
    let (data, wheels) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = settings(data.path());
    let python = interpreter::find(&settings).unwrap().path;
    let mut wheel = Command::new(&python);
    let wheel = wheel.args(["-I", "-c", WHEEL]).arg(wheels.path()).arg(TORCH);
    let hash = output(wheel).trim().to_owned();
    let lock = |hash: &str| {
        format!(
            "--find-links {}\ntorch=={TORCH} \\\n    --hash=sha256:{hash}\n",
            wheels.path().display()
        )
    };
    let wrong = replace(&settings, &lock(&"ab".repeat(32))).unwrap_err();
    assert_eq!(wrong.code(), "runtime_step_failed", "{wrong}");
    assert!(wrong.to_string().contains("torch"), "{wrong}");
    let directory = plan(&settings).unwrap().directory;
    assert!(!directory.exists());

    replace(&settings, &lock(&hash)).unwrap();
    assert!(crate::is_installed(&settings));
    let python = installed::python(&directory);
    let list = "import importlib.metadata as m; print(*[d.name for d in m.distributions()])";
    assert_eq!(output(Command::new(python).args(["-I", "-c", list])), "torch\n");
    assert!(!command::tools(&directory).exists());
    assert!(settings.cache_dir.join("uv").exists(), "kept for the next time");
}

fn replace(settings: &Settings, lock: &str) -> Result<(), RuntimeError> {
    let parent = installed::parent(settings);
    fs::create_dir_all(&parent).unwrap();
    let job = Job {
        settings,
        plan: &plan(settings)?,
        lock,
        turn: &take_turn(&parent, &|| false, &mut |_| {})?,
        stop: &|| false,
    };
    job.replace(&mut |_| {})
}
