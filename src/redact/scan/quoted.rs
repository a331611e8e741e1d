//! Values in quotes, and the quotes around a text in which a name stands.

use super::super::bytes::find;
use super::super::span::Form;
use super::Through;
use super::VALUE_BYTES_MAX;
use super::named::{Keyed, Name, Separator};
use super::plausible::Ends;
use super::surroundings::{blanks, line_end};
use super::value::{self, Quote, Until};

/// Bytes of a line before a name in which the quotes around it may open, and quotes within quotes.
const LINE_BYTES_MAX: usize = 512;
const OPEN_MAX: usize = 4;
/// Bytes in which a text between entities may end.
const ENTITIES_BYTES_MAX: usize = 4096;

/// A quote that is open, or three in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    quote: Quote,
    tripled: bool,
}

/// The quotes that are open around a name.
#[derive(Debug, Default)]
pub(super) struct Around {
    open: [Option<Open>; OPEN_MAX],
    /// Whether the line begins so near that it tells all of them.
    known: bool,
}

impl Around {
    /// Those around the name at `at`, as far as its line tells; none when the line begins too far before it.
    #[inline(never)]
    pub(super) fn of(bytes: &[u8], at: usize) -> Self {
        let mut around = Self::default();
        let floor = at.saturating_sub(LINE_BYTES_MAX);
        let Some(from) =
            memchr::memrchr2(b'\n', 0, &bytes[floor..at]).map(|found| floor + found + 1).or((floor == 0).then_some(0))
        else {
            return around;
        };
        around.known = true;
        let mut next = from;
        while let Some(found) = memchr::memchr3(b'"', b'\'', b'`', &bytes[next.min(at)..at]) {
            let place = next + found;
            let depth = bytes[from..place].iter().rev().take(64).take_while(|byte| **byte == b'\\').count();
            let quote = Quote { mark: bytes[place], depth };
            let tripled = depth == 0 && bytes[place..at].starts_with(&[quote.mark; 3]);
            let apart = !bytes[from..place - depth].last().is_some_and(u8::is_ascii_alphanumeric);
            around.meets(Open { quote, tripled }, apart || quote.mark == b'"');
            next = place + if tripled { 3 } else { 1 };
        }
        around
    }

    /// Closes what this quote closes, or opens it.
    fn meets(&mut self, met: Open, may_open: bool) {
        // As many backslashes as escape each other may stand before it.
        let cycle = |open: Open| met.quote.depth % (2 * (open.quote.depth + 1)) == open.quote.depth;
        let closes = |open: Open| open.quote.mark == met.quote.mark && cycle(open) && (!open.tripled || met.tripled);
        let same = |open: &Option<Open>| open.is_some_and(closes);
        if let Some(place) = self.open.iter().rposition(same) {
            self.open[place..].fill(None);
        } else if may_open
            && (met.quote.depth + 1).is_power_of_two()
            && let Some(free) = self.open.iter_mut().find(|open| open.is_none())
        {
            *free = Some(met);
        }
    }

    /// Whether this quote, behind which a text begins at `inside`, is one of them, and so closes and opens nothing. What
    /// somebody typed may follow a question: `"password: "hunter2`.
    pub(super) fn has(&self, bytes: &[u8], quote: Quote, inside: usize) -> bool {
        let tripled = bytes[inside..].starts_with(&[quote.mark; 2]);
        !bytes.get(inside).is_some_and(u8::is_ascii_alphanumeric)
            && self.open.iter().flatten().any(|open| open.quote == quote && (!open.tripled || tripled))
    }

    /// Whether it is known that there are none.
    pub(super) fn is_none(&self) -> bool {
        self.known && self.open[0].is_none()
    }

    /// Where the first of them to close does, if it does so before `to` and on its line, and which it is.
    pub(super) fn end(&self, bytes: &[u8], from: usize, to: usize) -> Option<(usize, Quote)> {
        let ends = self.open.iter().flatten().filter_map(|open| {
            if open.tripled {
                let found = find(&bytes[from..to], &[open.quote.mark; 3])?;
                return Some((from + found, open.quote));
            }
            let end = value::quoted_end(bytes, from, to, open.quote);
            (bytes[..to].get(end + open.quote.depth) == Some(&open.quote.mark)).then_some((end, open.quote))
        });
        ends.min_by_key(|(end, _)| *end)
    }
}

