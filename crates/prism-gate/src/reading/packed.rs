//! How much of a text looks like packed data: the measure behind `prism:opaque-blob`.
//!
//! Called by that rule alone. It counts bytes that no reader can read: letters that make no word, digits, mixtures of
//! letters, digits and cases, characters outside of the Latin script that follow one another as if drawn by lot. It
//! knows nothing of Python and never looks at what becomes of the text.

use rustc_hash::FxHashMap;

/// Pairs of letters that make up nineteen twentieths of English text and of names in code: the second letters of each first one.
const PAIRS: [&str; 26] = [
    "bcdgiklmnprstuvxy",
    "aeijloruy",
    "aehiklortu",
    "adeilorsu",
    "acdefglmnopqrstvwxy",
    "aefilorsu",
    "aehilnorsu",
    "aeior",
    "abcdefglmnoprstvxz",
    "eou",
    "eiw",
    "adefilostuy",
    "abeimopsu",
    "acdefgiklnopstuv",
    "abcdfiklmnoprstuvw",
    "aeiloprtuy",
    "u",
    "acdegikmnorstuy",
    "acehilopstuy",
    "acdefhiloprstuy",
    "bcefilmnprst",
    "aei",
    "aehior",
    "cpt",
    "pst",
    "eio",
];

/// Stands for a byte that is no text.
pub(crate) const NO_TEXT: char = '\0';
/// A run without blanks that is at least so long is judged as a whole.
const RUN_BYTES_MIN: usize = 8;
/// Fewer characters say nothing about how they follow one another.
const FOREIGN_CHARS_MIN: usize = 256;

/// How many bytes of a text in the Latin script are not made of words. Other scripts are left to [`is_drawn_by_lot`].
pub(crate) fn unreadable_bytes(text: &str) -> usize {
    text.split(char::is_whitespace).map(of_run).sum()
}

/// The characters of a text that [`unreadable_bytes`] does not judge, without repetitions of the one before.
pub(crate) fn foreign(text: &str, into: &mut String) {
    for word in text.split(|character: char| !character.is_alphanumeric() && character.is_ascii()) {
        let is_latin = is_mostly_latin(word);
        for character in word.chars().filter(|character| !character.is_ascii()) {
            let is_accent = is_latin && character.is_alphabetic();
            if !is_accent && !into.ends_with(character) {
                into.push(character);
            }
        }
    }
}

/// Whether characters follow one another as they never do in a language: each without regard to the one before.
///
/// In a language some pairs are far more frequent than their letters let expect, and pairs come again.
pub(crate) fn is_drawn_by_lot(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() < FOREIGN_CHARS_MIN {
        return false;
    }
    let mut singles: FxHashMap<char, u64> = FxHashMap::default();
    let mut pairs: FxHashMap<(char, char), u64> = FxHashMap::default();
    for &character in &characters {
        *singles.entry(character).or_default() += 1;
    }
    for pair in characters.windows(2) {
        *pairs.entry((pair[0], pair[1])).or_default() += 1;
    }
    let total: u64 = pairs.values().sum();
    let repeated: u64 = pairs.values().filter(|count| **count > 1).sum();
    let by_chance = coincidence(singles.values()).powi(2);
    repeated * 20 < total || coincidence(pairs.values()) < 1.4 * by_chance
}

/// How many bits a sequence of symbols says: what is left when each is guessed from how frequent it is, or from how
/// frequent it is after the one before.
pub(crate) fn bits(symbols: &[&str]) -> usize {
    let mut singles: FxHashMap<&str, u32> = FxHashMap::default();
    let mut pairs: FxHashMap<(&str, &str), u32> = FxHashMap::default();
    for &symbol in symbols {
        *singles.entry(symbol).or_default() += 1;
    }
    for pair in symbols.windows(2) {
        *pairs.entry((pair[0], pair[1])).or_default() += 1;
    }
    let total = symbols.len() as f64;
    let alone: f64 = singles
        .values()
        .map(|&count| f64::from(count) * (total / f64::from(count)).log2())
        .sum();
    let after: f64 = pairs
        .iter()
        .map(|(&(first, _), &count)| f64::from(count) * (f64::from(singles[first]) / f64::from(count)).log2())
        .sum();
    whole(alone.min(after))
}

