//! `prism data` on a disk that is full: a clear error, and nothing that opens or looks like a file of the dataset.
//!
//! A disk of its own needs a mount, which anybody may make in a namespace of his own.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::context::Context;
use crate::hub;

/// Sizes of disks in KiB, from one that holds nothing to one that holds everything.
const DISKS_KIB: [u32; 9] = [4, 16, 64, 128, 256, 512, 1024, 2048, 8192];

/// What a script said on a disk of this size, which lies at `disk` in the directory of the test. `$PRISM` is the binary.
fn on_disk(context: &Context, kib: u32, script: &str, env: &[(&str, &str)]) -> (i32, String, String) {
    let plain = context.command(&["data"]);
    fs::create_dir_all(context.path("disk")).unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg(format!("mount -t tmpfs -o size={kib}k tmpfs disk\n{script}"))
        .current_dir(context.dir())
        .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .envs(env.iter().copied())
        .env("PRISM", plain.get_program())
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn lines() -> String {
    (0..900_u64).fold(String::new(), |mut lines, i| {
        let words = (0..40_u64).fold(String::new(), |mut words, word| {
            let _ = write!(words, "{} ", (i * 7919 + word * word * 104_729) % 9973);
            words
        });
        let _ = writeln!(lines, "{{\"text\":\"Document {i} says {words}\"}}");
        lines
    })
}

#[test]
fn a_full_disk_leaves_nothing_that_opens() {
    let context = Context::new();
    context.write("in/a.jsonl", lines());
    context.write("salt", "a salt that nobody knows\n");
    fs::set_permissions(context.path("salt"), fs::Permissions::from_mode(0o600)).unwrap();
    let lock = "data lock --from in --salt-file salt --train 50kB --val 10kB --test 10kB";
    let locked = context.run(&format!("{lock} --out corpus"));
    assert_eq!(locked.status.code(), Some(0), "{}", context.show(&locked));
    for words in [
        lock,
        "data twin corpus",
        "data reveal corpus",
        "data synth --bytes 200000",
    ] {
        let (mut full, mut fitted) = (0, 0);
        for kib in DISKS_KIB {
            let script = format!(
                "$PRISM {words} --out disk/out >&2; code=$?\n\
                 ls -A disk; [ $code = 0 ] && $PRISM data verify disk/out >&2 && echo opens; exit $code"
            );
            let (code, listed, told) = on_disk(&context, kib, &script, &[]);
            if code == 0 {
                assert_eq!(listed, "out\nopens\n", "{words} on {kib} KiB: {told}");
                fitted += 1;
            } else {
                assert_eq!((code, listed.as_str()), (3, ""), "{words} on {kib} KiB: {told}");
                assert!(told.contains("No space left on device"), "{words}: {told}");
                full += 1;
            }
        }
        assert!(full > 1 && fitted > 0, "{words}: {full} {fitted}");
    }
}

#[test]
fn a_fetch_goes_on_where_the_disk_was_full() {
    let context = Context::new();
    let endpoint = hub::start();
    let fetch = "$PRISM data fetch --dataset owner/set --bytes 1kB --out disk/raw >&2";
    let script = format!(
        "{fetch}; echo $?; find disk -name '*.parquet' -o -name fetched.json\n\
         mount -o remount,size=4m disk; {fetch}; echo $?; cat disk/raw/sample/10BT/000_00000.parquet >whole\n\
         find disk/raw -type f | sort"
    );
    let env = [("HF_ENDPOINT", endpoint.as_str()), ("HF_TOKEN", hub::TOKEN)];
    let (_, said, told) = on_disk(&context, 12, &script, &env);
    assert!(told.contains("No space left on device"), "{told}");
    let expected =
        "3\n0\ndisk/raw/.fetching.json\ndisk/raw/fetched.json\ndisk/raw/sample/10BT/000_00000.parquet\n";
    assert_eq!(said, expected, "{told}");
    assert_eq!(
        fs::read(context.path("whole")).unwrap(),
        hub::written_by_pyarrow()
    );
}
