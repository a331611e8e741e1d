//! Closed lists of words: an enum, its words as the API and SQLite write them, and the way back.

/// A text is not one of the words of a closed list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of {0}")]
pub struct WordError(pub &'static str);

/// Declares an enum whose variants are words: `word()`, `ALL`, `FromStr`, serde.
macro_rules! closed_list {
    ($($(#[$doc:meta])* $name:ident = $list:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word as the API and SQLite write it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::word::WordError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|one| one.word() == text).ok_or($crate::domain::word::WordError($list))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    )*};
}

pub(crate) use closed_list;
