//! One order for statements that may stand in several.
//!
//! A statement comes after those whose names it needs; among those that may come next, the one with the smallest key
//! does. Two orders of one program have the same dependencies and the same keys, so they come out the same.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::effects::{Effects, Path};
use super::token::{self, Token};

/// A statement with what it does to names.
pub(super) struct Piece<'a> {
    pub(super) tokens: Vec<Token>,
    pub(super) effects: Effects<'a>,
    /// Whether it ends the block.
    pub(super) is_last: bool,
}

/// The tokens of all pieces, in the canonical order.
pub(super) fn canonical(pieces: &[Piece<'_>]) -> Vec<Token> {
    let (followers, mut waits_for) = dependencies(pieces);
    let due = |at: usize| Reverse((pieces[at].is_last, token::sort_key(&pieces[at].tokens), at));
    let mut ready: BinaryHeap<Reverse<_>> = (0..pieces.len())
        .filter(|&at| waits_for[at] == 0)
        .map(due)
        .collect();
    let mut tokens = Vec::new();
    while let Some(Reverse((_, _, at))) = ready.pop() {
        token::append(&mut tokens, &pieces[at].tokens);
        for &follower in &followers[at] {
            waits_for[follower] -= 1;
            if waits_for[follower] == 0 {
                ready.push(due(follower));
            }
        }
    }
    tokens
}

/// For each piece those that must come after it, and how many must come before it.
fn dependencies(pieces: &[Piece<'_>]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); pieces.len()];
    let mut waits_for = vec![0; pieces.len()];
    let mut written: FxHashMap<Path<'_>, usize> = FxHashMap::default();
    let mut read: FxHashMap<Path<'_>, Vec<usize>> = FxHashMap::default();
    for (at, piece) in pieces.iter().enumerate() {
        let mut before: Vec<usize> = Vec::new();
        for path in &piece.effects.reads {
            before.extend(written.get(path));
        }
        for path in &piece.effects.writes {
            before.extend(written.get(path));
            before.extend(read.get(path).into_iter().flatten());
        }
        before.sort_unstable();
        before.dedup();
        for &earlier in before.iter().filter(|&&earlier| earlier != at) {
            followers[earlier].push(at);
            waits_for[at] += 1;
        }
        for path in &piece.effects.reads {
            read.entry(*path).or_default().push(at);
        }
        for path in &piece.effects.writes {
            written.insert(*path, at);
            read.remove(path);
        }
    }
    (followers, waits_for)
}
