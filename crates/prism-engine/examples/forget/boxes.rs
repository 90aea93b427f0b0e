//! Sandboxes like a learner's, with this program in them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use prism_sandbox::{Bind, Capabilities, Ending, Helper, Limits, Sandbox, Spec, preflight, system_binds};

/// Where the bench's own files lie inside.
pub(crate) const FILES: &str = "/prism/files";
const PROGRAM_DIR: &str = "/prism/bench";

pub(crate) struct Boxes {
    helper: Helper,
    capabilities: Capabilities,
    program: PathBuf,
    files: PathBuf,
}

impl Boxes {
    pub(crate) fn new(files: &Path) -> Self {
        let helper = Helper::default();
        let capabilities = preflight(&helper).unwrap();
        forget_is_possible(&capabilities);
        Self {
            helper,
            capabilities,
            program: std::env::current_exe().unwrap().canonicalize().unwrap(),
            files: files.to_owned(),
        }
    }

    pub(crate) fn start(&self, args: &[&str]) -> Sandbox {
        let name = self.program.file_name().unwrap().to_str().unwrap();
        let argv = std::iter::once(format!("{PROGRAM_DIR}/{name}"))
            .chain(args.iter().map(|&arg| arg.to_owned()))
            .map(Into::into)
            .collect();
        let limits = Limits {
            memory_bytes: 6 << 30,
            processes: 64,
            file_bytes: 1 << 30,
            open_files: 1024,
            cpu_seconds: 3600,
            wall: Duration::from_hours(1),
            output_bytes: 1 << 20,
        };
        let mut spec = Spec::new("bench", argv, limits);
        spec.binds = system_binds();
        spec.binds.push(Bind {
            source: self.program.parent().unwrap().into(),
            target: PROGRAM_DIR.into(),
        });
        spec.binds.push(Bind {
            source: self.files.clone(),
            target: FILES.into(),
        });
        Sandbox::spawn(&self.helper, &self.capabilities, spec).unwrap()
    }

    /// Runs this program inside with these arguments; what it printed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        finish(&self.start(args), args)
    }
}

/// Waits for the end; what it printed.
pub(crate) fn finish(sandbox: &Sandbox, args: &[&str]) -> String {
    let ending = sandbox.wait(None);
    let logs = sandbox.logs();
    let (out, err) = (
        String::from_utf8_lossy(&logs.stdout),
        String::from_utf8_lossy(&logs.stderr),
    );
    assert_eq!(ending, Some(Ending::Exited(0)), "{args:?}: {err}");
    out.into_owned()
}

fn forget_is_possible(capabilities: &Capabilities) {
    if let Err(why) = prism_engine::forget::possible(capabilities.mode) {
        panic!("{why}");
    }
}