/// Whether quotes around a name may close within its value or be those before it, at `inside`: a glance that spares most
/// values the look at what stands before their names.
fn may_close(bytes: &[u8], inside: usize, to: usize, quote: Quote) -> bool {
    let near = &bytes[inside..to.min(inside + LINE_BYTES_MAX)];
    !near.first().is_some_and(u8::is_ascii_alphanumeric)
        || memchr::memchr3(b'"', b'\'', b'`', near).is_none_or(|mark| near[mark] != quote.mark)
}

/// Where a text in quotes begins and ends, of which the first stands before `inside`.
pub(super) fn extent(bytes: &[u8], inside: usize, to: usize, quote: Quote, separator: Separator) -> (usize, usize) {
    let single = quote.mark == b'\'' && quote.depth == 0 && separator == Separator::Colon;
    let yaml = if single { yaml_end(bytes, inside, to) } else { None };
    yaml.map(|end| (inside, end))
        .or_else(|| tripled(bytes, inside, to, quote))
        .unwrap_or_else(|| (inside, value::quoted_end(bytes, inside, to, quote)))
}

/// Where a text begins and ends that stands in three of these quotes, of which the first stands before `inside`. What ends
/// within its line, or in two quotes and nothing more, has one each.
fn tripled(bytes: &[u8], inside: usize, to: usize, quote: Quote) -> Option<(usize, usize)> {
    if quote.depth > 0 || !bytes[inside.min(to)..to].starts_with(&[quote.mark; 2]) {
        return None;
    }
    let closing = memchr::memmem::find(&bytes[inside + 2..to], &[quote.mark; 3]);
    // `'''a'` of YAML, which begins with a quote, opens no text of several lines.
    let line = line_end(bytes, (inside + 2).min(to), to);
    if closing.is_none() && bytes[inside + 2..line].contains(&quote.mark) {
        return None;
    }
    // The end of a text of several lines, of which the beginning is too far.
    if closing.is_none()
        && bytes[inside + 2..line].trim_ascii_start().first().is_some_and(|byte| b"#,]}".contains(byte))
    {
        return Some((inside, inside));
    }
    let end = closing.map_or_else(|| unclosed_end(bytes, line, to), |found| inside + 2 + found);
    Some(if bytes[inside + 2..end].starts_with(b"\n") { (inside + 3, end) } else { (inside + 2, end) })
}

/// Where a text of several lines without its closing quotes ends, whose first line ends at `line`: before a line that
/// assigns something, or opens a section.
fn unclosed_end(bytes: &[u8], mut line: usize, to: usize) -> usize {
    while line < to {
        let next = line_end(bytes, line + 1, to);
        let text = &bytes[line + 1..next];
        let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.\"' ".contains(byte)).count();
        if text.starts_with(b"[") || name > 0 && matches!(text.get(name), Some(b'=' | b':')) {
            return line;
        }
        line = next;
    }
    to
}

/// Where a text in single quotes ends as YAML has it, in which a backslash is no escape: `inside` the first quote, when
/// nothing else of the line follows.
fn yaml_end(bytes: &[u8], inside: usize, to: usize) -> Option<usize> {
    let mut at = inside;
    loop {
        let quote = at + memchr::memchr2(b'\'', b'\n', bytes.get(at..to)?)?;
        match bytes[quote..to] {
            [b'\n', ..] => return None,
            [_, b'\'', ..] => at = quote + 2,
            _ => {
                let gap = blanks(bytes, quote + 1);
                let over = match bytes[..to].get(quote + 1 + gap) {
                    Some(b'#') => gap > 0,
                    next => next.is_none_or(|next| b"\r\n,]}".contains(next)),
                };
                return over.then_some(quote);
            }
        }
    }
}

