//! Two learners at once: what one tells the other while both run, in bits a second. This is what the lock of the machine
//! is for.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    bit_of,
    boxes::{Boxes, finish},
    carried, fresh_seed,
    roads::{is_remembered, name, touch},
};

const BLOCK: usize = 1024;
const RUN: Duration = Duration::from_secs(3);
/// Two sandboxes must stand by then, on a busy machine too.
const START: Duration = Duration::from_secs(15);
const SLOT: Duration = Duration::from_millis(4);
const SLOTS: usize = 750;
const BUFFER_BYTES: usize = 64 << 20;

/// One half of a pair. Inside.
pub(crate) fn inside(half: &str, road: &str, seed: u64, start_millis: u64) {
    let start = UNIX_EPOCH + Duration::from_millis(start_millis);
    match (road, half) {
        ("names", "send") => send_names(seed, start),
        ("names", _) => receive_names(seed, start),
        (_, "send") => send_traffic(seed, start),
        _ => receive_traffic(start),
    }
}

fn wait_until(time: SystemTime) {
    let wait = time.duration_since(SystemTime::now());
    thread::sleep(wait.expect("it started late: the machine is too busy"));
}

fn end_of_block(seed: u64, block: usize) -> String {
    name(seed, 1_000_000_000 + block)
}

fn send_names(seed: u64, start: SystemTime) {
    wait_until(start);
    let until = Instant::now() + RUN;
    for block in 0.. {
        if Instant::now() >= until {
            return;
        }
        for index in (block * BLOCK..(block + 1) * BLOCK).filter(|&index| bit_of(seed, index)) {
            touch(&name(seed, index));
        }
        touch(&end_of_block(seed, block));
    }
}

fn receive_names(seed: u64, start: SystemTime) {
    wait_until(start);
    let until = Instant::now() + RUN;
    let (mut bits, mut wrong) = (0, 0);
    for block in 0.. {
        while !is_remembered(&end_of_block(seed, block)) {
            if Instant::now() >= until {
                println!("{bits} {wrong}");
                return;
            }
            thread::yield_now();
        }
        for index in block * BLOCK..(block + 1) * BLOCK {
            bits += 1;
            wrong += usize::from(is_remembered(&name(seed, index)) != bit_of(seed, index));
        }
    }
}

fn send_traffic(seed: u64, start: SystemTime) {
    let (from, mut to) = (vec![1_u8; BUFFER_BYTES], vec![2_u8; BUFFER_BYTES]);
    wait_until(start);
    for slot in 0..SLOTS {
        let end = start + SLOT * u32::try_from(slot + 1).unwrap();
        if bit_of(seed, slot) {
            for (from, to) in from.chunks(1 << 16).zip(to.chunks_mut(1 << 16)).cycle_until(end) {
                to.copy_from_slice(from);
            }
        } else {
            thread::sleep(end.duration_since(SystemTime::now()).unwrap_or_default());
        }
    }
}

fn receive_traffic(start: SystemTime) {
    let (from, mut to) = (vec![1_u8; BUFFER_BYTES], vec![2_u8; BUFFER_BYTES]);
    wait_until(start);
    // The middle time of a copy, and not how many there were: of that others of the machine decide.
    let mut times = Vec::new();
    for slot in 0..SLOTS {
        let end = start + SLOT * u32::try_from(slot + 1).unwrap();
        let mut copies = Vec::new();
        for (from, to) in from.chunks(1 << 16).zip(to.chunks_mut(1 << 16)).cycle_until(end) {
            let started = Instant::now();
            to.copy_from_slice(from);
            copies.push(started.elapsed());
        }
        copies.sort_unstable();
        times.push(copies.get(copies.len() / 2).copied().unwrap_or_default());
    }
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let bits = times
        .iter()
        .map(|&time| if time > sorted[SLOTS / 2] { '1' } else { '0' });
    println!("{}", bits.collect::<String>());
}

/// Goes on with an iterator until a time; it must be long enough to reach it.
trait CycleUntil: Iterator + Sized {
    fn cycle_until(self, end: SystemTime) -> impl Iterator<Item = Self::Item> {
        self.take_while(move |_| SystemTime::now() < end)
    }
}

impl<I: Iterator> CycleUntil for I {}

pub(crate) fn measure(boxes: &Boxes) {
    let seed = fresh_seed();
    println!();
    println!("| road side by side | bits tried | wrong | bits a second |");
    println!("|---|---|---|---|");
    let said = pair(boxes, "names", seed);
    let (bits, wrong) = said.trim().split_once(' ').unwrap();
    let (bits, wrong) = (bits.parse().unwrap(), wrong.parse().unwrap());
    println!(
        "| names | {bits} | {wrong} | {:.0} |",
        carried(wrong, bits) / RUN.as_secs_f64()
    );
    let said = pair(boxes, "traffic", seed);
    let heard = said.trim().chars().enumerate();
    let wrong = heard
        .filter(|&(slot, bit)| (bit == '1') != bit_of(seed, slot))
        .count();
    let seconds = (SLOT * u32::try_from(SLOTS).unwrap()).as_secs_f64();
    println!(
        "| memory traffic | {SLOTS} | {wrong} | {:.0} |",
        carried(wrong, SLOTS) / seconds
    );
}

fn pair(boxes: &Boxes, road: &str, seed: u64) -> String {
    let start = SystemTime::now() + START;
    let start = start.duration_since(UNIX_EPOCH).unwrap().as_millis().to_string();
    let seed = seed.to_string();
    let (send, receive) = (
        ["beside", "send", road, &seed, &start],
        ["beside", "receive", road, &seed, &start],
    );
    let (sender, receiver) = (boxes.start(&send), boxes.start(&receive));
    let said = finish(&receiver, &receive);
    finish(&sender, &send);
    said
}
