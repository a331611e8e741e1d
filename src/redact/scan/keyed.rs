//! Secret-named keys in any text: the name around a stem, what stands between it and its value, and the value.

use super::super::bytes::{ByteSet, ends_in, find};
use super::super::pseudonym::{Class, MASK_PREFIX, mask_in, mask_length};
use super::name::{NAME_BYTES_MAX, Verdict, is_header};
use super::named::{Keyed, Name, Outcome, Separator};
use super::surroundings::{GAP_MAX, at_line_start, blanks, netrc_before, prose_start, skip_colour, unescaped_start};
use super::value;
use super::vocabulary::Weak;
use super::{clause, directive, elements, escaped, languages, pairs, prose, protocol, signs};

/// Bytes of a word that are looked at to see what it is made of.
const WORD_BYTES_MAX: usize = 40;
/// Bytes in which a short element may end.
const ELEMENT_BYTES_MAX: usize = 256;

/// What may follow the name of a column.
const BEHIND_COLUMN: ByteSet = ByteSet::of(b",;|\t \"*`\n\r");
/// What names are made of.
const NAME: ByteSet = ByteSet::alphanumeric_and(b"_-.").and_beyond_ascii();

impl Keyed<'_> {
    /// Looks at the name around the stem at `at`.
    pub(super) fn look(&mut self, at: usize) -> Outcome {
        let bytes = self.bytes;
        let left = at.saturating_sub(NAME_BYTES_MAX).max(self.masked_to.min(at));
        let mut start = at - NAME.run_before(&bytes[left..at]);
        let right = bytes.len().min(at + NAME_BYTES_MAX);
        let mut end = at + NAME.run(&bytes[at..right]);
        let mut outcome = Outcome { name_end: end, resume: None, through: None };
        if !bytes[start..end].is_ascii() {
            (start, end) = signs::between_wide(bytes, start, at, end);
        }
        while end > at && matches!(bytes[end - 1], b'.' | b'-') {
            end -= 1;
        }
        let mut told = None;
        if matches!(bytes.get(end), Some(b'\\' | b'%')) || start > left && matches!(bytes[start - 1], b'\\' | b'%') {
            told = escaped::name(bytes, (left, start), at, right);
        }
        if let Some(name) = &told {
            (start, end) = (name.start, name.end);
            outcome.name_end = end;
        } else {
            start = unescaped_start(bytes, start, at);
        }
        // What a mask is made of says nothing; only what follows it may be a name.
        while let Some(mask) = bytes.get(start..end).filter(|name| name.len() > MASK_PREFIX.len()).and_then(mask_in) {
            start += mask + mask_length(&bytes[start + mask..end]).unwrap_or(1);
        }
        if start > at {
            return outcome;
        }
        let dashes = bytes[start..end].iter().take_while(|byte| matches!(**byte, b'-' | b'.')).count();
        let flag = dashes > 0 && bytes[start] == b'-';
        start += dashes;
        if start >= end || flag && dashes == 1 && is_cluster(&bytes[start..end]) {
            return outcome;
        }
        if bytes.get(end).is_some_and(|byte| BEHIND_COLUMN.has(*byte))
            && let Some(header) = self.columns(start, end)
        {
            outcome.name_end = header.end;
            outcome.resume = Some(end);
            return outcome;
        }
        if protocol::is_verb(&bytes[start..end]) && !flag {
            outcome.resume = self.sent((start, end));
            // What follows a verb in capitals is its argument or nothing; `PASS` is the result of a test, too.
            if outcome.resume.is_some() || &bytes[start..end] == b"PASS" && bytes.get(end) == Some(&b' ') {
                return outcome;
            }
        }
        if matches!(bytes.get(end), Some(b'\r' | b'\\')) && matches!(bytes.get(end + 1..end + 3), Some(b"\n$" | b"r\\"))
        {
            outcome.resume = self.bulk((start, end));
            if outcome.resume.is_some() {
                return outcome;
            }
        }
        if prose::is_told_of(bytes, start, end) {
            outcome.resume = self.told_before(start, end);
            if outcome.resume.is_some() {
                return outcome;
            }
        }
        if bytes.get(end) == Some(&b' ') {
            end = languages::name_end(bytes, start, whole_name(bytes, start, end));
        }
        let Some((separator, value_at)) = self.separator(start, end, flag) else { return outcome };
        if separator == Separator::Call {
            outcome.resume = self.call((start, end), value_at);
            return outcome;
        }
        if separator == Separator::Blank && !flag && !worth_a_look(bytes, start, value_at)
            || names_something_else(bytes, (start, end), separator, value_at)
        {
            return outcome;
        }
        let verdict = match told {
            Some(name) => Some(self.memory.verdicts.of(&name.text, self.rules)).filter(|told| *told != Verdict::No),
            None => self.verdict(start, end),
        };
        let Some(verdict) = verdict else { return outcome };
        let before = start - dashes;
        let name = Name {
            start,
            end,
            verdict,
            flag,
            quote: value::quote_before(bytes, before),
            line_start: at_line_start(bytes, before)
                || separator == Separator::Equals && bytes[end] == b' ' && is_title(bytes, before),
            query: before > 0
                && (matches!(bytes[before - 1], b'?' | b'&')
                    || before > 1 && bytes[before - 1] == b'#' && bytes[before - 2].is_ascii_graphic()
                    || bytes[..before].ends_with(b"&amp;")),
        };
        if let Some((resume, through)) = self.value(name, separator, value_at) {
            outcome.resume = Some(resume);
            outcome.through = through;
        }
        outcome
    }

    pub(super) fn verdict(&mut self, start: usize, end: usize) -> Option<Verdict> {
        if is_header(&self.bytes[start..end]) {
            return Some(Verdict::Strong(Class::Token));
        }
        let verdict = self.memory.verdicts.of(&self.bytes[start..end], self.rules);
        if verdict == Verdict::Weak(Weak::Session) && is_npm(self.bytes, start) {
            return Some(Verdict::Strong(Class::Token));
        }
        if !matches!(verdict, Verdict::Strong(_) | Verdict::Weak(Weak::Pin))
            && self.bytes[start..end].iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
        {
            let wide = prose_start(self.bytes, start);
            if wide < start {
                match self.memory.verdicts.of(&self.bytes[wide..end], self.rules) {
                    Verdict::No => {}
                    wide_verdict => return Some(wide_verdict),
                }
                if verdict == Verdict::Weak(Weak::Key) {
                    return None;
                }
            }
        }
        (verdict != Verdict::No).then_some(verdict)
    }

    /// The separator behind a name, and where the value may begin.
    fn separator(&self, start: usize, end: usize, flag: bool) -> Option<(Separator, usize)> {
        let bytes = self.bytes;
        let mut at = end;
        if bytes.get(at) == Some(&b' ')
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
            && matches!(bytes.get(at + 2), Some(b':' | b'='))
        {
            at += 2;
        }
        let mut quoted = false;
        if let Some((_, after)) = value::quote_at(bytes, at) {
            (at, quoted) = (after, true);
        } else if let Some(entity) = value::entity_quote(bytes, at) {
            (at, quoted) = (at + entity.len(), true);
        }
        if matches!(bytes.get(at), Some(b']')) || bytes.get(at) == Some(&b')') && quoted {
            at += 1;
        } else {
            at = behind_index(bytes, at);
        }
        at = skip_colour(bytes, at);
        let blanks = blanks(bytes, at);
        let place = at + blanks;
        let next = *bytes.get(place)?;
        if matches!(next, b'-' | b'<' | b'*' | b'&' | b'\\' | 0xE2 | 0xEF)
            && let Some(found) = signs::unusual(bytes, (start, end), place)
        {
            return Some(found);
        }
        match next {
            b'=' if bytes.get(place + 1) == Some(&b'>') => Some((Separator::Equals, place + 2)),
            b'=' if bytes.get(place + 1) == Some(&b'=') => signs::unusual(bytes, (start, end), place),
            b'=' => Some((Separator::Equals, place + 1)),
            b'(' if blanks == 0 && at == end && !flag => Some((Separator::Call, place + 1)),
            b'(' if blanks == 1 && remark(bytes, place).is_some() => {
                remark(bytes, place).map(|value| (Separator::Colon, value))
            }
            b'|' | b'?' | b'+' | b'/' if assigns(&bytes[place..]).is_some() => {
                Some((Separator::Equals, place + assigns(&bytes[place..])?))
            }
            b':' if bytes.get(place + 1) == Some(&b'=') => Some((Separator::Equals, place + 2)),
            b':' if bytes.get(place + 1) == Some(&b':') && at == end && blanks == 0 && !flag => {
                // `userPassword:: …` of LDIF
                let encoded = bytes.get(place + 2) == Some(&b' ') && at_line_start(bytes, start);
                let made = || signs::constructor(bytes, place).map(|inside| (Separator::Call, inside));
                if encoded { Some((Separator::Colon, place + 2)) } else { made() }
            }
            b':' if bytes.get(place + 1) == Some(&b':') || bytes[place..].starts_with(b"://") => None,
            b':' => Some((Separator::Colon, place + 1)),
            b'%' if value::percent(bytes, place, b"3d").is_some() => {
                value::percent(bytes, place, b"3d").map(|value| (Separator::Equals, value))
            }
            b'%' if blanks == 0 => value::percent(bytes, place, b"3a").map(|value| (Separator::Colon, value)),
            b'\\' if bytes[place..].starts_with(b"\\u003d") || bytes[place..].starts_with(b"\\u003D") => {
                Some((Separator::Equals, place + 6))
            }
            b'&' if bytes[place..].starts_with(b"&#61;") => Some((Separator::Equals, place + 5)),
            b'<' if !quoted && elements::is_label(bytes, (start, end), place) => Some((Separator::Cell, place)),
            b'>' if !quoted && signs::tag(bytes, start).is_some() => {
                is_element(bytes, (start, end), place + 1).then_some((Separator::Element, place + 1))
            }
            // `-pSecretPass` of another program has its value already, and `-e` is none.
            0 if flag && is_short_flag(bytes, place + 1) && !bytes[..start].ends_with(b"--") => None,
            0 if flag => Some((Separator::Nul, place + 1)),
            _ => self.pair(start, at, quoted).or_else(|| {
                let attribute = blanks > 0 && signs::tag(bytes, start).is_some();
                if attribute {
                    let close = bytes[place..bytes.len().min(place + 256)].iter().position(|byte| *byte == b'>')?;
                    return (bytes[place + close - 1] != b'/').then_some((Separator::Element, place + close + 1));
                }
                if quoted && next == b',' && (flag || start > 1 && bytes[start - 2] == b'(') {
                    return (!flag || !is_keyword_argument(bytes, place + 1)).then_some((Separator::Equals, place + 1));
                }
                if quoted && let Some(found) = behind_quoted(bytes, (start, at), place) {
                    return Some(found);
                }
                if let Some(value) = pairs::tuple(bytes, start, place) {
                    return Some((Separator::Equals, value));
                }
                if (quoted || b"\n\r<,}/".contains(&next))
                    && let Some(before) = self.value_before(start)
                {
                    return Some(before);
                }
                if matches!(next, b'\n' | b'\r') {
                    if let Some(value) = signs::item_below(bytes, start, flag, place) {
                        return Some((Separator::Equals, value));
                    }
                    if let Some(value) = self.form_part(start, place) {
                        return Some((Separator::Part, value));
                    }
                    if at > end && start > 0 && bytes[start - 1] == b'[' && at_line_start(bytes, start - 1) {
                        return Some((Separator::Section, place));
                    }
                    let alone = !quoted && !flag && at_line_start(bytes, start);
                    return alone.then_some((Separator::Below, place));
                }
                (blanks > 0 && !quoted).then_some((Separator::Blank, place))
            }),
        }
    }
}

