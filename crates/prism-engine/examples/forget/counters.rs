//! Numbers that the kernel counts for the whole machine and that a learner can read: how far they move by themselves
//! between two runs, and how far a learner can move them in a second.

use std::{
    collections::BTreeMap,
    fs, io,
    os::fd::AsFd,
    os::unix::fs::MetadataExt as _,
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketType, socket, sockopt::socket_cookie};

use crate::boxes::Boxes;

/// What a learner moves by itself.
const MOVABLE: [&str; 2] = ["cookie-of-a-socket", "inode-of-a-pipe"];
/// The longest run of the official recipe.
const RUN_SECONDS: f64 = 12.0 * 3600.0;

/// Prints them, one a line. Inside.
pub(crate) fn count() {
    let (reader, _writer) = io::pipe().unwrap();
    let pipe = rustix::fs::fstat(reader.as_fd()).unwrap().st_ino;
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    let usr = rustix::fs::statvfs("/usr").unwrap();
    println!("inode-of-a-pipe {pipe}");
    println!("cookie-of-a-socket {}", socket_cookie(&socket).unwrap_or(0));
    println!("free-blocks-of-usr {}", usr.f_bfree);
    println!("free-inodes-of-usr {}", usr.f_ffree);
    println!("device-of-tmp {}", fs::metadata("/tmp").unwrap().dev());
    println!("user {}", rustix::process::getuid().as_raw());
    let started = Instant::now();
    std::hint::black_box(vec![1_u8; 512 << 20]);
    println!("microseconds-to-touch-512-MB {}", started.elapsed().as_micros());
    let started = Instant::now();
    let mut sum = 0_u64;
    for step in 0..200_000_000_u64 {
        sum = sum.wrapping_mul(31).wrapping_add(step);
    }
    std::hint::black_box(sum);
    println!("microseconds-of-a-loop {}", started.elapsed().as_micros());
}

/// Moves what can be moved, for a second. Inside.
pub(crate) fn raise() {
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        drop(io::pipe().unwrap());
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        let _ = socket_cookie(&socket);
    }
    // Memory that the machine may never have used before.
    std::hint::black_box(vec![1_u8; 4 << 30]);
}

/// Keeps two processors busy. Inside.
pub(crate) fn burn(seconds: u64) {
    let until = Instant::now() + Duration::from_secs(seconds);
    let spin = move || while Instant::now() < until {};
    let other = std::thread::spawn(spin);
    spin();
    other.join().unwrap();
}

fn read(boxes: &Boxes) -> BTreeMap<String, i64> {
    boxes
        .run(&["count"])
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

pub(crate) fn measure(boxes: &Boxes) {
    let idle: Vec<_> = (0..6)
        .map(|_| {
            boxes.run(&["idle"]);
            read(boxes)
        })
        .collect();
    boxes.run(&["raise"]);
    let raised = read(boxes);
    boxes.run(&["burn", "20"]);
    let burnt = read(boxes);
    println!();
    println!(
        "| counter | between two idle runs | after a second of moving it | after 20 s of burning | bits of a run of 12 h |"
    );
    println!("|---|---|---|---|---|");
    for name in raised.keys() {
        let steps: Vec<i64> = idle
            .windows(2)
            .map(|pair| pair[1][name] - pair[0][name])
            .collect();
        let (least, most) = (steps.iter().min().unwrap(), steps.iter().max().unwrap());
        let noise = (most - least).max(1) as f64;
        let moved = raised[name] - idle[idle.len() - 1][name];
        // What a learner can move goes on like this for a whole run; of the others only what was seen is known, and
        // other programs of the machine may have done it.
        let reach = moved.abs() as f64
            * if MOVABLE.contains(&name.as_str()) {
                RUN_SECONDS
            } else {
                1.0
            };
        let bits = if moved.abs() as f64 > 2.0 * noise {
            (reach / noise).log2()
        } else {
            0.0
        };
        println!(
            "| {name} | {least} to {most} | {moved} | {} | {bits:.0} |",
            burnt[name] - raised[name]
        );
    }
}
