//! Assignments whose end is told by what stands around them: the quotes around a whole assignment, the semicolons of a
//! connection string, the brackets of an array of a shell.

use super::super::bytes::find;
use super::super::pseudonym::mask_in;
use super::super::span::Form;
use super::code;
use super::name::Verdict;
use super::named::{Keyed, Name, Separator};
use super::placeholder::stands_for_one;
use super::plausible::Ends;
use super::surroundings::{at_equals, blanks, is_json_word, line_end};
use super::value::{self, Quote, Until};

/// Bytes of a connection string before and behind the name of its password.
const CONNECTION_BYTES_MAX: usize = 512;
/// Bytes of a value that may look like code.
const SETTING_BYTES_MAX: usize = 64;
/// Semicolons in a password that are looked at.
const SEMICOLONS_MAX: usize = 8;
/// Elements of an array, and bytes of all of them.
const ELEMENTS_MAX: usize = 64;
const ARRAY_BYTES_MAX: usize = 512;
/// Bytes of an entity of XML or HTML.
const ENTITY_BYTES_MAX: usize = 8;

/// Whether a name is that of a variable of a shell or an environment, followed by its value: no source code is written so.
pub(super) fn is_environment(bytes: &[u8], name: Name, from: usize) -> bool {
    at_equals(bytes, name.end, from)
        && !name.query
        && (bytes[name.start..name.end].iter().all(|byte| !byte.is_ascii_lowercase())
            || bytes[name.start..name.end].starts_with(b"TF_VAR_"))
}

/// Whether a name and its value are a line among settings of their own kind, or below the name of their section: what looks
/// like code there is none.
pub(super) fn is_setting(bytes: &[u8], name: Name, (from, end): (usize, usize)) -> bool {
    let begins = name.start == 0 || bytes[name.start - 1] == b'\n';
    if !begins || !at_equals(bytes, name.end, from) || end - from > SETTING_BYTES_MAX {
        return false;
    }
    let rest = bytes[end..].strip_prefix(b"\r").unwrap_or(&bytes[end..]);
    let like_code = memchr::memchr3(b'(', b'.', b'[', &bytes[from..end]).is_some();
    if !like_code || !matches!(rest.first(), None | Some(b'\n')) {
        return false;
    }
    let floor = name.start.saturating_sub(CONNECTION_BYTES_MAX);
    let before = bytes[floor..name.start].trim_ascii_end();
    let before = memchr::memrchr(b'\n', before).map_or(before, |line| &before[line + 1..]);
    let next = rest.strip_prefix(b"\n").unwrap_or_default();
    let next = &next[..line_end(next, 0, next.len().min(CONNECTION_BYTES_MAX))];
    let plain = |line: &[u8]| {
        let line = line.trim_ascii_end();
        let sign = memchr::memchr(b'=', line).unwrap_or(0);
        let (name, value) = (&line[..sign], line.get(sign + 1..).unwrap_or_default());
        let named = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
        let word = value.iter().all(|byte| byte.is_ascii_graphic() && !b"(){}[]<>,;$\"'`".contains(byte));
        // A mask says nothing about what stood there.
        sign > 0 && named && word && !value.is_empty() && mask_in(value).is_none()
    };
    let section = before.starts_with(b"[") && before.ends_with(b"]") && !before.contains(&b' ');
    section || plain(before) || plain(next)
}

/// Whether a value is called like its name, or is a call.
fn is_called(bytes: &[u8], name: Name, (from, end): (usize, usize)) -> bool {
    let value = &bytes[from..end];
    value.ends_with(b"()")
        || value.ends_with(&bytes[name.start..name.end])
        || matches!(bytes.get(end), Some(b'"' | b'\'' | b',')) && value.ends_with(b"(")
}

/// How the value of a variable of an environment ends: it is code where it is called like its name, or is a call.
pub(super) fn ends_of(bytes: &[u8], name: Name, value: (usize, usize)) -> Ends {
    let written = is_environment(bytes, name, value.0) || is_setting(bytes, name, value);
    if written && !is_called(bytes, name, value) { Ends::Word } else { Ends::Guessed }
}

