//! `prism`: the one binary. Parses what was typed, calls one library function, prints what it says.
//!
//! Reading order: [`cli`] (what can be typed), [`commands`] (a file each), [`failure`] and [`output`] (how errors and
//! results leave the process). Data goes to stdout, everything else to stderr. Nothing here measures or decides
//! anything about a submission.

use std::process::ExitCode;

mod cli;
mod commands;
mod failure;
mod limits;
mod output;
mod pace;
mod parse;
mod plot;
mod progress;
mod recipes;
mod show;
mod signals;
mod timer;

fn main() -> ExitCode {
    // The sandbox starts this very program as its init; such a process never comes back from here.
    prism_sandbox::run_init_if_asked();
    signals::outlive_file_limit();
    let arguments: Vec<_> = std::env::args_os().collect();
    match parse::parse(&arguments) {
        Ok(cli) => commands::run(cli),
        Err(code) => code,
    }
}