/// What separates a name in quotes between two positions from what stands at `place`: a comma, another quote, a brace.
fn behind_quoted(bytes: &[u8], (start, at): (usize, usize), place: usize) -> Option<(Separator, usize)> {
    // Nothing but the name stands in its quotes.
    let whole = |at: usize| at > 0 && b"\"'`".contains(&bytes[at - 1]);
    match bytes[place] {
        b',' if whole(start) && whole(at) => Some((Separator::Comma, place + 1)),
        // As Redis lists a command: `"SET" "requirepass" "…"`
        b'"' if place > at && bytes[start.saturating_sub(7)..start].eq_ignore_ascii_case(b"\"set\" \"") => {
            Some((Separator::Equals, place))
        }
        // `variable "db_password" {`
        b'{' if place > at && bytes[..start].ends_with(b" \"") => Some((Separator::Labelled, place)),
        _ => None,
    }
}

/// Behind `[]`, `[0]` before `=`, and `%5D`.
fn behind_index(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'[') => {
            let digits = bytes[at + 1..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
            let closed = bytes.get(at + 1 + digits) == Some(&b']');
            let indexed = closed && (digits == 0 || matches!(bytes.get(at + 2 + digits), Some(b'=' | b':')));
            if indexed { at + digits + 2 } else { at }
        }
        Some(b'%') => value::percent(bytes, at, b"5d").unwrap_or(at),
        _ => at,
    }
}

