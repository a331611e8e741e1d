//! Secrets told in a sentence or a layout for people: `the password for bob is 'hunter2'`, a passphrase of several words, a
//! name alone on its line and the value below it.

use super::super::pseudonym::Class;
use super::super::shape::{self, HexIs, Kinds};
use super::super::span::Form;
use super::Through;
use super::keyed::{Keyed, Name};
use super::name::Verdict;
use super::surroundings::{blanks, line_end};
use super::value::{self, Quote, Until};

/// Bytes between `for` and what a secret is.
const WHOSE_BYTES_MAX: usize = 64;
/// Words of a passphrase, and letters of one.
const PHRASE_WORDS_MAX: usize = 24;
const PHRASE_WORD_LETTERS: std::ops::RangeInclusive<usize> = 2..=12;
/// Bytes of a value on the line below its name.
const BELOW_BYTES_MAX: usize = 256;

impl Keyed<'_> {
    /// `the password is hunter2`, `password for bob: hunter2`
    pub(super) fn is_clause(&mut self, name: Name, from: usize, to: usize) -> Option<(usize, Option<Through>)> {
        let Verdict::Strong(class) = name.verdict else { return None };
        let at = from + said(&self.bytes[from..to])?;
        let quoted = value::quote_at(self.bytes, at);
        let (start, end) = match quoted {
            Some((quote, inside)) => (inside, value::quoted_end(self.bytes, inside, to, quote)),
            None => (at, value::bare_end(self.bytes, at, to, Until::Blank)),
        };
        let text = self.bytes.get(start..end)?;
        let kinds = Kinds::of(text);
        let plain = kinds.digit > 0 && kinds.letters() > 0 && text.len() >= 5;
        let said = quoted.is_some() && class == Class::Password && kinds.classes() > 1 && !text.contains(&b' ');
        if !plain && !said {
            return None;
        }
        self.push(name, start, end, Form::Raw, false).map(|resume| (resume, None))
    }
}

/// The bytes of `is `, `was `, `for bob is ` and the like.
fn said(rest: &[u8]) -> Option<usize> {
    const VERBS: [&[u8]; 5] = [b"is: ", b"is ", b"was ", b"= ", b"set to "];
    if let Some(verb) = VERBS.iter().find(|verb| rest.starts_with(verb)) {
        return Some(verb.len());
    }
    let whose = rest.strip_prefix(b"for ")?;
    let line = line_end(whose, 0, whose.len().min(WHOSE_BYTES_MAX));
    let mut at = 0;
    for _ in 0..4 {
        let word = at + whose[at..line].iter().position(|byte| *byte == b' ')?;
        if word > at && whose[word - 1] == b':' {
            return Some(4 + word + 1);
        }
        at = word + 1;
        if let Some(verb) = VERBS.iter().find(|verb| whose[at..line].starts_with(verb)) {
            return Some(4 + at + verb.len());
        }
    }
    None
}

/// Whether a name is that of a secret made of words.
pub(super) fn is_phrase(name: &[u8]) -> bool {
    let ends = |word: &[u8]| name.len() >= word.len() && name[name.len() - word.len()..].eq_ignore_ascii_case(word);
    ends(b"phrase") || ends(b"mnemonic")
}

/// Where a passphrase ends whose first word ends at `end`: behind all lower-case words that follow.
pub(super) fn phrase_end(bytes: &[u8], from: usize, end: usize, line: usize) -> usize {
    let lower = |at: usize| bytes[at.min(line)..line].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let mut last = end;
    if from + lower(from) != end {
        return end;
    }
    for _ in 1..PHRASE_WORDS_MAX {
        let word = lower(last + 1);
        let next = last + 1 + word;
        let apart = bytes.get(next).is_none_or(|byte| byte.is_ascii_whitespace() || b"\"',;.\\\0".contains(byte));
        if bytes.get(last) != Some(&b' ') || !PHRASE_WORD_LETTERS.contains(&word) || !apart {
            break;
        }
        last = next;
    }
    last
}

/// The only word of the line below a name that stands alone, when it looks like nothing but a secret. `from` is where the
/// name's line ends.
pub(super) fn below(bytes: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let line = from + usize::from(bytes.get(from) == Some(&b'\r'));
    if bytes.get(line) != Some(&b'\n') {
        return None;
    }
    let start = line + 1 + blanks(bytes, line + 1);
    let to = to.min(start + BELOW_BYTES_MAX);
    let end = line_end(bytes, start, to);
    let end = start + bytes.get(start..end)?.trim_ascii_end().len();
    let text = &bytes[start..end];
    let kinds = Kinds::of(text);
    let symbol = text.iter().any(|byte| b"!@#$%^&*?+~".contains(byte));
    let chosen = symbol && text.len() >= 6 && kinds.digit > 0 && kinds.letters() > 1 && !text.ends_with(b":");
    let secret = end < to
        && text.iter().all(u8::is_ascii_graphic)
        && (chosen || shape::is_random(text, HexIs::Random) || shape::is_scrambled(text));
    secret.then_some((start, end))
}

/// Whether nothing but a value in quotes stands from `from` to the end of its line.
pub(super) fn quoted_alone(bytes: &[u8], from: usize, to: usize) -> bool {
    let line = line_end(bytes, from, to);
    value::quote_at(bytes, from).is_some_and(|(quote, inside)| {
        let end = value::quoted_end(bytes, inside, line, quote) + quote.depth + 1;
        end <= line && bytes[end..line].iter().all(|byte| byte.is_ascii_whitespace() || *byte == b';')
    })
}

/// Whether what stands in quotes behind a quoted name and a comma is its value and not the next of a list of names.
pub(super) fn is_listed(bytes: &[u8], quote: Quote, inside: usize, to: usize) -> bool {
    let end = value::quoted_end(bytes, inside, to, quote);
    let (inside, end) = value::within_quotes(bytes, inside, end, quote);
    let text = &bytes[inside..end];
    let kinds = Kinds::of(text);
    let mixed = text.len() >= 8 && kinds.digit >= 2 && kinds.upper > 0 && kinds.lower > 0 && !shape::is_wordlike(text);
    (mixed || shape::is_random(text, HexIs::Random)) && !text.contains(&b' ')
}
