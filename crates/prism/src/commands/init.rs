//! `prism init`: a bundle that already runs, with a typed stub of `ctx` for the editor.
//!
//! Writes into a new or empty directory only. The stub lies in a directory whose name starts with a dot, which a
//! bundle leaves out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandResult;
use crate::failure::{Exit, Failure};
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