/// Whether `_auth=` of npm's configuration begins at `start`, which is no word of another language there.
fn is_npm(bytes: &[u8], start: usize) -> bool {
    bytes[start..].starts_with(b"_auth=") && (start == 0 || b"\n:".contains(&bytes[start - 1]))
}

/// Whether an argument that has a name of its own follows: `add_argument("--password", help="…")`.
fn is_keyword_argument(bytes: &[u8], at: usize) -> bool {
    const IDENTIFIER: ByteSet = ByteSet::alphanumeric_and(b"_");
    let from = at + bytes[at..].iter().take(GAP_MAX).take_while(|byte| byte.is_ascii_whitespace()).count();
    let word = IDENTIFIER.run(&bytes[from..bytes.len().min(from + WORD_BYTES_MAX)]);
    word > 0 && bytes.get(from + word) == Some(&b'=') && bytes.get(from + word + 1) != Some(&b'=')
}

/// Whether an argument that begins at `at` is `-x`.
fn is_short_flag(bytes: &[u8], at: usize) -> bool {
    bytes.get(at) == Some(&b'-')
        && bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(at + 2) == Some(&0)
}

/// The bytes of an operator that assigns what is not set yet, or adds to it.
#[inline(never)]
fn assigns(text: &[u8]) -> Option<usize> {
    const OPERATORS: [&[u8]; 5] = [b"||=", b"??=", b"//=", b"?=", b"+="];
    OPERATORS.iter().find(|operator| text.starts_with(operator)).map(|operator| operator.len())
}

