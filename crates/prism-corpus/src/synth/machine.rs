//! Walks the grammar: a stack of what is still to be said and the memory of one document.
//!
//! The generator, the parser and the predictor all drive this one machine, so they cannot disagree. It must never
//! let anything but the choices taken decide what comes next.

use super::choice::Choice;
use super::grammar::{
    ADJECTIVE, Attribute, BREAK_END, BREAK_PARAGRAPH, BREAK_SENTENCE, CHANGE_MAX, CHANGE_MIN, COUNT_MAX,
    END_AT_BYTES, END_FROM_BYTES, Grammar, Number, OPERAND_MAX, Operator, PLURAL, Sentence, TAIL_AND,
    TAIL_BECAUSE, TAIL_NEAR, VERB_GROUPS,
};

/// What the document does next.
pub(super) enum Step<'g> {
    /// It goes on with this text, whatever happens.
    Fixed(&'g [u8]),
    /// It chooses; the machine must be told with [`Machine::take`].
    Choose(&'g Choice),
    /// It has ended.
    End,
}

/// One thing still to be said.
#[derive(Debug, Clone, Copy)]
enum Item {
    Text(&'static str),
    Say(Fact),
    Pick(Pick),
}

/// Words that the memory decides.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Hero,
    HeroHome,
    ThingAdjective,
    ThingNoun,
    Counted,
    Count,
    TownValue,
    PersonHome,
    PersonCraft,
    Result,
}

/// Choices.
#[derive(Debug, Clone, Copy)]
enum Pick {
    Topic,
    Hero,
    ThingAdjective,
    ThingNoun,
    CountFirst,
    Counted,
    Break,
    Sentence,
    Subject(Number),
    SubjectNoun(Number),
    Verb,
    Article,
    Object,
    ObjectNoun,
    Tail,
    Town,
    Attribute,
    FactTown,
    Person,
    Operand,
    Operator,
    Second,
    Change,
    Amount,
}

use Item::{Pick as P, Say, Text};

const OPENING: [Item; 16] = [
    P(Pick::Topic),
    Text(" in the days of "),
    P(Pick::Hero),
    Text("\n\n"),
    Say(Fact::Hero),
    Text(" of "),
    Say(Fact::HeroHome),
    Text(" keeps a "),
    P(Pick::ThingAdjective),
    Text(" "),
    P(Pick::ThingNoun),
    Text(" and "),
    P(Pick::CountFirst),
    P(Pick::Counted),
    Text("."),
    P(Pick::Break),
];

/// From the verb of a clause to its end.
const PREDICATE: [Item; 4] = [P(Pick::Verb), P(Pick::Article), P(Pick::Object), P(Pick::Tail)];

/// What a document has said so far, as far as it matters for what follows.
#[derive(Debug, Clone)]
struct Memory {
    topic: usize,
    hero: usize,
    thing_adjective: usize,
    thing_noun: usize,
    counted: usize,
    count: usize,
    gives: bool,
    subject_is_plural: bool,
    object_is_plural: bool,
    verb: usize,
    attribute: Attribute,
    town: usize,
    person: usize,
    operand: usize,
    operator: Operator,
    result: usize,
}

#[derive(Clone)]
pub(super) struct Machine<'g> {
    grammar: &'g Grammar,
    stack: Vec<Item>,
    pending: Option<Pick>,
    memory: Memory,
    bytes: usize,
}

impl<'g> Machine<'g> {
    pub(super) fn new(grammar: &'g Grammar) -> Self {
        let memory = Memory {
            topic: 0,
            hero: 0,
            thing_adjective: 0,
            thing_noun: 0,
            counted: 0,
            count: 0,
            gives: false,
            subject_is_plural: false,
            object_is_plural: false,
            verb: 0,
            attribute: Attribute::River,
            town: 0,
            person: 0,
            operand: 0,
            operator: Operator::Plus,
            result: 0,
        };
        let mut machine = Self {
            grammar,
            stack: Vec::with_capacity(32),
            pending: None,
            memory,
            bytes: 0,
        };
        machine.push(&OPENING);
        machine
    }

