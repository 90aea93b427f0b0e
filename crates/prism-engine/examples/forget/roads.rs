//! Roads from one run to the next: how a bit is written, and how it is read.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddrV4},
    os::{fd::AsFd, unix::fs::FileExt as _},
    path::Path,
    time::Instant,
};

use rustix::{
    fs::{Access, Advice, AtFlags, CWD, Mode, OFlags, ResolveFlags, accessat, fadvise, openat2},
    net::{AddressFamily, SocketType, connect, getsockname, socket},
};

use crate::{bit_of, boxes::FILES};

/// One road.
pub(crate) struct Road {
    pub(crate) name: &'static str,
    pub(crate) bits: usize,
    /// Outside, before the sender starts.
    pub(crate) prepare: fn(&Path),
    pub(crate) send: fn(u64),
    pub(crate) receive: fn(u64) -> Vec<bool>,
}

pub(crate) const ROADS: [Road; 5] = [
    Road {
        name: "names, asked with RESOLVE_CACHED",
        bits: NAMES,
        prepare: nothing,
        send: look_up,
        receive: ask_names,
    },
    Road {
        name: "names, timed",
        bits: NAMES,
        prepare: nothing,
        send: look_up,
        receive: time_names,
    },
    Road {
        name: "pages of a file in memory",
        bits: PAGES,
        prepare: put_pages_out,
        send: read_pages,
        receive: time_pages,
    },
    Road {
        name: "ports of loopback connections",
        bits: PORTS,
        prepare: nothing,
        send: push_ports,
        receive: look_at_ports,
    },
    Road {
        name: "last-level cache",
        bits: LINES,
        prepare: read_all_in,
        send: keep_warm,
        receive: time_warmth,
    },
];

pub(crate) fn by_name(name: &str) -> &'static Road {
    ROADS.iter().find(|road| road.name == name).unwrap()
}

fn nothing(_: &Path) {}

const NAMES: usize = 20_000;
/// On every machine, on a disk, and read-only inside.
pub(crate) const DIRECTORY: &str = "/usr/bin";

pub(crate) fn name(seed: u64, index: usize) -> String {
    format!("{DIRECTORY}/bench-{seed}-{index}")
}

pub(crate) fn touch(name: &str) {
    let _ = accessat(CWD, name, Access::EXISTS, AtFlags::empty());
}

/// Whether the kernel remembers a name, from its own answer. Leaves nothing behind.
pub(crate) fn is_remembered(name: &str) -> bool {
    let answer = openat2(CWD, name, OFlags::PATH, Mode::empty(), ResolveFlags::CACHED);
    answer.map(drop) == Err(rustix::io::Errno::NOENT)
}

fn look_up(seed: u64) {
    for index in (0..NAMES).filter(|&index| bit_of(seed, index)) {
        touch(&name(seed, index));
        touch(&name(seed, index));
    }
}

fn ask_names(seed: u64) -> Vec<bool> {
    (0..NAMES)
        .map(|index| is_remembered(&name(seed, index)))
        .collect()
}

fn time_names(seed: u64) -> Vec<bool> {
    let time = |name: &str| {
        let started = Instant::now();
        touch(name);
        started.elapsed()
    };
    let own: Vec<String> = (0..2000).map(|index| name(seed + 777_777, index)).collect();
    let mut cold: Vec<_> = own.iter().map(|name| time(name)).collect();
    let mut warm: Vec<_> = own.iter().map(|name| time(name)).collect();
    cold.sort();
    warm.sort();
    let threshold = (cold[cold.len() / 2] + warm[warm.len() / 2]) / 2;
    (0..NAMES)
        .map(|index| time(&name(seed, index)) < threshold)
        .collect()
}

const PAGES: usize = 2000;
/// So far apart that the kernel reads none by itself.
const PAGE_STRIDE: u64 = 64 << 10;
const PAGES_FILE: &str = "pages";

