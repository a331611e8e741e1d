//! Secrets told in a sentence or a layout for people: `the password for bob is 'hunter2'`, a passphrase of several words, a
//! name alone on its line and the value below it.

use super::super::bytes::ends_in;
use super::super::pseudonym::Class;
use super::super::shape::{self, HexIs, Kinds};
use super::super::span::Form;
use super::Through;
use super::connect::looks_chosen;
use super::name::Verdict;
use super::named::{Keyed, Name};
use super::plausible::{Ends, is_chosen};
use super::prose;
use super::surroundings::{blanks, line_end, unwrapped};
use super::value::{self, Quote, Until};

/// Bytes between `for` and what a secret is.
const WHOSE_BYTES_MAX: usize = 96;
/// Words of a passphrase, and letters of one.
const PHRASE_WORDS_MAX: usize = 24;
const PHRASE_WORD_LETTERS: std::ops::RangeInclusive<usize> = 2..=12;
/// Bytes of a value on the line below its name.
const BELOW_BYTES_MIN: usize = 6;
const BELOW_BYTES_MAX: usize = 256;

/// Words between a secret's name and what it is, and those that name somebody.
const WORDS_MAX: usize = 8;
const OWNER_WORDS_MAX: usize = 4;
/// Bytes of an answer to a question, or of a suggestion.
const ANSWER_BYTES_MAX: usize = 96;

/// Bytes of the shortest secret without a digit that a sentence tells.
const SCRAMBLED_BYTES_MIN: usize = 10;
/// Bytes of the shortest answer without a digit, and signs in one.
const ANSWER_BYTES_MIN: usize = 8;
const MARKS_MAX: usize = 3;

/// What is said of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// What it is.
    Told,
    /// What it becomes: `=`.
    Assigned,
    /// What it was before.
    Before,
}

impl Keyed<'_> {
    /// `the password is hunter2`, `password for bob: hunter2`, `password changed from 'hunter1' to 'hunter2'`
    pub(super) fn is_clause(&mut self, name: Name, from: usize, to: usize) -> Option<(usize, Option<Through>)> {
        let Verdict::Strong(class) = name.verdict else { return None };
        if self.bytes.get(from) == Some(&b'[') {
            return self.suggested(name, from, to).map(|resume| (resume, None));
        }
        if self.bytes.get(from) == Some(&b'(') {
            return self.parenthesized(name, from, to).map(|resume| (resume, None));
        }
        let rest = &self.bytes[from..to];
        let ends = |tail: &[u8]| ends_in(&self.bytes[name.start..name.end], tail);
        if rest.starts_with(b"are ") && (ends(b"credentials") || ends(b"creds")) {
            let (start, end) = prose::pair(self.bytes, from + b"are ".len())?;
            return self.push(name, start, end, Form::Raw, Ends::Guessed).map(|resume| (resume, None));
        }
        let sets = rest.starts_with(b"to ") && class == Class::Password && is_set(self.bytes, name.start);
        let (offset, said) = if sets { (b"to ".len(), Said::Assigned) } else { said(rest)? };
        let mut at = from + offset;
        if said == Said::Assigned {
            at = unwrapped(self.bytes, at, to);
        }
        let quoted = value::quote_at(self.bytes, at);
        let (start, end) = match quoted {
            Some((quote, inside)) => (inside, value::quoted_end(self.bytes, inside, to, quote)),
            None => (at, value::bare_end(self.bytes, at, to, Until::Blank)),
        };
        let text = self.bytes.get(start..end)?;
        let kinds = Kinds::of(text);
        let standard = shape::is_code_of_a_standard(text) || shape::is_measure(text);
        // `GRANT SELECT ON api_keys TO reporting2`
        let role = quoted.is_none() && self.bytes[from..at].ends_with(b"TO ");
        let mixed =
            kinds.upper > 1 && kinds.lower > 1 && text.len() >= SCRAMBLED_BYTES_MIN && !shape::is_wordlike(text);
        let digits = kinds.digit > 0 && kinds.letters() > 0 && text.len() >= 5;
        let plain = (digits || mixed && class == Class::Password && kinds.other <= MARKS_MAX) && !standard && !role;
        let told = quoted.is_some() && class == Class::Password && kinds.classes() > 1 && !text.contains(&b' ');
        if said == Said::Before && quoted.is_none() {
            return None;
        }
        if !(plain || told || said == Said::Assigned && quoted.is_some()) {
            return None;
        }
        let resume = self.push(name, start, end, Form::Raw, Ends::Guessed)?;
        let after = quoted.filter(|_| said == Said::Before).map(|(quote, _)| end + quote.depth + 1);
        let next = after.filter(|after| self.bytes.get(*after..).is_some_and(|rest| rest.starts_with(b" to ")))?;
        let second = value::quote_at(self.bytes, next + 4).and_then(|(quote, inside)| {
            let end = value::quoted_end(self.bytes, inside, to, quote);
            self.push(name, inside, end, Form::Raw, Ends::Marked)
        });
        Some((second.unwrap_or(resume), None))
    }

    /// `the password (…)`
    fn parenthesized(&mut self, name: Name, from: usize, to: usize) -> Option<usize> {
        let near = &self.bytes[from + 1..to.min(from + ANSWER_BYTES_MAX)];
        let close = near.iter().position(|byte| matches!(byte, b')' | b' ' | b'\n'))?;
        let fits = near[close] == b')' && looks_chosen(&near[..close]);
        fits.then(|| self.push(name, from + 1, from + 1 + close, Form::Raw, Ends::Marked))?
    }

    /// `Password [hunter2]:`, what is taken when nothing is typed.
    fn suggested(&mut self, name: Name, from: usize, to: usize) -> Option<usize> {
        let near = &self.bytes[from + 1..to.min(from + ANSWER_BYTES_MAX)];
        let close = near.iter().position(|byte| matches!(byte, b']' | b' ' | b'\n'))?;
        let text = &near[..close];
        let asked = near[close..].starts_with(b"]:") || near[close..].starts_with(b"]?");
        let kinds = Kinds::of(text);
        let fits = asked && text.len() >= 4 && kinds.digit > 0 && kinds.letters() > 0;
        fits.then(|| self.push(name, from + 1, from + 1 + close, Form::Raw, Ends::Marked))?
    }
}