/// The end of a name that is written as two words: `Pass Word`.
#[inline(never)]
fn whole_name(bytes: &[u8], start: usize, end: usize) -> usize {
    const WORDS: [&[u8]; 3] = [b"word", b"phrase", b"code"];
    if !bytes[start..end].eq_ignore_ascii_case(b"pass") {
        return end;
    }
    let rest = &bytes[end + 1..];
    let word = WORDS.iter().find(|word| {
        rest.len() >= word.len()
            && rest[..word.len()].eq_ignore_ascii_case(word)
            && rest.get(word.len()).is_none_or(|byte| !byte.is_ascii_alphanumeric())
    });
    word.map_or(end, |word| end + 1 + word.len())
}

/// Whether a name is the end of a title that begins its line: `SMTP Password = …`.
#[inline(never)]
fn is_title(bytes: &[u8], start: usize) -> bool {
    let title = prose_start(bytes, start);
    title < start && at_line_start(bytes, title)
}

/// Whether a name in angle brackets is that of an element, and not the parameter of a type: `Option<Token>`.
fn is_element(bytes: &[u8], (start, end): (usize, usize), inside: usize) -> bool {
    let before = signs::tag(bytes, start).and_then(|open| open.checked_sub(1)).map_or(b'\n', |at| bytes[at]);
    let near = &bytes[inside..bytes.len().min(inside + ELEMENT_BYTES_MAX)];
    !(before.is_ascii_alphanumeric() || before == b':')
        || find(near, b"</").is_some_and(|close| near[close + 2..].starts_with(&bytes[start..end]))
}

/// Several options of one letter: `-Pw`.
fn is_cluster(name: &[u8]) -> bool {
    name.len() <= 3 && name.iter().any(u8::is_ascii_uppercase)
}

/// Whether a name is that of a file of a path that is told about: `src/passwd.c: New file.`
fn is_file(bytes: &[u8], start: usize, end: usize) -> bool {
    let name = &bytes[start..end];
    let suffix = memchr::memrchr(b'.', name).map_or(&[][..], |dot| &name[dot + 1..]);
    start > 0
        && bytes[start - 1] == b'/'
        && (1..=5).contains(&suffix.len())
        && suffix.iter().all(u8::is_ascii_lowercase)
}