    /// The next step. A choice is given again until it is taken.
    pub(super) fn step(&mut self) -> Step<'g> {
        if let Some(pick) = self.pending {
            return Step::Choose(self.choice(pick));
        }
        let text = match self.stack.pop() {
            None => return Step::End,
            Some(Item::Pick(pick)) => {
                self.pending = Some(pick);
                return Step::Choose(self.choice(pick));
            }
            Some(Item::Text(text)) => text.as_bytes(),
            Some(Item::Say(fact)) => self.fact(fact).as_bytes(),
        };
        self.bytes += text.len();
        Step::Fixed(text)
    }

    /// Takes an option of the pending choice.
    pub(super) fn take(&mut self, option: usize) {
        let Some(pick) = self.pending.take() else { return };
        let choice = self.choice(pick);
        self.bytes += choice.codeword(option).len();
        self.apply(pick, usize::from(choice.value(option)));
    }

    fn push(&mut self, items: &[Item]) {
        self.stack.extend(items.iter().rev());
    }

    fn choice(&self, pick: Pick) -> &'g Choice {
        let (g, m) = (self.grammar, &self.memory);
        let object = m.topic * VERB_GROUPS + m.verb % VERB_GROUPS;
        match pick {
            Pick::Topic => &g.topic,
            Pick::Hero => &g.hero[m.topic],
            Pick::ThingAdjective => &g.thing_adjective,
            Pick::ThingNoun => &g.thing_noun[m.topic],
            Pick::CountFirst => &g.count_first,
            Pick::Counted => &g.counted[m.topic],
            Pick::Break if self.bytes < END_FROM_BYTES => &g.sentence_break[0],
            Pick::Break if self.bytes < END_AT_BYTES => &g.sentence_break[1],
            Pick::Break => &g.sentence_break[2],
            Pick::Sentence => &g.sentence[usize::from(g.world.people[m.hero].is_woman)],
            Pick::Subject(number) => &g.subject[m.topic][number as usize],
            Pick::SubjectNoun(number) => &g.subject_noun[m.topic][number as usize],
            Pick::Verb => &g.verb[m.topic][usize::from(m.subject_is_plural)],
            Pick::Article => &g.object_article,
            Pick::Object => &g.object[object][usize::from(m.object_is_plural)],
            Pick::ObjectNoun => &g.object_noun[object][usize::from(m.object_is_plural)],
            Pick::Tail if self.bytes < END_AT_BYTES => &g.tail,
            Pick::Tail => &g.tail_last,
            Pick::Town | Pick::FactTown => &g.town[m.topic],
            Pick::Attribute => &g.attribute,
            Pick::Person => &g.person,
            Pick::Operand => &g.operand,
            Pick::Operator => &g.operator,
            Pick::Second => &g.second[m.operator as usize * (OPERAND_MAX + 1) + m.operand],
            Pick::Change if m.count < CHANGE_MIN => &g.change[1],
            Pick::Change if m.count > COUNT_MAX => &g.change[2],
            Pick::Change => &g.change[0],
            Pick::Amount if m.gives => &g.amount[m.count.min(CHANGE_MAX) - CHANGE_MIN],
            Pick::Amount => &g.amount[CHANGE_MAX - CHANGE_MIN],
        }
    }

    fn fact(&self, fact: Fact) -> &'g str {
        let (g, m) = (self.grammar, &self.memory);
        let world = &g.world;
        let (hero, person, town) = (
            &world.people[m.hero],
            &world.people[m.person],
            &world.towns[m.town],
        );
        match fact {
            Fact::Hero => &hero.name,
            Fact::HeroHome => &world.towns[hero.home].name,
            Fact::ThingAdjective => &world.adjectives[m.thing_adjective],
            Fact::ThingNoun => &world.nouns[m.thing_noun],
            Fact::Counted => &g.plurals[m.counted],
            Fact::Count => &g.digits[m.count],
            Fact::PersonHome => &world.towns[person.home].name,
            Fact::PersonCraft => &world.nouns[person.craft],
            Fact::Result => &g.words[m.result],
            Fact::TownValue => match m.attribute {
                Attribute::River => &town.river,
                Attribute::Ruler => &world.people[town.ruler].name,
                Attribute::Flag => town.colour,
                Attribute::Founded => &g.digits[town.founded],
                Attribute::Trade => &g.plurals[town.trade],
            },
        }
    }

    /// Remembers what was chosen and puts on the stack what follows from it.
    fn apply(&mut self, pick: Pick, value: usize) {
        let m = &mut self.memory;
        match pick {
            Pick::Topic => m.topic = value,
            Pick::Hero => m.hero = value,
            Pick::ThingAdjective => m.thing_adjective = value,
            Pick::ThingNoun => m.thing_noun = value,
            Pick::CountFirst => m.count = value,
            Pick::Counted => m.counted = value - PLURAL,
            Pick::Break => match value {
                BREAK_SENTENCE | BREAK_PARAGRAPH => self.push(&[P(Pick::Sentence), P(Pick::Break)]),
                _ => debug_assert_eq!(value, BREAK_END),
            },
            Pick::Sentence => self.sentence(value),
            Pick::Subject(number) if value >= ADJECTIVE => self.push(&[P(Pick::SubjectNoun(number))]),
            Pick::Subject(_) | Pick::SubjectNoun(_) => {
                m.subject_is_plural = value >= PLURAL;
                self.push(&PREDICATE);
            }
            Pick::Verb => m.verb = value,
            Pick::Article => m.object_is_plural = value == 1,
            Pick::Object if value >= ADJECTIVE => self.push(&[P(Pick::ObjectNoun)]),
            Pick::Object | Pick::ObjectNoun => {}
            Pick::Tail => match value {
                TAIL_NEAR => self.push(&[P(Pick::Town), Text(".")]),
                TAIL_BECAUSE | TAIL_AND => self.push(&[P(Pick::Subject(Number::Either))]),
                _ => {}
            },
            Pick::Town | Pick::FactTown => m.town = value,
            Pick::Attribute => m.attribute = ATTRIBUTE_VALUES[value],
            Pick::Person => m.person = value,
            Pick::Operand => m.operand = value,
            Pick::Operator => m.operator = OPERATOR_VALUES[value],
            Pick::Second => {
                m.result = match m.operator {
                    Operator::Plus => m.operand + value,
                    Operator::Minus => m.operand.saturating_sub(value),
                    Operator::Times => m.operand * value,
                };
            }
            Pick::Change => {
                m.gives = value == 1;
                let outcome = if m.gives {
                    ", which leaves "
                } else {
                    ", which makes "
                };
                self.push(&[
                    P(Pick::Amount),
                    Say(Fact::Counted),
                    Text(outcome),
                    Say(Fact::Count),
                    Text("."),
                ]);
            }
            Pick::Amount => {
                m.count = if m.gives {
                    m.count.saturating_sub(value)
                } else {
                    m.count + value
                }
            }
        }
    }

    fn sentence(&mut self, value: usize) {
        match SENTENCE_VALUES[value] {
            Sentence::The => self.push(&[P(Pick::Subject(Number::Either))]),
            Sentence::Every => self.push(&[P(Pick::Subject(Number::Singular))]),
            Sentence::Many => self.push(&[P(Pick::Subject(Number::Plural))]),
            Sentence::In => {
                self.push(&[P(Pick::Town), Text(" the "), P(Pick::Subject(Number::Either))]);
            }
            Sentence::Known => self.push(&[
                P(Pick::Attribute),
                P(Pick::FactTown),
                Text(" is "),
                Say(Fact::TownValue),
                Text("."),
            ]),
            Sentence::Recall => self.push(&[
                P(Pick::Person),
                Text(" lives in "),
                Say(Fact::PersonHome),
                Text(" and works as a "),
                Say(Fact::PersonCraft),
                Text("."),
            ]),
            Sentence::Then => self.push(&[
                Say(Fact::Hero),
                Text(" takes the "),
                Say(Fact::ThingAdjective),
                Text(" "),
                Say(Fact::ThingNoun),
                Text(" to "),
                P(Pick::Town),
                Text("."),
            ]),
            Sentence::Pronoun => {
                self.memory.subject_is_plural = false;
                self.push(&PREDICATE);
            }
            Sentence::Sum => self.push(&[
                P(Pick::Operand),
                P(Pick::Operator),
                P(Pick::Second),
                Say(Fact::Result),
                Text("."),
            ]),
            Sentence::Count => self.push(&[Say(Fact::Hero), P(Pick::Change)]),
        }
    }
}

const SENTENCE_VALUES: [Sentence; 10] = [
    Sentence::The,
    Sentence::Every,
    Sentence::Many,
    Sentence::In,
    Sentence::Known,
    Sentence::Recall,
    Sentence::Then,
    Sentence::Pronoun,
    Sentence::Sum,
    Sentence::Count,
];
const ATTRIBUTE_VALUES: [Attribute; 5] = [
    Attribute::River,
    Attribute::Ruler,
    Attribute::Flag,
    Attribute::Founded,
    Attribute::Trade,
];
const OPERATOR_VALUES: [Operator; 3] = [Operator::Plus, Operator::Minus, Operator::Times];
