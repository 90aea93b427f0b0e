//! The grammar of the synthetic corpus: its choices and its sentence patterns.
//!
//! [`super::machine`] walks it. A pattern is a list of items: fixed text, words that the memory of the document
//! decides, and choices. Whatever a document says is written by one of the three, so its text determines its
//! choices. Adding a pattern means adding an option to a [`Choice`] and its items to [`super::machine`].

use prism_core::advice::{Advice, Hint};

use super::choice::{Candidate, Choice};
use super::random::{Random, WORLD_STREAM};
use super::world::{FOUNDED, TOPICS, World};

/// Version of the grammar: any change of a word, weight or pattern is a new one.
pub const GRAMMAR_VERSION: &str = "prism-synth.v1";

/// From this length on a document may end.
pub(super) const END_FROM_BYTES: usize = 1000;
/// From this length on a document ends with its sentence, and the sentence with its clause.
pub(super) const END_AT_BYTES: usize = 3600;

/// Groups of verbs; each prefers its own objects.
pub(super) const VERB_GROUPS: usize = 4;
/// Largest operand of a sum in words.
pub(super) const OPERAND_MAX: usize = 20;
/// Largest second operand of a product.
pub(super) const FACTOR_MAX: usize = 10;
/// Smallest number that a hero finds or gives at once: nouns after a number are plural.
pub(super) const CHANGE_MIN: usize = 2;
/// Largest such number.
pub(super) const CHANGE_MAX: usize = 20;
/// Above this number a hero finds nothing more.
pub(super) const COUNT_MAX: usize = 900;

const WEIGHT_UNIT: u64 = 1_000_000;

/// Grammatical number, as far as the words before have fixed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Singular,
    Plural,
    Either,
}

/// Values of the options of the choice of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sentence {
    The,
    Every,
    Many,
    In,
    Known,
    Recall,
    Then,
    Pronoun,
    Sum,
    Count,
}

/// An option of the choice after a clause; adverbs come after these.
pub(super) const TAIL_STOP: usize = 0;
pub(super) const TAIL_NEAR: usize = 1;
pub(super) const TAIL_BECAUSE: usize = 2;
pub(super) const TAIL_AND: usize = 3;
pub(super) const TAIL_ADVERB: usize = 4;

/// Options of the choice after a sentence.
pub(super) const BREAK_SENTENCE: usize = 0;
pub(super) const BREAK_PARAGRAPH: usize = 1;
pub(super) const BREAK_END: usize = 2;

/// What a fact about a town is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    River,
    Ruler,
    Flag,
    Founded,
    Trade,
}

/// Signs of arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
}

/// The text of the sentence openings, their weights and their values.
const OPENINGS: [(&str, u64, Sentence); 10] = [
    ("The ", 30, Sentence::The),
    ("Every ", 6, Sentence::Every),
    ("Many ", 6, Sentence::Many),
    ("In ", 8, Sentence::In),
    ("As all know, the ", 10, Sentence::Known),
    ("Friends recall that ", 6, Sentence::Recall),
    ("Then ", 9, Sentence::Then),
    ("He ", 11, Sentence::Pronoun),
    ("Note that ", 6, Sentence::Sum),
    ("Now ", 8, Sentence::Count),
];
const ATTRIBUTES: [(&str, u64, Attribute); 5] = [
    ("river of ", 5, Attribute::River),
    ("ruler of ", 4, Attribute::Ruler),
    ("flag of ", 3, Attribute::Flag),
    ("founding year of ", 2, Attribute::Founded),
    ("main trade of ", 3, Attribute::Trade),
];
const OPERATORS: [(&str, u64, Operator); 3] = [
    ("plus ", 3, Operator::Plus),
    ("minus ", 2, Operator::Minus),
    ("times ", 1, Operator::Times),
];

