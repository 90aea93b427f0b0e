//! What is compared of two documents: the set of their runs of five words.
//!
//! A word is a run of letters and digits, in lower case; of scripts that write without spaces each character is one. So
//! case, punctuation, markup of signs and white space make no difference. The hash functions are part of the corpus
//! format: the same text must give the same set for ever, so they are written out here.

/// Words of a shingle.
pub(super) const SHINGLE_WORDS: usize = 5;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
/// Odd, so that each word of a shingle counts whole.
const ROLL: u64 = 0x9e37_79b9_7f4a_7c15;

/// From here on scripts are written without spaces between words.
const FIRST_WITHOUT_SPACES: char = '\u{2e80}';

/// Calls back with the hash of each shingle, in the order of the text. A text with fewer words is one shingle, a text
/// without any has none.
pub(super) fn for_each(text: &str, mut visit: impl FnMut(u64)) {
    let mut roll = Roll::default();
    let mut word = FNV_OFFSET;
    let mut has_word = false;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii() {
            at += 1;
            if byte.is_ascii_alphanumeric() {
                word = fnv(word, byte.to_ascii_lowercase());
                has_word = true;
            } else if has_word {
                roll.push(word, &mut visit);
                (word, has_word) = (FNV_OFFSET, false);
            }
            continue;
        }
        // Where the byte is not ASCII a character starts: the ones before were whole.
        let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) else {
            break;
        };
        at += character.len_utf8();
        let is_letter = character.is_alphanumeric();
        let stands_alone = character >= FIRST_WITHOUT_SPACES;
        if has_word && (!is_letter || stands_alone) {
            roll.push(word, &mut visit);
            (word, has_word) = (FNV_OFFSET, false);
        }
        if is_letter {
            for lower in character.to_lowercase() {
                let mut buffer = [0; 4];
                for byte in lower.encode_utf8(&mut buffer).bytes() {
                    word = fnv(word, byte);
                }
            }
            has_word = true;
            if stands_alone {
                roll.push(word, &mut visit);
                (word, has_word) = (FNV_OFFSET, false);
            }
        }
    }
    if has_word {
        roll.push(word, &mut visit);
    }
    roll.finish(&mut visit);
}

/// The shingles of a text, each once, in ascending order.
pub(super) fn set(text: &str) -> Vec<u64> {
    let mut hashes = Vec::new();
    for_each(text, |hash| hashes.push(hash));
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Shingles that two sets share, over all that either has, in thousandths, rounded down.
pub(super) fn jaccard_permille(one: &[u64], other: &[u64]) -> u32 {
    let (mut i, mut j, mut shared) = (0, 0, 0u64);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                shared += 1;
                i += 1;
                j += 1;
            }
        }
    }
    let all = (one.len() + other.len()) as u64 - shared;
    let permille = (shared * 1000).checked_div(all).unwrap_or(0);
    u32::try_from(permille).unwrap_or(1000)
}

fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
}

/// The finaliser of `MurmurHash3`: every bit of the input moves every bit of the output.
pub(super) fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The last words, as one polynomial in [`ROLL`].
#[derive(Default)]
struct Roll {
    words: [u64; SHINGLE_WORDS],
    next: usize,
    count: usize,
    sum: u64,
}

/// What the oldest word of a full shingle is multiplied with.
const OLDEST: u64 = {
    let (mut power, mut i) = (1u64, 0);
    while i < SHINGLE_WORDS {
        power = power.wrapping_mul(ROLL);
        i += 1;
    }
    power
};

impl Roll {
    fn push(&mut self, word: u64, visit: &mut impl FnMut(u64)) {
        let word = mix(word);
        let oldest = std::mem::replace(&mut self.words[self.next], word);
        self.next = (self.next + 1) % SHINGLE_WORDS;
        self.count = (self.count + 1).min(SHINGLE_WORDS + 1);
        // As long as there is no oldest word it is zero.
        self.sum = self
            .sum
            .wrapping_mul(ROLL)
            .wrapping_add(word)
            .wrapping_sub(oldest.wrapping_mul(OLDEST));
        if self.count >= SHINGLE_WORDS {
            visit(mix(self.sum));
        }
    }

    fn finish(&self, visit: &mut impl FnMut(u64)) {
        if (1..SHINGLE_WORDS).contains(&self.count) {
            visit(mix(self.sum));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_signs_and_white_space_make_no_difference() {
        let one = set("The quick brown fox jumps over the lazy dog");
        assert_eq!(one.len(), 5);
        for same in [
            "the QUICK, brown fox; jumps over the *lazy* dog!",
            "  The\nquick\tbrown fox \u{2014} jumps over\r\nthe lazy dog...",
            "\u{ab}The quick\u{bb} brown fox jumps over the lazy dog",
        ] {
            assert_eq!(set(same), one, "{same}");
        }
        assert_ne!(set("The quick brown fox jumps over the lazy dogs"), one);
        assert_ne!(set("quick The brown fox jumps over the lazy dog"), one);
        assert_eq!(set("\u{c9}tude \u{df}"), set("\u{e9}tude \u{df}"));
        assert_ne!(
            set("one two three four five")[0],
            set("two one three four five")[0]
        );
    }

    #[test]
    fn short_texts_and_texts_without_words() {
        assert_eq!(set(""), Vec::<u64>::new());
        assert_eq!(set("... \u{2014} !"), Vec::<u64>::new());
        assert_eq!(set("one").len(), 1);
        assert_eq!(set("one two three four").len(), 1);
        assert_ne!(set("one two"), set("two one"));
        // Each of these characters is a word.
        assert_eq!(set("\u{6f22}\u{5b57}\u{6f22}\u{5b57}\u{6f22}\u{5b57}").len(), 2);
    }

    #[test]
    fn the_hashes_are_those_of_every_version() {
        // Computed by another program from the definitions.
        assert_eq!(set("one two three"), [4_900_268_484_869_551_102]);
        assert_eq!(
            set("The quick brown fox jumps over"),
            [7_058_866_846_973_086_292, 16_557_124_905_821_604_976]
        );
    }

    #[test]
    fn similarity_is_shared_over_all() {
        assert_eq!(jaccard_permille(&[1, 2, 3], &[1, 2, 3]), 1000);
        assert_eq!(jaccard_permille(&[1, 2, 3], &[2, 3, 4]), 500);
        assert_eq!(jaccard_permille(&[1, 2, 3], &[4]), 0);
        assert_eq!(jaccard_permille(&[], &[]), 0);
        assert_eq!(jaccard_permille(&[1, 2], &[2]), 500);
        assert_eq!(jaccard_permille(&[1, 2, 3], &[1, 2]), 666);
    }
}
