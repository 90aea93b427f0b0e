//! The GPT-2 tokenizer: 50,257 tokens, the merges of a published crate, a splitter and a cache in front of it.
//!
//! [`super::Tokenizer`] is the caller. Most pieces of a text are one token and are looked up; the others are merged
//! by the crate, once. The result is that of the crate for every text, which property tests check. Threads encode at
//! the same time, each with a cache of its own while it is in a document.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use tiktoken_rs::CoreBPE;

use super::split::Splitter;
use super::table::TokenTable;
use super::{Encoded, TokenizerError};

pub(super) const END_OF_TEXT: u32 = 50_256;
pub(super) const VOCAB_SIZE: u32 = 50_257;

/// Most pieces that the cache holds; when it is full it starts anew.
const CACHE_PIECES_MAX: usize = 1 << 17;

/// Most caches that are kept while nobody uses them: after a pass on all cores, one thread is left.
const IDLE_CACHES_MAX: usize = 4;

/// Longest piece that is cached: it is packed into one number with its length.
const CACHED_BYTES_MAX: usize = 15;

pub(super) struct Gpt2 {
    merges: CoreBPE,
    splitter: Splitter,
    pub(super) table: TokenTable,
    /// The tokens that are short enough to be packed, and those that are not.
    short: FxHashMap<u128, u32>,
    long: FxHashMap<Box<[u8]>, u32>,
    /// Caches that no thread is using.
    idle: Mutex<Vec<Cache>>,
}

/// The tokens of pieces met before.
#[derive(Default)]
struct Cache {
    places: FxHashMap<u128, (u32, u32)>,
    ids: Vec<u32>,
}

impl Gpt2 {
    pub(super) fn load() -> Result<Self, TokenizerError> {
        let merges = tiktoken_rs::r50k_base().map_err(|e| TokenizerError::Builtin(e.to_string()))?;
        let tokens = (0..END_OF_TEXT).map(|id| merges.decode_bytes(&[id]));
        let tokens: Vec<Vec<u8>> = tokens
            .collect::<Result<_, _>>()
            .map_err(|e| TokenizerError::Builtin(e.to_string()))?;
        let (mut short, mut long) = (FxHashMap::default(), FxHashMap::default());
        for (id, token) in (0..).zip(&tokens) {
            match pack(token) {
                Some(packed) => short.insert(packed, id),
                None => long.insert(token.clone().into_boxed_slice(), id),
            };
        }
        // The end of text stands for no bytes.
        let table = TokenTable::new(tokens.iter().map(Vec::as_slice).chain([[].as_slice()]));
        let splitter =
            Splitter::new().ok_or_else(|| TokenizerError::Builtin("no Unicode classes".to_owned()))?;
        Ok(Self {
            merges,
            splitter,
            table,
            short,
            long,
            idle: Mutex::default(),
        })
    }

    /// Appends the tokens of the document.
    pub(super) fn encode(&self, document: &str, out: &mut Encoded) {
        let mut cache = self.idle().pop().unwrap_or_default();
        let mut rest = document;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(self.splitter.first_piece(rest));
            self.encode_piece(piece, &mut cache, out);
            rest = after;
        }
        let mut idle = self.idle();
        if idle.len() < IDLE_CACHES_MAX {
            idle.push(cache);
        }
    }

    /// Held for a moment only: to take a cache and to give it back.
    fn idle(&self) -> MutexGuard<'_, Vec<Cache>> {
        // What is in a cache is right at any moment, so a panic elsewhere cannot have spoilt it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn encode_piece(&self, piece: &str, cache: &mut Cache, out: &mut Encoded) {
        let Some(packed) = pack(piece.as_bytes()) else {
            match self.long.get(piece.as_bytes()) {
                Some(id) => out.ids.push(*id),
                // The crate splits a piece into itself again: whatever made it one piece is in it.
                None => out.ids.extend(self.merges.encode_ordinary(piece)),
            }
            return;
        };
        if let Some(id) = self.short.get(&packed) {
            out.ids.push(*id);
        } else if let Some((start, end)) = cache.places.get(&packed) {
            out.ids
                .extend_from_slice(&cache.ids[*start as usize..*end as usize]);
        } else {
            let ids = self.merges.encode_ordinary(piece);
            out.ids.extend_from_slice(&ids);
            cache.insert(packed, &ids);
        }
    }
}

impl Cache {
    fn insert(&mut self, packed: u128, ids: &[u32]) {
        if self.places.len() >= CACHE_PIECES_MAX {
            self.places.clear();
            self.ids.clear();
        }
        // At most 15 tokens for each of the pieces: far below the limit of the type.
        let start = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.ids.extend_from_slice(ids);
        let end = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.places.insert(packed, (start, end));
    }
}

