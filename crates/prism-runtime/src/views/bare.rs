//! Files without words about them: what people read in a file and programs do not.
//!
//! What a learner can read before its stream begins is text that it has not paid for, and the comments and documentation of
//! torch, numpy, the standard library and the headers of C are English by the megabyte. `make` asks [`Form::of`] about each
//! file and puts the result of [`Form::apply`] in its place. Programs mean the same with it, and every line of source stays
//! where it was. What remains is code: names, messages of errors, data.

mod c;
mod python;

use std::ffi::OsStr;
use std::path::{Component, Path};

/// Sources and headers of C, C++ and CUDA.
const C_ENDINGS: [&str; 13] = [
    "c", "cc", "cpp", "cu", "cuh", "cxx", "def", "h", "hh", "hpp", "inc", "inl", "tcc",
];

/// How a file gets into a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    AsIs,
    /// A Python module without comments and docstrings.
    Module,
    /// C without comments.
    C,
    /// The metadata of a package, without the text that is for people.
    Description,
}

impl Form {
    pub(super) fn of(path: &Path) -> Self {
        if path.file_name() == Some(OsStr::new("METADATA")) {
            return Self::Description;
        }
        match path.extension().and_then(OsStr::to_str) {
            Some("py") => Self::Module,
            Some(ending) if C_ENDINGS.contains(&ending) => Self::C,
            // The headers of the standard library of C++ have no ending.
            None if path
                .components()
                .any(|part| part == Component::Normal(OsStr::new("c++"))) =>
            {
                Self::C
            }
            _ => Self::AsIs,
        }
    }

    /// The file in this form. A module that is none, which nothing can import, stays as it is.
    pub(super) fn apply(self, content: Vec<u8>) -> Vec<u8> {
        match self {
            Self::AsIs => content,
            Self::Module => python::bare(&content).unwrap_or(content),
            Self::C => c::bare(&content),
            Self::Description => {
                let fields = content.windows(2).position(|two| two == b"\n\n");
                content[..fields.map_or(content.len(), |at| at + 1)].to_vec()
            }
        }
    }
}

/// Keeps the line breaks of a piece of text, each with the backslash that continues a line over it.
fn blank(piece: &[u8], kept: &mut Vec<u8>) {
    for (at, byte) in piece.iter().enumerate() {
        let is_continued = *byte == b'\\' && matches!(piece.get(at + 1), Some(b'\n' | b'\r'));
        if is_continued || matches!(byte, b'\n' | b'\r') {
            kept.push(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_form() {
        for (path, form) in [
            ("/x/torch/nn.py", Form::Module),
            ("/x/torch/include/a.cuh", Form::C),
            ("/usr/include/c++/12/vector", Form::C),
            ("/usr/include/vector", Form::AsIs),
            ("/x/torch-2.dist-info/METADATA", Form::Description),
            ("/x/libtorch.so", Form::AsIs),
        ] {
            assert_eq!(Form::of(Path::new(path)), form, "{path}");
        }
    }

    #[test]
    fn fields_of_a_description_stay() {
        let apply = |text: &str| Form::Description.apply(text.into());
        assert_eq!(
            apply("Name: x\nVersion: 1\n\nRead me.\n"),
            b"Name: x\nVersion: 1\n"
        );
        assert_eq!(apply("Name: x"), b"Name: x");
        assert_eq!(Form::Module.apply(b"def f(:".to_vec()), b"def f(:");
    }
}