/// Bytes of a remark between a name and its colon.
const REMARK_BYTES_MAX: usize = 48;

/// Behind a remark in parentheses and a colon: `password (router): …`.
#[inline(never)]
fn remark(bytes: &[u8], at: usize) -> Option<usize> {
    const PLAIN: ByteSet = ByteSet::alphanumeric_and(b" -_.,/'");
    let near = &bytes[at + 1..bytes.len().min(at + REMARK_BYTES_MAX)];
    let length = PLAIN.run(near);
    (length > 0 && near[length..].starts_with(b"): ")).then_some(at + 1 + length + 2)
}

/// Whether a name is that of a page of a manual (`setsecret.3 …`), a key with its fingerprint, a file or a resource.
fn names_something_else(bytes: &[u8], (start, end): (usize, usize), separator: Separator, value: usize) -> bool {
    match separator {
        Separator::Blank => {
            let page = matches!(bytes[..end], [.., b'.', digit] if digit.is_ascii_digit());
            page || is_fingerprint(bytes, (start, end), value)
        }
        Separator::Colon => {
            // As parsers say it.
            let unexpected = ends_in(&bytes[..start], b"unexpected ");
            unexpected || is_file(bytes, start, end) || is_resource(bytes, start)
        }
        _ => false,
    }
}

/// Bytes of the name of a resource before one of its parts.
const RESOURCE_BYTES_MAX: usize = 96;

/// Whether what begins at `start` is a part of the name of a resource: `arn:aws:secretsmanager:eu-west-1:1:secret:db`.
fn is_resource(bytes: &[u8], start: usize) -> bool {
    const PART: ByteSet = ByteSet::alphanumeric_and(b"-_.:/");
    let near = &bytes[start.saturating_sub(RESOURCE_BYTES_MAX)..start];
    near.last() == Some(&b':') && near[near.len() - PART.run_before(near)..].starts_with(b"arn:")
}

/// Whether what follows a key is its fingerprint: `gpg: using RSA key 0A1B…`.
fn is_fingerprint(bytes: &[u8], (start, end): (usize, usize), value: usize) -> bool {
    const KINDS: [&[u8]; 6] = [b"gpg", b"pgp", b"rsa", b"dsa", b"eddsa", b"public"];
    let before = bytes[..start].strip_suffix(b" ").unwrap_or_default();
    let kind = |kind: &&[u8]| ends_in(before, kind);
    let digits = bytes[value..].iter().take(65).take_while(|byte| byte.is_ascii_hexdigit()).count();
    bytes[start..end].eq_ignore_ascii_case(b"key") && matches!(digits, 8 | 16 | 40 | 64) && KINDS.iter().any(kind)
}

/// Whether digits stand among the letters of the word at `at`.
fn has_digits(bytes: &[u8], at: usize) -> bool {
    let word = bytes[at..].iter().take(WORD_BYTES_MAX).take_while(|byte| byte.is_ascii_graphic());
    let (mut digits, mut letters) = (false, false);
    word.for_each(|byte| (digits, letters) = (digits | byte.is_ascii_digit(), letters | byte.is_ascii_alphabetic()));
    // Or a digit alone, which says how the word behind it is written.
    digits && (letters || bytes.get(at + 1) == Some(&b' '))
}

/// Whether a blank after a name may stand for a separator: in quotes, at the start of a line, in a clause, in `.netrc`.
fn worth_a_look(bytes: &[u8], start: usize, value_at: usize) -> bool {
    // A long run with a digit among its first characters: `token 3k144a5af729351d`.
    let run = bytes[value_at..].first_chunk::<16>();
    if run.is_some_and(|run| NAME.run(run) == run.len() && run.iter().any(u8::is_ascii_digit)) {
        return true;
    }
    value::quote_at(bytes, value_at).is_some()
        || bytes[value_at] == b'{'
        || at_line_start(bytes, start)
        || has_digits(bytes, value_at)
        || [b"community".as_slice(), b"auth ", b"requirepass", b"masterauth"]
            .iter()
            .any(|word| bytes[start..].starts_with(word))
        || clause::may_say(&bytes[value_at..])
        || directive::says_how(&bytes[value_at..])
        || matches!(bytes[start], b'p' | b'P') && netrc_before(bytes, start)
}