impl Keyed<'_> {
    /// Masks what is assigned without quotes of its own, where something else tells where it ends.
    #[inline(never)]
    pub(super) fn assignment(&mut self, name: Name, separator: Separator, from: usize, to: usize) -> Option<usize> {
        let bytes = self.bytes;
        if separator != Separator::Equals
            || !matches!(name.verdict, Verdict::Strong(_))
            || value::quote_at(bytes, from).is_some()
            || matches!(bytes.get(from), None | Some(b'{' | b'$' | b';' | b'\n'))
        {
            return None;
        }
        if bytes[from] == b'(' {
            return self.array(name, from, to);
        }
        let before = bytes[..name.start].strip_suffix(b" ").unwrap_or(&bytes[..name.start]);
        if before.strip_suffix(b";").is_some_and(|text| !is_entity(text)) {
            return self.in_connection(name, from, to);
        }
        let quote = name.quote.filter(|_| at_equals(bytes, name.end, from))?;
        let whole = value::quoted_end(bytes, from, to, quote);
        if whole >= to || bytes[whole] == b'\n' {
            return None;
        }
        if name.flag {
            return self.listed(name, quote, from, whole);
        }
        if !is_environment(bytes, name, from) {
            return None;
        }
        let end = enclosed_end(bytes, from, whole);
        self.push(name, from, end, value::form_of(quote, &bytes[from..end]), Ends::Word)
    }

    /// `"--password=…"` among the arguments of a command that are listed.
    fn listed(&mut self, name: Name, quote: Quote, from: usize, whole: usize) -> Option<usize> {
        let bytes = self.bytes;
        let dashes = bytes[..name.start].iter().rev().take(2).take_while(|byte| **byte == b'-').count();
        let open = name.start.checked_sub(dashes + 1 + quote.depth)?;
        let before = bytes[..open].iter().rev().take(ENTITY_BYTES_MAX).find(|byte| !byte.is_ascii_whitespace());
        let behind = bytes[whole..].get(quote.depth + 1);
        if !matches!(before, Some(b'[' | b',')) || !matches!(behind, Some(b']' | b',')) {
            return None;
        }
        self.push(name, from, whole, value::form_of(quote, &bytes[from..whole]), Ends::Word)
    }

    /// `…;Password=…;Encrypt=True`: what stands between the semicolons, blanks and quotes included.
    fn in_connection(&mut self, name: Name, from: usize, to: usize) -> Option<usize> {
        let bytes = self.bytes;
        let floor = name.start.saturating_sub(CONNECTION_BYTES_MAX);
        let open = memchr::memrchr3(b'"', b'\'', b'\n', &bytes[floor..name.start]).map(|open| floor + open + 1);
        let quote = open.and_then(|inside| value::quote_before(bytes, inside));
        let line = line_end(bytes, from, to.min(from + CONNECTION_BYTES_MAX));
        let limit = quote.map_or(line, |quote| value::quoted_end(bytes, from, line, quote));
        let text = &bytes[from..limit];
        let closed = quote.is_some_and(|quote| bytes.get(limit + quote.depth) == Some(&quote.mark));
        let stops = |at: &usize| !is_entity(&text[..*at]) && (closed && at + 1 == text.len() || sets(&text[at + 1..]));
        let stop = memchr::memchr_iter(b';', text).take(SEMICOLONS_MAX).find(stops);
        let end = stop.map(|at| from + at).or(closed.then_some(limit))?;
        if code::is_expression(bytes, name, Separator::Equals, (from, end)) {
            return None;
        }
        let form = quote.map_or(Form::Raw, |quote| value::form_of(quote, &bytes[from..end]));
        self.push(name, from, end, form, Ends::Guessed)
    }

    /// `passwords: [first, second]` of YAML: each by itself, so that a list stays one; where scanning goes on.
    #[inline(never)]
    pub(super) fn sequence(&mut self, name: Name, from: usize, to: usize) -> Option<usize> {
        let bytes = self.bytes;
        if bytes.get(from) != Some(&b'[') || !matches!(name.verdict, Verdict::Strong(_)) {
            return None;
        }
        let near = self.line_end(from, to.min(from + ARRAY_BYTES_MAX));
        let line = bytes[from..near].trim_ascii_end();
        let inner = line.strip_prefix(b"[")?.strip_suffix(b"]")?;
        let quoted = |item: &[u8]| value::quote_at(item.trim_ascii_start(), 0).is_some();
        if memchr::memchr2(b'[', b']', inner).is_some()
            || inner.split(|byte| *byte == b',').any(quoted)
            || stands_for_one(line)
            || code::is_expression(bytes, name, Separator::Colon, (from, from + line.len()))
        {
            return None;
        }
        let (mut at, mut last) = (from + 1, from + 1);
        for item in inner.split(|byte| *byte == b',').take(ELEMENTS_MAX) {
            let start = at + blanks(bytes, at);
            let end = at + item.trim_ascii_end().len();
            // A number of JSON is left where a text would need quotes.
            let number = name.quote.is_some() && is_json_word(&bytes[start..end.max(start)]);
            if start < end && !number {
                last = self.push(name, start, end, Form::Raw, Ends::Guessed).unwrap_or(last);
            }
            at += item.len() + 1;
        }
        Some(last)
    }

    /// `PASSWORDS=(first second)`
    fn array(&mut self, name: Name, from: usize, to: usize) -> Option<usize> {
        let bytes = self.bytes;
        if !at_equals(bytes, name.end, from) || !name.line_start {
            return None;
        }
        // Commas are those of other languages.
        let near = &bytes[from..to.min(from + ARRAY_BYTES_MAX)];
        let close = from + memchr::memchr3(b')', b',', b'\n', near).filter(|stop| near[*stop] == b')')?;
        let (mut at, mut last) = (from + 1, None);
        for _ in 0..ELEMENTS_MAX {
            at += blanks(bytes, at);
            if at >= close {
                break;
            }
            let quoted = value::quote_at(bytes, at);
            let (start, end) = quoted.map_or_else(
                || (at, at + bytes[at..close].iter().take_while(|byte| !byte.is_ascii_whitespace()).count()),
                |(quote, inside)| (inside, value::quoted_end(bytes, inside, close.max(inside), quote)),
            );
            last = self.push(name, start, end, Form::Raw, Ends::Word).or(last);
            at = end + usize::from(quoted.is_some());
        }
        last
    }
}

