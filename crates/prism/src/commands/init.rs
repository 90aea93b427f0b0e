//! `prism init`: a bundle that already runs, with a typed stub of `ctx` for the editor.
//!
//! Writes into a new or empty directory only. The stub lies in a directory whose name starts with a dot, which a
//! bundle leaves out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandResult;
use crate::failure::Failure;
use crate::output::Output;
use crate::show;

/// Arguments of `prism init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// A new or empty directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// What the model is called [default: the name of the directory]
    #[arg(long)]
    name: Option<String>,
}

/// Where the stub goes, relative to the bundle.
const TYPINGS: &str = ".prism/typings";
/// What pyright and pylance read.
const PYRIGHT_CONFIG: &str =
    "{\n  \"stubPath\": \".prism/typings\",\n  \"reportMissingModuleSource\": \"none\"\n}\n";
/// The name that the embedded scaffold gives itself.
const SCAFFOLD_NAME: &str = "my-model";
/// As `prism.yaml` allows, and short enough for a table.
const NAME_CHARS_MAX: usize = 64;

pub(crate) fn run(args: &InitArgs, output: Output) -> CommandResult {
    let dir = &args.dir;
    let name = name(args)?;
    let scaffold = prism_runtime::examples().directory("scaffold").ok_or_else(|| {
        Failure::machine("internal", &"this binary carries no scaffold").hint("build it again")
    })?;
    let stub = stub()?;
    must_be_empty(dir)?;

    let mut files: Vec<(PathBuf, Vec<u8>)> = scaffold
        .files()
        .map(|(path, content)| (PathBuf::from(path), named(content, &name)))
        .collect();
    files.push((Path::new(TYPINGS).join("prism_runtime/__init__.pyi"), stub));
    files.push((PathBuf::from("pyrightconfig.json"), PYRIGHT_CONFIG.into()));
    files.sort();
    for (path, content) in &files {
        write(&dir.join(path), content)?;
    }

    let shown = dir.display().to_string();
    let paths: Vec<_> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    let value = serde_json::json!({ "dir": &shown, "name": name, "files": &paths });
    output.result(&value, || {
        let list = show::lines(paths.iter().map(|path| format!("  {path}")));
        format!(
            "{shown}: a bundle called `{name}`\n{list}\nNext:\n  \
             prism check {shown}\n  \
             prism data lock --from TEXT --out corpus     # or: prism data synth --bytes 1300000 --out corpus\n  \
             prism eval {shown} --data corpus\n  \
             python -m prism_runtime.local {shown} --text FILE   # in the open, for a debugger: docs/local.md\n"
        )
    })
}

fn name(args: &InitArgs) -> Result<String, Failure> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => std::path::absolute(&args.dir)
            .ok()
            .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .unwrap_or_else(|| SCAFFOLD_NAME.to_owned()),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(allowed) {
        let text = format!("`{}` cannot be the name of a model", show::line(&name));
        return Err(Failure::usage("model_name", &text).hint(format!(
            "use --name with at most {NAME_CHARS_MAX} letters, digits, `-`, `_` and `.`"
        )));
    }
    Ok(name)
}

/// A file of the scaffold with the model's own name in it.
fn named(content: &[u8], name: &str) -> Vec<u8> {
    match std::str::from_utf8(content) {
        Ok(text) => text.replace(SCAFFOLD_NAME, name).into_bytes(),
        Err(_) => content.to_vec(),
    }
}

/// The typed stub of `ctx`, as the runtime carries it.
fn stub() -> Result<Vec<u8>, Failure> {
    let settings =
        prism_runtime::Settings::from_env().map_err(|error| Failure::machine(error.code(), &error))?;
    let sources = prism_runtime::runtime_sources(&settings)
        .map_err(|error| Failure::machine("storage", &error.to_string()))?;
    let path = sources.dir.join("stubs/prism_runtime/__init__.pyi");
    fs::read(&path)
        .map_err(|error| Failure::machine("internal", &format!("cannot read {}: {error}", path.display())))
}

fn must_be_empty(dir: &Path) -> Result<(), Failure> {
    let hint = "name a new or empty directory";
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let text = format!("{} is not empty", dir.display());
            Err(Failure::usage("not_empty", &text).hint(hint))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            let text = format!("{} cannot be used: {error}", dir.display());
            Err(Failure::usage("not_a_directory", &text).hint(hint))
        }
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let fail =
        |error: io::Error| Failure::machine("storage", &format!("cannot write {}: {error}", path.display()));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(fail)?;
    }
    fs::File::create_new(path)
        .and_then(|mut file| io::Write::write_all(&mut file, content))
        .map_err(fail)
}