/// The grammar of one seed. It holds every choice that a document can meet, so a walk allocates nothing.
pub struct Grammar {
    pub(super) seed: u64,
    pub(super) world: World,
    pub(super) digits: Vec<String>,
    pub(super) words: Vec<String>,
    pub(super) plurals: Vec<String>,
    pub(super) topic: Choice,
    pub(super) hero: Vec<Choice>,
    pub(super) person: Choice,
    pub(super) thing_adjective: Choice,
    pub(super) thing_noun: Vec<Choice>,
    pub(super) counted: Vec<Choice>,
    pub(super) count_first: Choice,
    /// By whether the hero is a woman.
    pub(super) sentence: [Choice; 2],
    /// By topic, then number; each option is an adjective (values from the number of nouns on) or a noun.
    pub(super) subject: Vec<[Choice; 3]>,
    pub(super) subject_noun: Vec<[Choice; 3]>,
    /// By topic, then plural.
    pub(super) verb: Vec<[Choice; 2]>,
    /// By plural object.
    pub(super) object_article: Choice,
    /// By topic, verb group, then plural.
    pub(super) object: Vec<[Choice; 2]>,
    pub(super) object_noun: Vec<[Choice; 2]>,
    pub(super) tail: Choice,
    pub(super) tail_last: Choice,
    pub(super) town: Vec<Choice>,
    pub(super) attribute: Choice,
    pub(super) operand: Choice,
    pub(super) operator: Choice,
    /// By operator and first operand.
    pub(super) second: Vec<Choice>,
    pub(super) change: [Choice; 3],
    /// By the most that can be given.
    pub(super) amount: Vec<Choice>,
    pub(super) sentence_break: [Choice; 3],
}

/// The grammar of a seed has two words that cannot be told apart: a defect of the grammar, not of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the grammar of seed {seed} is ambiguous at `{choice}`")]
pub struct GrammarError {
    /// The seed.
    pub seed: u64,
    /// Which choice.
    pub choice: &'static str,
}

impl Advice for GrammarError {
    fn hint(&self) -> Option<Hint> {
        Some("take another seed and report this one".into())
    }
}

impl Grammar {
    /// The grammar of a seed.
    pub fn new(seed: u64) -> Result<Self, GrammarError> {
        Builder {
            seed,
            world: World::new(&mut Random::new(seed, WORLD_STREAM)),
        }
        .build()
    }
}

struct Builder {
    seed: u64,
    world: World,
}

