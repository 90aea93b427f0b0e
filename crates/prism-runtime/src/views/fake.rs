//! A made-up interpreter for the tests of the views: a real program of this machine and some files.

use std::fs;
use std::path::PathBuf;

use super::{LOCK_FILE, Views, ViewsEvent, views_by};
use crate::error::RuntimeError;
use crate::installed::tests::settings;
use crate::locate::{Origin, Runtime};
use crate::settings::Settings;

/// A data directory and an interpreter beside it.
pub(super) struct Fake {
    pub(super) temp: tempfile::TempDir,
}

impl Fake {
    pub(super) fn new() -> Self {
        let fake = Self {
            temp: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(fake.prefix().join("bin")).unwrap();
        // It is never started: it only has to be a program with libraries.
        fs::copy("/bin/sh", fake.prefix().join("bin/python")).unwrap();
        for (path, content) in [
            ("pyvenv.cfg", "home = /x"),
            ("include/python.h", "int x;"),
            ("lib/site/torch/__init__.py", "x = 1"),
            ("lib/site/torch/lib/libtorch.so", "no library"),
            ("lib/site/torch/include/torch.h", "int x;"),
            ("lib/site/torch-2.15.0.dist-info/METADATA", "Version: 2.15.0"),
        ] {
            fake.write(path, content);
        }
        fake
    }

    pub(super) fn prefix(&self) -> PathBuf {
        self.temp.path().canonicalize().unwrap().join("python")
    }

    pub(super) fn write(&self, path: &str, content: &str) {
        let path = self.prefix().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn runtime(&self) -> Runtime {
        Runtime {
            python: self.prefix().join("bin/python"),
            read_only_dirs: vec![self.prefix()],
            search: vec![self.prefix().join("lib/site")],
            headers: Vec::new(),
            prefixes: vec![self.prefix()],
            python_version: "3.11.7".to_owned(),
            torch_version: "2.15.0".to_owned(),
            numpy_version: None,
            einops_version: None,
            origin: Origin::External,
        }
    }

    pub(super) fn parent(&self) -> PathBuf {
        self.temp.path().join("data/views")
    }

    pub(super) fn settings(&self) -> Settings {
        settings(&self.temp.path().join("data"))
    }

    pub(super) fn views(&self) -> Result<Views, RuntimeError> {
        self.views_with(&|| false, &mut |_| {})
    }

    /// With an interpreter that compiles nothing: this one cannot.
    pub(super) fn views_with(
        &self,
        stop: &dyn Fn() -> bool,
        on_event: &mut dyn FnMut(ViewsEvent),
    ) -> Result<Views, RuntimeError> {
        views_by(&self.settings(), &self.runtime(), &|_, _| Ok(()), stop, on_event)
    }

    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.parent()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != LOCK_FILE).collect();
        names.sort();
        names
    }
}
