//! Enums whose variants are words for programs: the words stand beside the variants, once.
//!
//! Used by every crate that stores or sends such a word.

/// An enum with its words: `ALL` variants in order, the word of each under the name that is given, and `parse` back. A
/// second text after `=>` is what `explain` says of it to people, and its documentation.
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident, $word_of:ident {
            $($(#[$doc:meta])* $variant:ident = $word:literal $(=> $sentence:literal)?,)*
        }
    ) => {
        $(#[$meta])*
        pub enum $name { $($(#[$doc])* $(#[doc = $sentence])? $variant,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant,)*];

            /// Its word, which is stable.
            pub const fn $word_of(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one with this word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.$word_of() == word)
            }
        }

        $crate::words!(@explain $name $($variant $(=> $sentence)?,)*);
    };
    (@explain $name:ident $($variant:ident,)*) => {};
    (@explain $name:ident $($variant:ident => $sentence:literal,)*) => {
        impl $name {
            /// What it means, in a sentence.
            pub fn explain(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}