impl Builder {
    fn build(self) -> Result<Grammar, GrammarError> {
        let topics = || 0..TOPICS.len();
        let world = &self.world;
        let digits: Vec<String> = (0..FOUNDED.end).map(|n| n.to_string()).collect();
        let words: Vec<String> = (0..=OPERAND_MAX * FACTOR_MAX).map(number_in_words).collect();
        let plurals: Vec<String> = world.nouns.iter().map(|noun| format!("{noun}s")).collect();
        let change_texts = [(" finds ", 3, 0), (" gives away ", 2, 1)];
        let change = |part: &[(&str, u64, usize)]| {
            self.choice(
                "change",
                part.iter().map(|(text, w, v)| Candidate::new(*text, *w, *v)),
            )
        };
        let operators = [Operator::Plus, Operator::Minus, Operator::Times];
        let seconds = operators
            .into_iter()
            .flat_map(|op| (0..=OPERAND_MAX).map(move |a| (op, a)));
        let subject = |topic, with_adjectives| -> Result<[Choice; 3], GrammarError> {
            let of = |number| self.nouns(Place::Subject, topic, None, number, with_adjectives);
            Ok([of(Number::Singular)?, of(Number::Plural)?, of(Number::Either)?])
        };
        let object = |index: usize, with_adjectives| -> Result<[Choice; 2], GrammarError> {
            let (topic, group) = (index / VERB_GROUPS, index % VERB_GROUPS);
            let of = |number| self.nouns(Place::Object, topic, Some(group), number, with_adjectives);
            Ok([of(Number::Singular)?, of(Number::Plural)?])
        };
        let objects = || 0..TOPICS.len() * VERB_GROUPS;
        Ok(Grammar {
            seed: self.seed,
            topic: self.choice(
                "topic",
                TOPICS
                    .iter()
                    .enumerate()
                    .map(|(i, t)| Candidate::new(*t, zipf(i), i)),
            )?,
            hero: topics()
                .map(|t| self.names("hero", t, Who::Person))
                .collect::<Result<_, _>>()?,
            person: self.names("person", TOPICS.len(), Who::Person)?,
            thing_adjective: self.choice(
                "adjective",
                world
                    .adjectives
                    .iter()
                    .enumerate()
                    .map(|(i, a)| Candidate::new(a, zipf(i), i)),
            )?,
            thing_noun: topics()
                .map(|t| self.nouns(Place::Object, t, None, Number::Singular, false))
                .collect::<Result<_, _>>()?,
            counted: topics()
                .map(|t| self.nouns(Place::Object, t, None, Number::Plural, false))
                .collect::<Result<_, _>>()?,
            count_first: self.choice(
                "count",
                (2..=40).map(|n| Candidate::new(format!("{n} "), zipf(n), n)),
            )?,
            sentence: [self.sentence(false)?, self.sentence(true)?],
            subject: topics().map(|t| subject(t, true)).collect::<Result<_, _>>()?,
            subject_noun: topics().map(|t| subject(t, false)).collect::<Result<_, _>>()?,
            verb: topics()
                .map(|t| Ok([self.verbs(t, false)?, self.verbs(t, true)?]))
                .collect::<Result<_, _>>()?,
            object_article: self.choice(
                "article",
                [(" the ", 5, 0), (" a ", 4, 0), (" some ", 3, 1), (" many ", 2, 1)]
                    .map(|(text, weight, plural)| Candidate::new(text, weight, plural)),
            )?,
            object: objects().map(|i| object(i, true)).collect::<Result<_, _>>()?,
            object_noun: objects().map(|i| object(i, false)).collect::<Result<_, _>>()?,
            tail: self.tail()?,
            tail_last: self.choice("tail", [Candidate::new(".", 1, TAIL_STOP)])?,
            town: topics()
                .map(|t| self.names("town", t, Who::Town))
                .collect::<Result<_, _>>()?,
            attribute: self.choice(
                "attribute",
                ATTRIBUTES.map(|(text, weight, value)| Candidate::new(text, weight, value as usize)),
            )?,
            operand: self.choice(
                "operand",
                (0..=OPERAND_MAX).map(|n| Candidate::new(format!("{} ", words[n]), 1, n)),
            )?,
            operator: self.choice(
                "operator",
                OPERATORS.map(|(text, weight, value)| Candidate::new(text, weight, value as usize)),
            )?,
            second: seconds
                .map(|(operator, first)| {
                    let last = match operator {
                        Operator::Plus => OPERAND_MAX,
                        Operator::Minus => first,
                        Operator::Times => FACTOR_MAX,
                    };
                    self.choice(
                        "operand",
                        (0..=last).map(|n| Candidate::new(format!("{} is ", words[n]), 1, n)),
                    )
                })
                .collect::<Result<_, _>>()?,
            change: [
                change(&change_texts)?,
                change(&change_texts[..1])?,
                change(&change_texts[1..])?,
            ],
            amount: (CHANGE_MIN..=CHANGE_MAX)
                .map(|most| {
                    self.choice(
                        "amount",
                        (CHANGE_MIN..=most).map(|n| Candidate::new(format!("{n} "), zipf(n), n)),
                    )
                })
                .collect::<Result<_, _>>()?,
            sentence_break: self.breaks()?,
            digits,
            words,
            plurals,
            world: self.world,
        })
    }

    fn choice(
        &self,
        choice: &'static str,
        candidates: impl IntoIterator<Item = Candidate>,
    ) -> Result<Choice, GrammarError> {
        Choice::new(candidates.into_iter().collect()).ok_or(GrammarError {
            seed: self.seed,
            choice,
        })
    }

    fn sentence(&self, is_woman: bool) -> Result<Choice, GrammarError> {
        let options = OPENINGS.map(|(text, weight, value)| {
            let text = if value == Sentence::Pronoun && is_woman {
                "She "
            } else {
                text
            };
            Candidate::new(text, weight, value as usize)
        });
        self.choice("sentence", options)
    }

    fn tail(&self) -> Result<Choice, GrammarError> {
        let fixed = [
            (".", 56, TAIL_STOP),
            (" near ", 12, TAIL_NEAR),
            (" because the ", 8, TAIL_BECAUSE),
            (" and the ", 6, TAIL_AND),
        ];
        let fixed = fixed.map(|(text, weight, value)| Candidate::new(text, weight * WEIGHT_UNIT, value));
        let adverbs = self.world.adverbs.iter().enumerate();
        let adverbs = adverbs.map(|(i, word)| Candidate::new(format!(" {word}."), zipf(i) * 8, TAIL_ADVERB));
        self.choice("tail", fixed.into_iter().chain(adverbs))
    }

