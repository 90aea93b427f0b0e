//! The invented words and the facts that hold in one synthetic corpus, all drawn from its seed.
//!
//! The grammar builds its choices from them. No word may be the start of another, nor of a word that the grammar
//! itself uses, so that any choice among words can be read back.

use super::random::Random;

/// Subjects that documents are about; each has words that it likes.
pub(super) const TOPICS: [&str; 8] = [
    "Harvest", "Travel", "Weather", "Markets", "Building", "Music", "Rivers", "Gardens",
];

const COLOURS: [&str; 8] = [
    "red", "blue", "green", "white", "black", "golden", "grey", "purple",
];

/// Words of the grammar that stand where an invented word could stand too.
const RESERVED: [&str; 24] = [
    "the", "a", "an", "and", "near", "because", "in", "of", "some", "every", "many", "now", "then", "note",
    "people", "friends", "he", "she", "has", "is", "finds", "gives", "takes", "as",
];

const ONSETS: [&str; 24] = [
    "b", "br", "c", "cl", "d", "dr", "f", "fl", "g", "gr", "h", "k", "l", "m", "n", "p", "pl", "r", "sh",
    "st", "t", "tr", "v", "w",
];
const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ea", "oo", "ai"];
const CODAS: [&str; 14] = [
    "b", "ck", "d", "g", "l", "ld", "m", "n", "nd", "nt", "p", "r", "rt", "t",
];

const NOUNS: usize = 320;
const VERBS: usize = 120;
const ADJECTIVES: usize = 100;
const ADVERBS: usize = 30;
const TOWNS: usize = 48;
const PEOPLE: usize = 64;

/// What is known of a town.
pub(super) struct Town {
    pub(super) name: String,
    pub(super) river: String,
    pub(super) ruler: usize,
    pub(super) colour: &'static str,
    pub(super) founded: usize,
    pub(super) trade: usize,
}

/// What is known of a person.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) is_woman: bool,
    pub(super) home: usize,
    pub(super) craft: usize,
}

/// Words by their rank, the frequent and short ones first, and the tables of facts.
pub(super) struct World {
    pub(super) nouns: Vec<String>,
    pub(super) verbs: Vec<String>,
    pub(super) adjectives: Vec<String>,
    pub(super) adverbs: Vec<String>,
    pub(super) towns: Vec<Town>,
    pub(super) people: Vec<Person>,
}

/// First and last year that a town may be founded in.
pub(super) const FOUNDED: std::ops::Range<usize> = 1100..1900;

impl World {
    pub(super) fn new(random: &mut Random) -> Self {
        let mut words = Words {
            known: RESERVED.iter().map(|word| (*word).to_owned()).collect(),
        };
        let nouns = words.class(random, NOUNS, "");
        let verbs = words.class(random, VERBS, "");
        let adjectives = words.class(random, ADJECTIVES, "y");
        let adverbs = words.class(random, ADVERBS, "ly");
        let town_names = words.names(random, TOWNS);
        let rivers = words.names(random, TOWNS);
        let person_names = words.names(random, PEOPLE);
        let towns = town_names
            .into_iter()
            .zip(rivers)
            .map(|(name, river)| Town {
                name,
                river,
                ruler: random.index(PEOPLE),
                colour: COLOURS[random.index(COLOURS.len())],
                founded: FOUNDED.start + random.index(FOUNDED.len()),
                trade: random.index(NOUNS),
            })
            .collect();
        let people = person_names
            .into_iter()
            .map(|name| Person {
                name,
                is_woman: random.index(2) == 0,
                home: random.index(TOWNS),
                craft: random.index(NOUNS),
            })
            .collect();
        Self {
            nouns,
            verbs,
            adjectives,
            adverbs,
            towns,
            people,
        }
    }
}

/// Makes words that differ from all earlier ones in the strong sense: neither is the start of the other.
struct Words {
    known: Vec<String>,
}

impl Words {
    fn class(&mut self, random: &mut Random, count: usize, ending: &str) -> Vec<String> {
        let mut class = Vec::with_capacity(count);
        while class.len() < count {
            let mut word = String::new();
            for _ in 0..=random.index(3) {
                word.push_str(ONSETS[random.index(ONSETS.len())]);
                word.push_str(VOWELS[random.index(VOWELS.len())]);
            }
            word.push_str(CODAS[random.index(CODAS.len())]);
            word.push_str(ending);
            let clashes = |known: &String| known.starts_with(&word) || word.starts_with(known.as_str());
            if !self.known.iter().any(clashes) {
                self.known.push(word.clone());
                class.push(word);
            }
        }
        // Frequent words are short, as in natural languages. The sort is stable, so ties keep their order.
        class.sort_by_key(String::len);
        class
    }

    fn names(&mut self, random: &mut Random, count: usize) -> Vec<String> {
        let words = self.class(random, count, "");
        words
            .iter()
            .map(|word| word[..1].to_uppercase() + &word[1..])
            .collect()
    }
}
