//! Files to k-grams: parse, resolve, cut into pieces, normalise, winnow. The one road by which code becomes hashes.
//!
//! Called for bundles by [`super::fingerprints`] and for the building blocks by [`super::standard`], on a large stack.

use ruff_python_ast::Stmt;
use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;
use rustc_hash::FxHashMap;

use super::expression::{Place, Writer};
use super::helpers::Helpers;
use super::resolve::Bundled;
use super::token::Token;
use super::winnow::Gram;
use super::{SimilarityError, statement, units};
use crate::check::parse;
use crate::rules::source_size;
use crate::source::Source;

/// Most tokens of normalised code that are compared; honest bundles have a few thousand.
pub const TOKENS_MAX: usize = 200_000;

/// Most tokens of helpers that are written where they are called; what is called after that is a plain call.
const INLINED_TOKENS_MAX: usize = 50_000;

/// Most blocks in one another: Python reads no more levels of indentation. Each level reads its content once more.
const BLOCKS_MAX: usize = 100;

/// Which pieces of code count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pieces {
    /// Those that something mentions.
    Reached,
    /// All, as in a collection of building blocks.
    All,
}

/// A k-gram with where it stands.
pub(super) struct Found {
    pub(super) file: usize,
    /// The number of the class or function, over all files.
    pub(super) part: u32,
    pub(super) gram: Gram,
}

/// The k-grams of all files, picked by `pick` from each piece's tokens.
pub(super) fn grams(
    sources: &[Source<'_>],
    pieces: Pieces,
    pick: fn(&[Token]) -> Vec<Gram>,
) -> Result<Vec<Found>, SimilarityError> {
    if source_size::is_beyond_reading(sources) {
        return Err(SimilarityError::TooLarge);
    }
    let mut trees = Vec::with_capacity(sources.len());
    for source in sources {
        let parsed = parse(source).map_err(|range| SimilarityError::TooDeep {
            file: source.path.clone(),
            line: source.line(range.start()),
        })?;
        if let Some(error) = parsed.errors().first() {
            return Err(SimilarityError::Syntax {
                file: source.path.clone(),
                line: source.line(error.location.start()),
            });
        }
        let mut blocks = 0_usize;
        for token in parsed.tokens() {
            match token.kind() {
                TokenKind::Indent => blocks += 1,
                TokenKind::Dedent => blocks = blocks.saturating_sub(1),
                _ => {}
            }
            if blocks > BLOCKS_MAX {
                return Err(SimilarityError::TooDeep {
                    file: source.path.clone(),
                    line: source.line(token.start()),
                });
            }
        }
        trees.push(parsed);
    }
    let bodies: Vec<&[Stmt]> = trees.iter().map(|tree| &tree.syntax().body[..]).collect();
    let bundled = Bundled::new(sources, &bodies);
    let mut found = Vec::new();
    let mut tokens_left = TOKENS_MAX;
    let units = units::of(&bodies, pieces);
    let helpers = Helpers::of(&units, sources, &bundled);
    let mut inlined_tokens_left = INLINED_TOKENS_MAX;
    for unit in &units {
        let mut writer = Writer {
            place: Place {
                source: &sources[unit.file],
                names: &bundled.files[unit.file],
                own: unit.own,
                sets_up: unit.sets_up,
                aliases: FxHashMap::default(),
                replaced: FxHashMap::default(),
                line: None,
            },
            bundled: &bundled,
            helpers: &helpers,
            depth: 0,
            inlined: 0,
            inlined_tokens_left,
        };
        let tokens = statement::tokens(&mut writer, unit);
        inlined_tokens_left = writer.inlined_tokens_left;
        tokens_left = tokens_left
            .checked_sub(tokens.len())
            .ok_or(SimilarityError::TooLarge)?;
        found.extend(pick(&tokens).into_iter().map(|gram| Found {
            file: unit.file,
            part: unit.part,
            gram,
        }));
    }
    Ok(found)
}