/// Whether a sentence sets the secret whose name begins at `start`: `set the root password`.
fn is_set(bytes: &[u8], start: usize) -> bool {
    const SETS: [&[u8]; 5] = [b"set", b"reset", b"change", b"changed", b"update"];
    let floor = start.saturating_sub(WHOSE_BYTES_MAX);
    let words = bytes[floor..start].rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.take(OWNER_WORDS_MAX).any(|word| SETS.iter().any(|set| word.eq_ignore_ascii_case(set)))
}

/// Whether what follows a name may say what the secret is.
pub(super) fn may_say(rest: &[u8]) -> bool {
    if matches!(rest.first(), Some(b'[' | b'(' | 0xC3)) {
        return true;
    }
    let length = rest.iter().take(16).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &rest[..length];
    let apart = matches!(rest.get(length), Some(b' ' | b':'));
    apart && (word == b"from" || is_saying(word) || is_naming(word) || is_told_abroad(word))
}

/// Whether a word says that something is a secret, or how it came to be.
#[rustfmt::skip]
fn is_saying(word: &[u8]) -> bool {
    matches!(
        word,
        b"is" | b"was" | b"has" | b"been" | b"generated" | b"created" | b"set" | b"reset" | b"changed" | b"assigned"
            | b"issued" | b"updated" | b"rotated" | b"now" | b"automatically" | b"randomly" | b"successfully" | b"the"
            | b"a" | b"new" | b"user" | b"account" | b"default" | b"value" | b"follows" | b"and" | b"it" | b"will"
            | b"should" | b"must" | b"would" | b"be" | b"equals" | b"you" | b"we" | b"need" | b"chose"
    )
}

/// Whether a word says in another language that something is.
fn is_told_abroad(word: &[u8]) -> bool {
    matches!(word, b"ist" | b"lautet" | b"est" | b"es" | b"are")
}

