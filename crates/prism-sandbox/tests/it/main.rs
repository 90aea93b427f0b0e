//! The sandbox against real processes: every attack, every ending, freezing, and what is left behind.
//!
//! Run by `cargo test`. As root everything runs twice: in root mode, and again as an ordinary user in a process that has dropped to one. Each test is
//! written for both. It must never change a setting of the host: attacks only open what they could write.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on has failed.

mod attacks;
mod channels;
mod endings;
mod freezing;
mod host;
mod kit;
mod lifecycle;
mod refusals;
mod sealing;

/// Runs this whole program again as an ordinary user who exists nowhere else. Meaningful only for root: for everybody else the first run was it.
#[test]
fn everything_again_as_an_ordinary_user() {
    if !kit::is_root() {
        return;
    }
    let directory = kit::shared_directory();
    let copy = |path: &std::path::Path| {
        let target = directory.join(path.file_name().unwrap());
        std::fs::copy(path, &target).unwrap();
        target
    };
    // The build directory may lie where nobody else can read.
    let program = copy(&std::env::current_exe().unwrap());
    let helper = copy(std::path::Path::new(env!("CARGO_BIN_EXE_prism-confine")));
    let mut command = std::process::Command::new(program);
    command
        .args([
            "--skip",
            "everything_again_as_an_ordinary_user",
            "--test-threads",
            "2",
        ])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env(kit::HELPER_VARIABLE, helper)
        .current_dir("/");
    kit::as_ordinary_user(&mut command);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
