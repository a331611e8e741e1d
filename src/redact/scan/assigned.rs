//! What is assigned to a secret-named key: quoted, bare, in a list, in an element, on the lines below.

use super::super::bytes::{begins_with, find};
use super::super::pseudonym::Class;
use super::super::span::Form;
use super::connect::looks_chosen;
use super::directive::Directive;
use super::name::{Verdict, is_header};
use super::named::{Keyed, Name, Separator};
use super::nested::opening;
use super::plausible::Ends;
use super::quoted::Around;
use super::surroundings::{
    blanks, block_scalar, is_config_name, is_json_word, is_toml_line, line_end, next_line, shell_default, skip_colour,
    unwrapped, weak_end,
};
use super::value::{self, SENTENCE_BYTES_MAX, Until};
use super::{
    Through, VALUE_BYTES_MAX, assignment, clause, code, dumps, glance, hashes, header, prose, signs, unassigned,
};

/// Elements of a list of secrets.
const LIST_MAX: usize = 256;
/// Bytes of a value that may be the name of something else.
const WORD_BYTES_MAX: usize = 96;
/// Bytes before a name in which the line before may stand.
const BEFORE_BYTES_MAX: usize = 256;
/// Bytes of a value in braces, as ODBC has it.
const BRACED_BYTES_MAX: usize = 1024;
/// Bytes of a value under a name that may be that of a secret.
const WEAK_BYTES_MAX: usize = 1280;
/// Bytes of the line of a long bracket or of a text below it.
const BRACKET_BYTES_MAX: usize = 4096;

/// Whether a secret under a name of this verdict is long: a code that is used once and what is chosen are not.
fn is_long(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Weak(weak) if !weak.is_short())
}