/// Up to 15 bytes and their number as one number.
fn pack(bytes: &[u8]) -> Option<u128> {
    let length = u8::try_from(bytes.len())
        .ok()
        .filter(|length| usize::from(*length) <= CACHED_BYTES_MAX)?;
    let mut packed = [0; 16];
    packed[..bytes.len()].copy_from_slice(bytes);
    packed[CACHED_BYTES_MAX] = length;
    Some(u128::from_le_bytes(packed))
}

impl fmt::Debug for Gpt2 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gpt2").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::super::{Tokenizer, TokenizerSpec};
    use super::*;

    static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::load(&TokenizerSpec::Gpt2).unwrap());

    fn check(texts: &[&str]) {
        let tokenizer = &*TOKENIZER;
        let slow = tiktoken_rs::r50k_base_singleton();
        let mut out = Encoded::default();
        for text in texts {
            tokenizer.encode(text, &mut out).unwrap();
            assert_eq!(out.ids, slow.encode_ordinary(text), "{text:?}");
            let lengths: usize = out.byte_lengths.iter().map(|length| usize::from(*length)).sum();
            assert_eq!((lengths, out.byte_lengths.len()), (text.len(), out.ids.len()));
        }
    }

    #[test]
    fn known_texts_have_their_known_tokens() {
        let tokenizer = Tokenizer::load(&TokenizerSpec::Gpt2).unwrap();
        assert_eq!(
            (tokenizer.vocab_size(), tokenizer.end_of_text()),
            (50_257, 50_256)
        );
        let mut out = Encoded::default();
        tokenizer.encode("Hello world, it's 2024!\n", &mut out).unwrap();
        assert_eq!(out.ids, [15496, 995, 11, 340, 338, 48609, 0, 198]);
        // Text that spells the end of text is ordinary text.
        tokenizer.encode("<|endoftext|>", &mut out).unwrap();
        assert_eq!(out.ids, [27, 91, 437, 1659, 5239, 91, 29]);
        tokenizer.encode("", &mut out).unwrap();
        assert_eq!(out, Encoded::default());
    }

    #[test]
    fn long_and_repeated_pieces_agree_with_the_crate() {
        let mut texts: Vec<String> = [
            "a",
            " ",
            "\n",
            "'",
            "aB1 ",
            "\u{4e00}",
            "\u{1f600}",
            "the",
            "\u{0}",
            "-=",
        ]
        .map(|unit| unit.repeat(16_000 / unit.len()))
        .into();
        texts.push(texts.concat());
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        check(&texts);
        check(&[&texts[..], &texts[..]].concat());
    }

    #[test]
    fn a_full_cache_starts_anew() {
        let mut cache = Cache::default();
        for piece in 0..=CACHE_PIECES_MAX {
            cache.insert(piece as u128, &[1, 2]);
        }
        assert_eq!((cache.places.len(), cache.ids.len()), (1, 2));
    }

    #[test]
    fn threads_share_no_cache_and_agree() {
        let gpt2 = Gpt2::load().unwrap();
        let texts: Vec<String> = (0..64u32)
            .map(|i| format!("unguessableword{} an{i}other zxqj{} ", i * 7919, i % 5).repeat(20))
            .collect();
        let encode_all = || -> Vec<Vec<u32>> {
            let encode = |text: &String| {
                let mut out = Encoded::default();
                gpt2.encode(text, &mut out);
                out.ids
            };
            texts.iter().map(encode).collect()
        };
        let serial = encode_all();
        assert_eq!(gpt2.idle().len(), 1, "one thread needs one cache");
        let threads = 2 * IDLE_CACHES_MAX;
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(encode_all)).collect();
            for worker in workers {
                assert_eq!(worker.join().unwrap(), serial);
            }
        });
        assert!((1..=IDLE_CACHES_MAX).contains(&gpt2.idle().len()));
        // A thread in the middle of a document has taken its cache away and keeps nobody else from encoding.
        let taken: Vec<_> = gpt2.idle().drain(..).collect();
        assert!(taken.iter().any(|cache| !cache.places.is_empty()));
        assert_eq!(encode_all(), serial);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_text_agrees_with_the_crate(texts in prop::collection::vec(any::<String>(), 40)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            check(&texts);
        }

        #[test]
        fn text_of_corners_agrees_with_the_crate(
            texts in prop::collection::vec("([a-z]{1,3}|'[sdmtlvre]{1,3}| |\n|\r|\t|[0-9]|[!-/]|\u{a0}|\u{2003}|\u{85}|\u{e9}|\u{301}|\u{4e00}|\u{bd}|\u{1f600}|\u{2019}|_){0,30}", 40)
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            check(&texts);
        }
    }
}