impl Keyed<'_> {
    /// What stands between quotes that are written as entities.
    pub(super) fn between_entities(
        &mut self,
        name: Name,
        entity: &[u8],
        inside: usize,
        to: usize,
    ) -> Option<(usize, Option<Through>)> {
        let bytes = self.bytes;
        let line = line_end(bytes, inside, to.min(inside + ENTITIES_BYTES_MAX));
        let end = find(&bytes[inside..line], entity)
            .map_or_else(|| value::bare_end(bytes, inside, to, Until::Blank), |found| inside + found);
        self.push(name, inside, end, Form::Raw, Ends::Marked).map(|resume| (resume, None))
    }

    /// What stands in quotes of which the first stands before `inside`.
    pub(super) fn quoted(
        &mut self,
        name: Name,
        separator: Separator,
        quote: Quote,
        inside: usize,
        to: usize,
    ) -> Option<(usize, Option<Through>)> {
        let bytes = self.bytes;
        let around = if value::quote_at(bytes, name.end).is_none() && may_close(bytes, inside, to, quote) {
            Around::of(bytes, name.start)
        } else {
            Around::default()
        };
        if around.has(bytes, quote, inside) {
            return None;
        }
        let (inside, mut end) = extent(bytes, inside, to, quote, separator);
        if end == to && inside >= to || inside == end {
            return None;
        }
        // Quotes around the whole close before those of the value: these are a part of it, or of nothing.
        let closed = around.end(bytes, inside, end);
        let outer = closed.map_or(quote, |(_, outer)| outer);
        end = closed.map_or(end, |(stop, _)| stop);
        let (inside, end) = value::within_quotes(bytes, inside, end, outer);
        // The quote after a question: `ask("Password: ")`.
        if bytes.get(end) != Some(&outer.mark) && matches!(bytes[inside..end].first(), Some(b')' | b',' | b';')) {
            return None;
        }
        let form = value::form_of(outer, &bytes[inside..end]);
        if let Some(found) = self.user_and_secret(name, inside, end) {
            return Some((found, None));
        }
        let through = (end == to && end - inside >= VALUE_BYTES_MAX / 2).then_some(Through::Quoted(quote));
        let resume = self.push(name, inside, end, form, Ends::Marked)?;
        Some((resume, through))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn a_value_ends_where_the_quotes_around_it_do() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                (r#"["token: 'hunter2", "it's"]"#, r#"["token: '‹tok›", "it's"]"#),
                same(r#"["say password=", "x"]"#),
                (r#"["x --password hun'ter2\\", "x"]"#, r#"["x --password ‹pw›", "x"]"#),
                (r#"["cookie: a=hunter2", 1]"#, r#"["cookie: a=‹cookie›", 1]"#),
                (r#"{"Authorization":"hunter\\`2x"}"#, r#"{"Authorization":"‹tok›"}"#),
                same(r#"{"Authorization" : 12}"#),
                ("curl -H 'Cookie: a=\"hunter2\"; b=hunter3' x", "curl -H 'Cookie: a=‹cookie›; b=‹cookie›' x"),
                ("url: {Cookie: a=hunter2}\n", "url: {Cookie: a=‹cookie›}\n"),
                ("cookie = '''a=hunter2'''\n", "cookie = '''a=‹cookie›'''\n"),
                ("token: '\\''hunter2'\n", "token: '‹tok›'\n"),
                ("password: '''` '\nname: '''b'\n", "password: '‹pw›'\nname: '''b'\n"),
                ("password = '''hunter2\nport = 5\n", "password = '''‹pw›\nport = 5\n"),
                ("api_key: [hunter2-x1, correct4horse]\n", "api_key: [‹key›, ‹key›]\n"),
                same("api_key: [REDACTED]\n"),
                same("pub key: [u8; 32],\n"),
            ],
        );
        check(
            Carrier::Toml,
            &[
                same("a = '''\npassword=''' # c\n"),
                ("a = '''\nsay \"token: hunter2-x'''\n", "a = '''\nsay \"token: ‹tok›'''\n"),
            ],
        );
    }
}
