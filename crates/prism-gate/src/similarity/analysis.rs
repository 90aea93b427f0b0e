//! Files to k-grams: parse, resolve, cut into pieces, normalise, winnow. The one road by which code becomes hashes.
//!
//! Called for bundles by [`super::fingerprints`] and for the building blocks by [`super::standard`], on a large stack.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, Stmt};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextSize};

use super::fingerprints::Place;
use super::resolve::Bundled;
use super::token::Token;
use super::winnow::Gram;
use super::{SimilarityError, helpers, statement, units};
use crate::check::parse;
use crate::rules::source_size;
use crate::source::Source;

/// Most tokens of normalised code that are compared; honest bundles have a few thousand.
pub(super) const TOKENS_MAX: usize = 200_000;

/// Most tokens of helpers that are written where they are called; what is called after that is a plain call.
const INLINED_TOKENS_MAX: usize = 50_000;

/// Most blocks in one another: Python reads no more levels of indentation. Each level reads its content once more.
const BLOCKS_MAX: usize = 100;

const TOO_DEEP: &str = "the code goes too deep; split it";

/// Which pieces of code count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pieces {
    /// Those that something mentions.
    Reached,
    /// All, as in a collection of building blocks.
    All,
}

/// The hashes of the k-grams of all files, picked by `pick` from each piece's tokens, and where they stand.
pub(super) fn grams(
    sources: &[Source<'_>],
    pieces: Pieces,
    pick: fn(&[Token]) -> Vec<Gram>,
) -> Result<Vec<(u64, Place)>, SimilarityError> {
    if source_size::is_beyond_reading(sources) {
        return Err(SimilarityError::TooLarge);
    }
    let trees: Vec<Parsed<ModModule>> = sources.iter().map(tree).collect::<Result<_, _>>()?;
    let bodies: Vec<&[Stmt]> = trees.iter().map(|tree| &tree.syntax().body[..]).collect();
    let bundled = Bundled::new(sources, &bodies);
    let units = units::of(&bodies, pieces);
    let helpers = helpers::of(&units, &bundled);
    let mut found = Vec::new();
    let mut tokens_left = TOKENS_MAX;
    let mut inlined_tokens_left = INLINED_TOKENS_MAX;
    for unit in &units {
        let tokens = statement::tokens(unit, &bundled, &helpers, &mut inlined_tokens_left);
        tokens_left = tokens_left
            .checked_sub(tokens.len())
            .ok_or(SimilarityError::TooLarge)?;
        let grams = pick(&tokens).into_iter();
        found.extend(grams.map(|(hash, first_line, last_line)| {
            let place = Place {
                // A bundle has far fewer files (`prism_bundle::limits::FILES_MAX`).
                file: u16::try_from(unit.file).unwrap_or(u16::MAX),
                first_line,
                last_line,
                // So many have a number of their own; what comes after them is taken for one.
                part: u16::try_from(unit.part).unwrap_or(u16::MAX),
            };
            (hash, place)
        }));
    }
    Ok(found)
}

fn tree(source: &Source<'_>) -> Result<Parsed<ModModule>, SimilarityError> {
    let unreadable = |at: TextSize, problem| SimilarityError::Unreadable {
        file: source.path.clone(),
        line: source.line(at),
        problem,
    };
    let parsed = parse(source).map_err(|range| unreadable(range.start(), TOO_DEEP))?;
    if let Some(error) = parsed.errors().first() {
        return Err(unreadable(error.location.start(), "syntax error; mend it"));
    }
    let mut blocks = 0_usize;
    for token in parsed.tokens() {
        match token.kind() {
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            _ => {}
        }
        if blocks > BLOCKS_MAX {
            return Err(unreadable(token.start(), TOO_DEEP));
        }
    }
    Ok(parsed)
}