/// A number of bits, rounded down.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and at most some bits for each byte of a file"
)]
fn whole(bits: f64) -> usize {
    bits.max(0.0) as usize
}

/// The chance that two of the things counted are the same.
fn coincidence<'c>(counts: impl Iterator<Item = &'c u64>) -> f64 {
    let (mut total, mut same) = (0_u64, 0_u64);
    for count in counts {
        total += count;
        same += count * (count - 1);
    }
    if total < 2 {
        0.0
    } else {
        same as f64 / (total * (total - 1)) as f64
    }
}

fn is_letter_of_latin(character: char) -> bool {
    character.is_ascii_alphabetic()
        || (matches!(character, '\u{c0}'..='\u{24f}') && character.is_alphabetic())
}

/// Whether more than half of a word are plain Latin letters: accents within such words are letters too.
fn is_mostly_latin(word: &str) -> bool {
    let plain = word.chars().filter(char::is_ascii_alphanumeric).count();
    plain * 2 > word.chars().count()
}

/// A run without blanks. Where two fifths of it make no sense, none of it does.
fn of_run(run: &str) -> usize {
    let is_text = |character: char| {
        character.is_ascii_alphanumeric() || character == NO_TEXT || is_letter_of_latin(character)
    };
    let mut unreadable = 0;
    let mut letters = 0;
    for word in run
        .split(|character| !is_text(character))
        .filter(|word| !word.is_empty())
    {
        if word.is_ascii() || is_mostly_latin(word) {
            letters += word.len();
            unreadable += of_word(word);
        }
    }
    let bytes = run.chars().filter(char::is_ascii).count();
    if bytes >= RUN_BYTES_MIN && unreadable * 5 >= letters * 2 && unreadable > 0 {
        bytes
    } else {
        unreadable
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    NoText,
}

fn class(character: char) -> Class {
    if character == NO_TEXT {
        Class::NoText
    } else if character.is_numeric() {
        Class::Digit
    } else if character.is_uppercase() {
        Class::Upper
    } else {
        Class::Lower
    }
}

/// Letters and digits without anything between them.
fn of_word(word: &str) -> usize {
    let pieces = pieces(word);
    let bytes = word.len();
    // `T5VKVlHbJI`: pieces that are too short to be anything. `conv2d` and `GeGLU` are not that bad.
    if pieces.len() > 2 && bytes * 2 <= pieces.len() * 5 {
        return bytes;
    }
    let has_a_name = pieces.len() == 2 && bytes <= 8;
    pieces
        .iter()
        .map(|piece| match piece.chars().next().map(class) {
            Some(Class::NoText) => piece.len(),
            Some(Class::Digit) if has_a_name => 0,
            Some(Class::Digit) => distinct_neighbours(piece),
            _ if is_a_word(piece) => 0,
            _ => piece.len(),
        })
        .sum()
}

/// `getHTTPResponse2` is `get`, `HTTPR`, `esponse`, `2`: the last capital belongs to either, which does not matter.
fn pieces(word: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<Class> = None;
    let mut capitals = 0;
    for (offset, character) in word.char_indices() {
        let now = class(character);
        let begins_a_word = before == Some(Class::Upper) && now == Class::Lower && capitals == 1;
        if before.is_some_and(|before| before != now) && !begins_a_word {
            pieces.push(&word[start..offset]);
            start = offset;
        }
        capitals = if now == Class::Upper { capitals + 1 } else { 0 };
        before = Some(now);
    }
    pieces.push(&word[start..]);
    pieces
}

/// Digits, each run of the same one counted once.
fn distinct_neighbours(digits: &str) -> usize {
    let bytes = digits.as_bytes();
    usize::from(!bytes.is_empty()) + bytes.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// Whether letters may be a word: more than half of their pairs are frequent ones.
fn is_a_word(letters: &str) -> bool {
    let letters: Vec<char> = letters
        .chars()
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if letters.len() < 4 {
        return true;
    }
    let frequent = letters
        .windows(2)
        .filter(|pair| is_frequent(pair[0], pair[1]))
        .count();
    frequent * 2 > letters.len() - 1
}

fn is_frequent(first: char, second: char) -> bool {
    if first == second || !first.is_ascii_lowercase() || !second.is_ascii_lowercase() {
        return true;
    }
    let row = (first as usize).wrapping_sub('a' as usize);
    PAIRS.get(row).is_some_and(|seconds| seconds.contains(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next number of a simple generator.
    fn next(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    fn random(alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let mut state = 7;
        (0..length)
            .map(|_| alphabet[usize::try_from(next(&mut state)).unwrap() % alphabet.len()])
            .collect()
    }

    #[test]
    fn encodings_are_unreadable() {
        let base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let base85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
        for alphabet in [
            base64,
            base85,
            "0123456789abcdef",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "abcdefghijklmnop",
        ] {
            for length in [12, 24, 60, 400] {
                let text: Vec<String> = random(alphabet, 9_600)
                    .as_bytes()
                    .chunks(length)
                    .map(|chunk| String::from_utf8(chunk.to_vec()).unwrap())
                    .collect();
                let unreadable = unreadable_bytes(&text.join(" "));
                assert!(
                    unreadable > 4_500,
                    "{alphabet} in pieces of {length}: {unreadable}"
                );
            }
        }
    }

    #[test]
    fn prose_and_names_are_readable() {
        let prose = "Rotary embeddings turn queries and keys by an angle that grows with the position, so that their product \
                     depends on the distance alone. The frequencies are geometric, from one to a ten-thousandth. See \
                     https://example.org/papers/rotary-embeddings for the derivation; scaled_dot_product_attention and \
                     LayerNorm are used as they come, in bf16 or fp16. Grüße aus Köln, à bientôt.";
        assert!(
            unreadable_bytes(prose) <= prose.len() / 32,
            "{}",
            unreadable_bytes(prose)
        );
        let words = "aardvark abandon ability zebra zodiac rhythm xylophone knight queue jazz";
        assert!(
            unreadable_bytes(words) <= words.len() / 6,
            "{}",
            unreadable_bytes(words)
        );
    }

    #[test]
    fn other_scripts_are_told_from_lots() {
        let cjk: String = (0x4e00..0x8e00).filter_map(char::from_u32).collect();
        assert!(is_drawn_by_lot(&random(&cjk, 4_000)));
        let cyrillic: String = (0x430..0x450).filter_map(char::from_u32).collect();
        assert!(is_drawn_by_lot(&random(&cyrillic, 4_000)));
        let braille: String = (0x2800..0x2900).filter_map(char::from_u32).collect();
        assert!(is_drawn_by_lot(&random(&braille, 4_000)));
        let russian = "Модель предсказывает следующий символ по всем предыдущим символам текста. Слои модели читают текст \
                       слева направо и хранят состояние, размер которого не зависит от длины текста. Обучение идёт по \
                       потоку, и каждый кусок текста модель видит один раз; поэтому важно, как быстро она учится, а не \
                       только, как хорошо она предсказывает в конце обучения.";
        let mut letters = String::new();
        foreign(russian, &mut letters);
        assert!(!is_drawn_by_lot(&letters));
        let chinese = "这个模型根据前面的所有字符预测下一个字符。模型的每一层从左到右读取文本,并且保存一个状态,状态的大小与文本的长度无关。\
                       训练沿着文本流进行,每一段文本模型只看到一次;因此重要的是模型学习得有多快,而不仅仅是训练结束时模型预测得有多好。\
                       注意力层只能看到当前位置以前的字符,不能看到以后的字符。位置编码使用旋转的方法,查询和键按照位置旋转一个角度,\
                       所以它们的乘积只与距离有关。优化器使用动量,学习率先线性增加,然后按照余弦曲线减少。模型的参数在训练开始时随机初始化。\
                       训练结束以后,模型在没有看到过的文本上进行评估,评估的结果是每个字节的平均比特数。";
        let mut characters = String::new();
        foreign(chinese, &mut characters);
        assert!(characters.chars().count() >= FOREIGN_CHARS_MIN);
        assert!(!is_drawn_by_lot(&characters));
    }

    #[test]
    fn repetition_is_no_data() {
        assert_eq!(unreadable_bytes(&"=".repeat(5_000)), 0);
        assert_eq!(unreadable_bytes(&"0".repeat(5_000)), 1);
        let mut bars = String::new();
        foreign(&"─".repeat(5_000), &mut bars);
        assert_eq!(bars, "─");
    }
}