impl Keyed<'_> {
    pub(super) fn value(&mut self, name: Name, separator: Separator, at: usize) -> Option<(usize, Option<Through>)> {
        let bytes = self.bytes;
        let to = bytes.len().min(name.end + VALUE_BYTES_MAX);
        if separator == Separator::Equals {
            if is_long(name.verdict) && glance::is_too_short(&bytes[at..to]) {
                return None;
            }
            if let Some(end) = glance::mixed_end(bytes, name, at) {
                return self.told(name, at, end, Form::Raw).map(|resume| (resume, None));
            }
        }
        if matches!(separator, Separator::Before | Separator::Part | Separator::Element | Separator::Cell) {
            return self.placed(name, separator, at, to);
        }
        let mut from = skip_colour(bytes, at + blanks(bytes, at));
        from += blanks(bytes, from);
        let assigned = matches!(separator, Separator::Colon | Separator::Equals | Separator::Pair);
        if let Some(block) = block_scalar(bytes, name.start, from, to).filter(|_| assigned) {
            return self.block(name, block, to);
        }
        let lower = &bytes[name.start..name.end];
        if is_header(lower) && !matches!(separator, Separator::Blank | Separator::Comma | Separator::Below) {
            return header::mask(self, (name.start, name.end), at, to);
        }
        if assigned {
            from = assigned_at(bytes, name, separator, from, to);
        }
        // `--password= word`: the option without its argument, told about.
        if name.flag && bytes[at - 1] == b'=' && from > at {
            return None;
        }
        let table = opening(bytes, from, to);
        if matches!(bytes.get(table), Some(b'{' | b'[' | b'\n' | b'\r' | b'('))
            && let Some(found) = self.children(name, separator, table, to)
        {
            return Some((found, None));
        }
        if table != from || matches!(separator, Separator::Section | Separator::Labelled) {
            return None;
        }
        let mut name = name;
        if separator == Separator::Blank {
            match self.directive(name, from, to) {
                Directive::Value(strong, at) => (name, from) = (strong, at),
                Directive::Done(done) => return done,
            }
        }
        if matches!(separator, Separator::Below | Separator::Comma) && !matches!(name.verdict, Verdict::Strong(_)) {
            return None;
        }
        if separator == Separator::Below {
            let (start, end) = clause::below(bytes, from, to)?;
            return self.push(name, start, end, Form::Raw, Ends::Guessed).map(|resume| (resume, None));
        }
        if separator == Separator::Colon && matches!(bytes.get(from), Some(b'\n' | b'\r')) {
            let strong = matches!(name.verdict, Verdict::Strong(_)) && name.quote.is_none();
            let (start, end) = clause::answer(bytes, from, to).filter(|_| strong)?;
            return self.push(name, start, end, Form::Raw, Ends::Guessed).map(|resume| (resume, None));
        }
        if separator == Separator::Equals
            && matches!(bytes.get(from), Some(b'(' | b'[' | b'$'))
            && let Some(resume) = self.second(name, from).or_else(|| self.long_bracket(name, from, to))
        {
            return Some((resume, None));
        }
        if let Some(resume) = self.assignment(name, separator, from, to) {
            return Some((resume, None));
        }
        from = unwrapped(bytes, from, to);
        if let Some(found) = self.list(name, from, to) {
            return Some((found, None));
        }
        if separator == Separator::Colon
            && let Some(found) = self.sequence(name, from, to)
        {
            return Some((found, None));
        }
        if let Some((quote, inside)) = value::quote_at(bytes, from) {
            if separator == Separator::Comma && !clause::is_listed(bytes, quote, inside, to)
                || self.is_unassigned(name, separator, quote, inside, to)
            {
                return None;
            }
            return self.quoted(name, separator, quote, inside, to);
        }
        if separator == Separator::Comma {
            return None;
        }
        if let Some(entity) = value::entity_quote(bytes, from) {
            let inside = from + entity.len();
            return self.between_entities(name, entity, inside, to);
        }
        self.bare(name, separator, from, to)
    }

    /// The value of a name whose separator says all about where that stands.
    fn placed(&mut self, name: Name, separator: Separator, at: usize, to: usize) -> Option<(usize, Option<Through>)> {
        let resume = match separator {
            Separator::Before => self.before(name, at)?,
            Separator::Cell => self.cell_behind(name, at, to)?,
            Separator::Part => {
                let end = line_end(self.bytes, at, to);
                let end = at + self.bytes.get(at..end)?.trim_ascii_end().len();
                self.push(name, at, end, Form::Raw, Ends::Marked)?
            }
            _ => return self.element(name, at, to),
        };
        Some((resume, None))
    }

    /// What is assigned without quotes to a name that may be that of a secret.
    fn weak(&mut self, name: Name, separator: Separator, from: usize, to: usize) -> Option<(usize, Option<Through>)> {
        let bytes = self.bytes;
        let mut near = to.min(from + WEAK_BYTES_MAX);
        if is_percent(bytes, name, from) {
            near = memchr::memchr(b'%', &bytes[from..near]).map_or(near, |sign| from + sign);
        }
        let end = weak_end(bytes, from, self.memory.last_value.token_end(bytes, from, near), near);
        let far = if bytes.get(end) == Some(&b':') {
            self.memory.last_value.bare_end(bytes, from, near, Until::Blank)
        } else {
            end
        };
        if let Some(found) = self.user_and_secret(name, from, far) {
            return Some((found, None));
        }
        let form = number_form(name, separator, &bytes[from..end]).unwrap_or(Form::Raw);
        self.push(name, from, end, form, Ends::Guessed).map(|resume| (resume, None))
    }

    fn bare(&mut self, name: Name, separator: Separator, from: usize, to: usize) -> Option<(usize, Option<Through>)> {
        let bytes = self.bytes;
        if let Verdict::Weak(_) = name.verdict {
            return self.weak(name, separator, from, to);
        }
        if separator == Separator::Colon
            && let Some((start, end)) = prose::spaced_pair(bytes, from)
        {
            return self.push(name, start, end, Form::Raw, Ends::Guessed).map(|resume| (resume, None));
        }
        let password = matches!(name.verdict, Verdict::Strong(Class::Password));
        if !password && !name.flag && value::is_table(bytes, from, to) {
            return None;
        }
        if bytes.get(from) == Some(&b'{')
            && separator == Separator::Equals
            && bytes.get(from.wrapping_sub(1)) == Some(&b'=')
        {
            let near = &bytes[from..to.min(from + BRACED_BYTES_MAX)];
            if let Some(close) = memchr::memchr3(b'}', b'\n', 0, near).filter(|close| near[*close] == b'}')
                && !b"{\"' %}\\".contains(&bytes[from + 1])
                && Around::of(bytes, name.start).end(bytes, from, from + close).is_none()
                && bytes.get(from + close + 1).is_none_or(|byte| byte.is_ascii_whitespace() || b";\"'\0".contains(byte))
            {
                return self.push(name, from + 1, from + close, Form::Raw, Ends::Marked).map(|resume| (resume, None));
            }
        }
        if bytes.get(from) == Some(&b'$') && hashes::begins(bytes, from) || value::is_structure(bytes, from, to) {
            return None;
        }
        // A list or an object of JSON; what is secret in it has its own name, or quotes.
        if separator == Separator::Colon
            && name.quote.is_some()
            && value::quote_at(bytes, name.end).is_some()
            && matches!(bytes.get(from), Some(b'[' | b'{'))
        {
            return None;
        }
        if let Some(found) = shell_default(bytes, from, to) {
            return self.push(name, found.0, found.1, Form::Raw, Ends::Marked).map(|resume| (resume, None));
        }
        if let Some(quote) = name.quote.filter(|_| matches!(separator, Separator::Equals) && !name.flag)
            && !value::quote_at(bytes, name.end).is_some_and(|(closing, _)| closing == quote)
        {
            let whole = value::quoted_end(bytes, from, to, quote);
            if whole < to && bytes.get(whole) != Some(&b'\n') {
                let end = assignment::enclosed_end(bytes, from, whole);
                let form = value::form_of(quote, &bytes[from..end]);
                return self.push(name, from, end, form, Ends::Guessed).map(|resume| (resume, None));
            }
        }
        if bytes.get(from) == Some(&b'#') && from > 0 && matches!(bytes[from - 1], b' ' | b'\t') {
            return None;
        }
        let line = self.line_end(from, to.min(from + SENTENCE_BYTES_MAX));
        let prose = separator == Separator::Colon || from > name.end + 2;
        if prose && !name.flag && is_prose(bytes, name, separator, &bytes[from..line]) {
            return None;
        }
        let (end, until) = self.bare_end(name, separator, (from, line), to);
        if name.flag && unassigned::is_metavariable(bytes, name, from, end) {
            return None;
        }
        let ends =
            if separator == Separator::Equals { assignment::ends_of(bytes, name, (from, end)) } else { Ends::Guessed };
        if !name.flag
            && ends == Ends::Guessed
            && !code::is_plain(&bytes[from..end])
            && code::is_expression(bytes, name, separator, (from, end))
        {
            return None;
        }
        // A short name that programs have for other things, too.
        if ends == Ends::Guessed
            && from > name.end + 1
            && end - from <= WORD_BYTES_MAX
            && bytes[name.start..name.end].eq_ignore_ascii_case(b"pw")
            && !looks_chosen(&bytes[from..end])
        {
            return None;
        }
        let form = match number_form(name, separator, &bytes[from..end]) {
            Some(number) => number,
            None if name.quote.is_none()
                && separator == Separator::Equals
                && name.line_start
                && is_toml_line(bytes, name.start, name.end, end) =>
            {
                Form::Bare { quote: b'"', depth: 0 }
            }
            None => Form::Raw,
        };
        let through = (end == to && end - from >= VALUE_BYTES_MAX / 2).then_some(Through::Bare(until));
        let resume = self.push(name, from, end, form, ends)?;
        Some((resume, through))
    }

    /// Where a value without quotes ends whose line does at `line`, and what ends it.
    fn bare_end(
        &mut self,
        name: Name,
        separator: Separator,
        (from, line): (usize, usize),
        to: usize,
    ) -> (usize, Until) {
        let bytes = self.bytes;
        let shell = separator == Separator::Equals && assignment::is_environment(bytes, name, from);
        let whole_line = name.line_start
            && !name.flag
            && !shell
            && matches!(separator, Separator::Equals | Separator::Colon)
            && bytes.get(from) != Some(&b'{');
        let until = match separator {
            Separator::Equals | Separator::Colon if is_percent(bytes, name, from) => Until::Encoded,
            Separator::Equals if name.query => Until::Query,
            _ if whole_line => Until::Line,
            _ => Until::Blank,
        };
        let mut end = self.memory.last_value.bare_end(bytes, from, to, until);
        if until == Until::Blank && separator != Separator::Blank && clause::is_phrase(&bytes[name.start..name.end]) {
            end = clause::phrase_end(bytes, from, end, line);
        }
        if until == Until::Line {
            end = value::line_value(bytes, from, end);
            if name.quote.is_some() {
                end = end.min(value::bare_end(bytes, from, to, Until::Blank));
            }
        }
        (end, until)
    }

    /// A YAML block scalar: every line is masked by itself.
    fn block(&mut self, name: Name, (mut at, indent): (usize, usize), to: usize) -> Option<(usize, Option<Through>)> {
        let mut last = None;
        if self.bytes[at..to].trim_ascii_start().starts_with(b"-----BEGIN") {
            return None;
        }
        while at < to {
            let line = line_end(self.bytes, at, to);
            let from = at + self.bytes[at..line].iter().take_while(|byte| **byte == b' ').count();
            if from < line && from - at < indent {
                break;
            }
            let end = line - usize::from(line > from && self.bytes[line - 1] == b'\r');
            if from < end {
                last = self.push(name, from, end, Form::Raw, Ends::Marked).or(last);
            }
            at = line + 1;
        }
        last.map(|resume| (resume, None))
    }

    /// `[[…]]` of Lua, and `$(cat <<EOF` of shells with the line below.
    fn long_bracket(&mut self, name: Name, from: usize, to: usize) -> Option<usize> {
        let bytes = self.bytes;
        let line = line_end(bytes, from, to.min(from + BRACKET_BYTES_MAX));
        let text = &bytes[from..line];
        if let Some(inner) = text.strip_prefix(b"[[") {
            let close = find(inner, b"]]")?;
            let plain = inner[..close].iter().all(|byte| byte.is_ascii_graphic() && !b"[]\"',{}$".contains(byte));
            return (plain && close > 0)
                .then(|| self.push(name, from + 2, from + 2 + close, Form::Raw, Ends::Marked))?;
        }
        let mark = text.strip_prefix(b"$(cat <<")?.trim_ascii();
        let mark = mark.iter().position(u8::is_ascii_alphanumeric).map(|at| &mark[at..])?;
        let mark = &mark[..mark.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()];
        let start = line + 1;
        let end = line_end(bytes, start.min(to), to.min(start + BRACKET_BYTES_MAX));
        let ended = bytes.get(end + 1..).is_some_and(|rest| rest.trim_ascii_start().starts_with(mark));
        (ended && start < end).then(|| self.push(name, start, end, Form::Raw, Ends::Marked))?
    }

    fn list(&mut self, name: Name, from: usize, to: usize) -> Option<usize> {
        if self.bytes.get(from) != Some(&b'[') || !matches!(name.verdict, Verdict::Strong(_)) {
            return None;
        }
        let mut at = from + 1;
        let mut last = None;
        for _ in 0..LIST_MAX {
            at += self.bytes[at.min(to)..to]
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace() || **byte == b',')
                .count();
            if let Some((quote, inside)) = value::quote_at(self.bytes, at) {
                // Texts of several lines in a list are those of TOML, which is read by its layout.
                if quote.depth == 0 && self.bytes[inside..].starts_with(&[quote.mark; 2]) {
                    break;
                }
                let end = value::quoted_end(self.bytes, inside, to, quote);
                // Quotes around the whole close before the first of these does, or are these.
                if last.is_none() && value::quote_at(self.bytes, name.end).is_none() {
                    let around = Around::of(self.bytes, name.start);
                    if around.has(self.bytes, quote, inside) || around.end(self.bytes, inside, end).is_some() {
                        break;
                    }
                }
                // `['name' => …]`
                if self.bytes[end..to].iter().skip(1).find(|byte| **byte != b' ') == Some(&b'=') {
                    break;
                }
                last = self.push(name, inside, end, Form::Raw, Ends::Marked).or(last);
                at = end + quote.depth + 1;
            } else if last.is_none() && self.bytes.get(at).is_some_and(u8::is_ascii_digit) {
                let end = at
                    + self.bytes[at..to]
                        .iter()
                        .take_while(|byte| byte.is_ascii_digit() || b", \n\t".contains(byte))
                        .count();
                let numbers = memchr::memchr_iter(b',', &self.bytes[at..end]).count();
                if self.bytes.get(end) == Some(&b']') && numbers >= 7 {
                    return self.push(name, at, end, Form::Raw, Ends::Marked);
                }
                return None;
            } else {
                break;
            }
        }
        last
    }
}