/// Where a value ends that begins at `from` within the quotes that close at `whole`.
pub(super) fn enclosed_end(bytes: &[u8], from: usize, whole: usize) -> usize {
    let end = value::line_value(bytes, from, whole);
    let text = &bytes[from..end];
    let parted = memchr::memchr2_iter(b'&', b';', text).take(SEMICOLONS_MAX).any(|at| {
        let entity = text[at] == b';' && is_entity(&text[..at]);
        let rest = &text[at..text.len().min(at + ENTITY_BYTES_MAX)];
        let begins =
            text[at] == b'&' && memchr::memchr(b';', rest).is_some_and(|semicolon| is_entity(&rest[..semicolon]));
        !entity && !begins
    });
    if parted || find(text, b", ").is_some() { value::bare_end(bytes, from, end, Until::Blank) } else { end }
}

/// Whether a text ends in what a semicolon makes an entity: `&lt`, `&#39`.
fn is_entity(text: &[u8]) -> bool {
    let near = &text[text.len().saturating_sub(ENTITY_BYTES_MAX)..];
    memchr::memrchr(b'&', near).is_some_and(|at| {
        let name = near[at + 1..].strip_prefix(b"#").unwrap_or(&near[at + 1..]);
        name.len() > 1 && name.iter().all(u8::is_ascii_alphanumeric)
    })
}

/// Whether a further setting of a connection string begins a text: `Encrypt=`, `Trust Server Certificate=`.
fn sets(text: &[u8]) -> bool {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let name = text.iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-. ".contains(byte)).count();
    text.first().is_some_and(u8::is_ascii_alphabetic) && text.get(name) == Some(&b'=')
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn a_value_ends_where_its_surroundings_say() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("Server=db;Password=Kq93 wZorb77;Encrypt=True", "Server=db;Password=‹pw›;Encrypt=True"),
                (
                    r#"{"c":"Server=db;Password=Kq93\"wZorb;Encrypt=True"}"#,
                    r#"{"c":"Server=db;Password=‹pw›;Encrypt=True"}"#,
                ),
                ("c = \"Server=db;Pwd=Kq93 wZorb77\"", "c = \"Server=db;Pwd=‹pw›\""),
                ("Server=db;Pwd=Kq93&lt;w&amp;Zorb;Encrypt=True", "Server=db;Pwd=‹pw›;Encrypt=True"),
                (r#"Environment="DB_PASSWORD=Kq93wZorb(""#, r#"Environment="DB_PASSWORD=‹pw›""#),
                (r#"{"Env":["DB_PASSWORD=Kq93wZorb(","LANG=C"]}"#, r#"{"Env":["DB_PASSWORD=‹pw›","LANG=C"]}"#),
                (r#"{"Cmd":["app","--password=Kq93 wZorb"]}"#, r#"{"Cmd":["app","--password=‹pw›"]}"#),
                ("DB_PASSWORD=thistle.urchin\n", "DB_PASSWORD=‹pw›\n"),
                ("PASSWORD=*harbor\n", "PASSWORD=‹pw›\n"),
                ("PASSWORDS=(a1b2c3 \"d4e5f6\")\n", "PASSWORDS=(‹pw› \"‹pw›\")\n"),
                ("user=app\npassword=harbor.thistle(1)\n", "user=app\npassword=‹pw›\n"),
                ("[db]\npassword=harbor.thistle\n", "[db]\npassword=‹pw›\n"),
                ("password=order.by(id)\nport=5432\n", "password=‹pw›\nport=5432\n"),
                same("user=get(x)\npassword=get(y)\n"),
                same("user=app\npassword=config.password\n"),
                same("f(TOKEN=settings.TOKEN)"),
                same("a=1;password=form.password;b=2"),
                same("a=1;password=e.get(\"x\");b=2"),
                same("password=config.password\n"),
            ],
        );
    }
}