fn put_pages_out(files: &Path) {
    let path = files.join(PAGES_FILE);
    if !path.exists() {
        fs::write(&path, vec![1; PAGES * usize::try_from(PAGE_STRIDE).unwrap()]).unwrap();
    }
    let file = File::open(&path).unwrap();
    rustix::fs::fsync(&file).unwrap();
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
}

fn pages() -> File {
    let file = File::open(format!("{FILES}/{PAGES_FILE}")).unwrap();
    fadvise(&file, 0, None, Advice::Random).unwrap();
    file
}

fn read_page(file: &File, index: usize) -> std::time::Duration {
    let started = Instant::now();
    file.read_exact_at(&mut [0; 64], index as u64 * PAGE_STRIDE)
        .unwrap();
    started.elapsed()
}

fn read_pages(seed: u64) {
    let file = pages();
    for index in (0..PAGES).filter(|&index| bit_of(seed, index)) {
        read_page(&file, index);
    }
}

fn time_pages(_: u64) -> Vec<bool> {
    let file = pages();
    let first: Vec<_> = (0..PAGES).map(|index| read_page(&file, index)).collect();
    // Now all of them are there.
    let mut again: Vec<_> = (0..PAGES).map(|index| read_page(&file, index)).collect();
    again.sort();
    let threshold = again[PAGES / 2] * 8;
    first.iter().map(|&time| time < threshold).collect()
}

/// The kernel has 65,536 entries for the whole machine.
const PORTS: usize = 64;
const FIRST_PORT: u16 = 2000;
/// What the kernel gives out where nobody has changed it, and the halves that stand for 0 and 1.
const LOW: u16 = 32_768;
const MIDDLE: u16 = 46_884;
const HIGH: u16 = 60_999;
/// Whoever reads moves it on by a few.
const MARGIN: u16 = 500;

/// The port that a connection to a closed one comes from. The kernel remembers it for the whole machine, by address and
/// port of the other end, and the next one is a little above it.
fn own_port(index: usize) -> u16 {
    let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, FIRST_PORT + u16::try_from(index).unwrap());
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let _ = connect(socket.as_fd(), &to);
    let from = std::net::SocketAddr::try_from(getsockname(&socket).unwrap()).unwrap();
    from.port()
}

fn push_ports(seed: u64) {
    for index in 0..PORTS {
        let wanted = if bit_of(seed, index) {
            MIDDLE + MARGIN..HIGH - MARGIN
        } else {
            LOW + MARGIN..MIDDLE - MARGIN
        };
        while !wanted.contains(&own_port(index)) {}
    }
}

fn look_at_ports(_: u64) -> Vec<bool> {
    (0..PORTS).map(|index| own_port(index) >= MIDDLE).collect()
}

const LINES: usize = 512;
const LINE_BYTES: usize = 4096;
const LINES_FILE: &str = "lines";

fn read_all_in(files: &Path) {
    let path = files.join(LINES_FILE);
    fs::write(&path, vec![1; LINES * LINE_BYTES]).unwrap();
    io::copy(&mut File::open(&path).unwrap(), &mut io::sink()).unwrap();
}

fn read_line(file: &File, index: usize) -> std::time::Duration {
    let mut buffer = [0; LINE_BYTES];
    let started = Instant::now();
    file.read_exact_at(&mut buffer, (index * LINE_BYTES) as u64)
        .unwrap();
    started.elapsed()
}

fn keep_warm(seed: u64) {
    let file = File::open(format!("{FILES}/{LINES_FILE}")).unwrap();
    for _ in 0..2000 {
        for index in (0..LINES).filter(|&index| bit_of(seed, index)) {
            read_line(&file, index);
        }
    }
}

fn time_warmth(_: u64) -> Vec<bool> {
    let file = File::open(format!("{FILES}/{LINES_FILE}")).unwrap();
    // The code itself, on lines that carry nothing: the first is read again and again.
    for _ in 0..1000 {
        read_line(&file, 0);
    }
    let times: Vec<_> = (0..LINES).map(|index| read_line(&file, index)).collect();
    let mut sorted = times.clone();
    sorted.sort();
    times.iter().map(|&time| time < sorted[LINES / 2]).collect()
}