impl Name {
    pub(super) fn line_start_or_command(self, bytes: &[u8]) -> bool {
        let before = bytes[..self.start].iter().rev().take(4).find(|byte| **byte != b'-');
        before.is_none_or(|byte| byte.is_ascii_whitespace() || b"\"'`\0[,".contains(byte))
    }
}

/// Where what is assigned begins, behind markup, a type or a line end at `from`.
#[inline]
fn assigned_at(bytes: &[u8], name: Name, separator: Separator, from: usize, to: usize) -> usize {
    let colon = separator == Separator::Colon;
    let mut from = from;
    if colon && matches!(bytes.get(from), Some(b'*' | b'_' | b'<')) {
        from = signs::behind_markup(bytes, from, to);
    }
    if matches!(bytes.get(from), Some(b'\n' | b'\r' | b's' | b'(')) {
        from = dumps::typed_text(bytes, from, to).unwrap_or(from);
    }
    from = next_line(bytes, name.start, from, to, colon).unwrap_or(from);
    if colon && value::quote_at(bytes, from).is_none() {
        from = code::typed_default(bytes, from, to).unwrap_or(from);
    }
    dumps::chosen(bytes, from, to)
}

/// How a number of JSON is written once it is none: in quotes like those of its name.
fn number_form(name: Name, separator: Separator, value: &[u8]) -> Option<Form> {
    let quote = name.quote.filter(|_| separator == Separator::Colon && is_json_word(value))?;
    Some(Form::Bare { quote: quote.mark, depth: u8::try_from(quote.depth).unwrap_or(0) })
}