    fn breaks(&self) -> Result<[Choice; 3], GrammarError> {
        let sentence = |weight| Candidate::new(" ", weight, BREAK_SENTENCE);
        let paragraph = |weight| Candidate::new("\n\n", weight, BREAK_PARAGRAPH);
        let end = |weight| Candidate::end(weight, BREAK_END);
        Ok([
            self.choice("break", [sentence(82), paragraph(18)])?,
            self.choice("break", [sentence(80), paragraph(15), end(5)])?,
            self.choice("break", [end(1)])?,
        ])
    }

    /// Nouns as the place and number want them, with or without adjectives before them.
    fn nouns(
        &self,
        place: Place,
        topic: usize,
        verb_group: Option<usize>,
        number: Number,
        with_adjectives: bool,
    ) -> Result<Choice, GrammarError> {
        let mut candidates = Vec::new();
        // A subject is followed by its verb, so its word ends with a space; an object may be followed by anything,
        // and there the article has fixed the number, so no word is the start of another.
        let space = if place == Place::Subject { " " } else { "" };
        for (i, noun) in self.world.nouns.iter().enumerate() {
            let liked = verb_group.is_some_and(|group| i % VERB_GROUPS == group);
            let weight = topical(i, topic) * if liked { 6 } else { 1 };
            if number != Number::Plural {
                candidates.push(Candidate::new(format!("{noun}{space}"), weight * 3, i));
            }
            if number != Number::Singular {
                // The plural is told from the singular by its value: see `machine`.
                candidates.push(Candidate::new(format!("{noun}s{space}"), weight * 2, PLURAL + i));
            }
        }
        if with_adjectives {
            let total: u64 = candidates.iter().map(|candidate| candidate.weight).sum();
            let adjectives = || (0..self.world.adjectives.len()).map(|i| topical(i, topic));
            let scale: u64 = adjectives().sum();
            for (i, weight) in adjectives().enumerate() {
                let text = format!("{} ", self.world.adjectives[i]);
                // Adjectives together are about two fifths as likely as nouns.
                candidates.push(Candidate::new(
                    text,
                    (weight * total / scale * 2 / 5).max(1),
                    ADJECTIVE + i,
                ));
            }
        }
        debug_assert!(self.world.nouns.len() < PLURAL);
        self.choice("noun", candidates)
    }

    fn verbs(&self, topic: usize, is_plural: bool) -> Result<Choice, GrammarError> {
        let ending = if is_plural { "" } else { "s" };
        let verbs = self.world.verbs.iter().enumerate();
        self.choice(
            "verb",
            verbs.map(|(i, verb)| Candidate::new(format!("{verb}{ending}"), topical(i, topic), i)),
        )
    }

    fn names(&self, choice: &'static str, topic: usize, who: Who) -> Result<Choice, GrammarError> {
        let names: Vec<&String> = match who {
            Who::Person => self.world.people.iter().map(|person| &person.name).collect(),
            Who::Town => self.world.towns.iter().map(|town| &town.name).collect(),
        };
        let named = names.into_iter().enumerate();
        self.choice(
            choice,
            named.map(|(i, name)| Candidate::new(name, topical(i, topic), i)),
        )
    }
}

/// Values of nouns: the noun, [`PLURAL`] and the noun, or [`ADJECTIVE`] and the adjective.
pub(super) const PLURAL: usize = 1000;
/// See [`PLURAL`].
pub(super) const ADJECTIVE: usize = 2000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Subject,
    Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Person,
    Town,
}

/// The weight of the word of this rank.
fn zipf(rank: usize) -> u64 {
    WEIGHT_UNIT / (rank as u64 + 3)
}

/// The same, in the eyes of a topic: one word in eight is its own. A topic past the last likes none.
fn topical(rank: usize, topic: usize) -> u64 {
    zipf(rank) * if rank % TOPICS.len() == topic { 12 } else { 1 }
}

/// Numbers below 1000 as English writes them.
fn number_in_words(number: usize) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] = [
        "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    ];
    match (number / 100, number % 100) {
        (0, rest) if rest < 20 => SMALL[rest].to_owned(),
        (0, rest) if rest % 10 == 0 => TENS[rest / 10].to_owned(),
        (0, rest) => format!("{}-{}", TENS[rest / 10], SMALL[rest % 10]),
        (hundreds, 0) => format!("{} hundred", number_in_words(hundreds)),
        (hundreds, rest) => format!(
            "{} hundred and {}",
            number_in_words(hundreds),
            number_in_words(rest)
        ),
    }
}