/// Whether somebody is named after a word.
fn is_naming(word: &[u8]) -> bool {
    matches!(word, b"for" | b"of" | b"to" | b"by" | b"as" | b"on" | b"in" | b"FOR" | b"TO" | b"For")
}

/// The bytes of `is `, `was `, `for bob is `, `generated for bob: ` and the like.
fn said(rest: &[u8]) -> Option<(usize, Said)> {
    const VERBS: [(&[u8], Said); 22] = [
        (b"will be ", Said::Told),
        (b"should be ", Said::Told),
        (b"must be ", Said::Told),
        (b"would be ", Said::Told),
        (b"equals ", Said::Told),
        (b"changed to ", Said::Told),
        (b"reset to ", Said::Told),
        (b"updated to ", Said::Told),
        (b"lautet ", Said::Told),
        (b"ist ", Said::Told),
        (b"est ", Said::Told),
        (b"es ", Said::Told),
        ("\u{e8} ".as_bytes(), Said::Told),
        ("\u{e9} ".as_bytes(), Said::Told),
        (b"is: ", Said::Told),
        (b"is now ", Said::Told),
        (b"is ", Said::Told),
        (b"was ", Said::Told),
        (b"= ", Said::Assigned),
        (b"set to ", Said::Told),
        (b"from ", Said::Before),
        (b"TO ", Said::Assigned),
    ];
    let line = line_end(rest, 0, rest.len().min(WHOSE_BYTES_MAX));
    let (mut at, mut owner) = (0, 0);
    for _ in 0..WORDS_MAX {
        let text = &rest[at..line];
        let word = &text[..text.iter().position(|byte| *byte == b' ')?];
        let next = at + word.len() + 1;
        let verb = VERBS.iter().find(|(verb, _)| text.starts_with(verb)).map(|(verb, said)| (at + verb.len(), *said));
        let goes_on = |at: usize| {
            let after = &rest[at.min(line)..line];
            let length = after.iter().position(|byte| matches!(byte, b' ' | b':')).unwrap_or(after.len());
            length < after.len() && (is_saying(&after[..length]) || is_naming(&after[..length]))
        };
        if let Some(verb) = verb.filter(|(at, _)| !goes_on(*at)) {
            return Some(verb);
        }
        let (bare, colon) = word.strip_suffix(b":").map_or((word, false), |bare| (bare, true));
        let says = is_saying(bare);
        if colon && (says || owner > 0) {
            return Some((next, Said::Told));
        }
        if is_naming(word) {
            owner = OWNER_WORDS_MAX;
        } else if owner > 0 {
            owner -= 1;
        } else if !says || colon {
            return None;
        }
        at = next;
    }
    None
}

/// The only word of the line below a question that ends in a colon: what was typed.
pub(super) fn answer(bytes: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let line = from + usize::from(bytes.get(from) == Some(&b'\r'));
    if bytes.get(line) != Some(&b'\n') {
        return None;
    }
    let start = line + 1;
    let end = line_end(bytes, start, to.min(start + ANSWER_BYTES_MAX));
    let text = bytes.get(start..end)?;
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let kinds = Kinds::of(text);
    let typed = text.len() >= ANSWER_BYTES_MIN
        && kinds.classes() > 2
        && kinds.other <= MARKS_MAX
        && text.iter().all(u8::is_ascii_graphic)
        && !text.ends_with(b".")
        && !shape::is_wordlike(text);
    (text.first().is_some_and(u8::is_ascii_graphic) && (is_chosen(text) || typed) && !text.contains(&b':'))
        .then_some((start, start + text.len()))
}

/// Whether a name is that of a secret made of words.
pub(super) fn is_phrase(name: &[u8]) -> bool {
    ends_in(name, b"phrase") || ends_in(name, b"mnemonic")
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
    if text.len() < BELOW_BYTES_MIN {
        return None;
    }
    let kinds = Kinds::of(text);
    let symbol = text.iter().any(|byte| b"!@#$%^&*?+~".contains(byte));
    let chosen = symbol && kinds.digit > 0 && kinds.letters() > 1 && !text.ends_with(b":");
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