/// What a message says when a secret was not taken.
const DENIALS: &[&[u8]] = &[b"permission denied", b"access denied", b"authentication fail", b"login incorrect"];

/// Whether what stands behind a name on its line is told about it. Where a line of a configuration begins it may be a phrase.
fn is_prose(bytes: &[u8], name: Name, separator: Separator, line: &[u8]) -> bool {
    let text = &bytes[name.start..name.end];
    let config = name.line_start && is_config_name(text);
    let words = || line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    // `passwd: password unchanged`, `token: not found`: nobody's phrase says what it is, or begins like that.
    let says = || words().any(value::is_name_word) || words().next().is_some_and(is_predicate);
    value::is_prose(line) && (!config || words().count() > 4 || says())
        || line.first().is_some_and(|first| b"palPAL".contains(first))
            && DENIALS.iter().any(|denial| begins_with(line, denial))
        || matches!(name.verdict, Verdict::Strong(Class::Key | Class::Token))
            && separator == Separator::Colon
            && value::is_told(line)
            && find(text, b"ecret").is_none()
            && !clause::is_phrase(text)
        || text == b"PASS" && is_test_result(bytes, name.start, line)
}

/// Whether a word begins what is said of a secret.
fn is_predicate(word: &[u8]) -> bool {
    matches!(
        word,
        b"not"
            | b"must"
            | b"is"
            | b"was"
            | b"has"
            | b"see"
            | b"siehe"
            | b"wie"
            | b"beim"
            | b"cannot"
            | b"managed"
            | b"provided"
            | b"stored"
            | b"injected"
    )
}

/// `PASS: name of a test`, and not the password of the user in the line before.
fn is_test_result(bytes: &[u8], start: usize, line: &[u8]) -> bool {
    let before = &bytes[start.saturating_sub(BEFORE_BYTES_MAX)..start];
    let before = before.trim_ascii_end();
    let previous = memchr::memrchr(b'\n', before).map_or(before, |at| &before[at + 1..]).trim_ascii_start();
    let user = [b"user".as_slice(), b"login", b"email", b"account"].iter().any(|word| begins_with(previous, word));
    !user || line.trim_ascii().contains(&b' ')
}

/// Whether the sign between a name and its value at `from`, or the quote before the name, is percent-encoded.
#[inline]
fn is_percent(bytes: &[u8], name: Name, from: usize) -> bool {
    let quoted = name.start >= 3 && (bytes[..name.start].ends_with(b"%22") || bytes[..name.start].ends_with(b"%27"));
    quoted || bytes.get(name.end..from).is_some_and(|between| between.contains(&b'%'))
}
