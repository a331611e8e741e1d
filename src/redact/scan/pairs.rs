//! Names that are values themselves: `{"name": "DB_PASSWORD", "value": "…"}` in either order, attributes of XML and HTML,
//! property lists, parts of forms, tuples of Erlang.

use super::super::bytes::find;
use super::super::pseudonym::Class;
use super::super::span::Form;
use super::name::{self, Verdict};
use super::named::{Keyed, Name, Separator};
use super::nested::looks_owned;
use super::plausible::{Ends, is_chosen};
use super::surroundings::{GAP_MAX, blanks, line_end};
use super::vocabulary::Weak;
use super::{value, words};

/// Members that may stand between the name and the value, and bytes of each.
const MEMBERS_MAX: usize = 6;
const MEMBER_BYTES_MAX: usize = 256;
/// Bytes before a name in which its value may begin.
const BEFORE_MAX: usize = 512;
/// Bytes of a user and a secret.
const PAIR_BYTES_MAX: usize = 320;
/// Comments between two members.
const COMMENTS_MAX: usize = 4;
/// Letters before a name that are asked whether the key of its value begins there.
const KEYS_MAX: usize = 12;
/// Keys whose value is a name.
const NAMING: &[&[u8]] = &[
    b"name",
    b"key",
    b"id",
    b"field",
    b"variable",
    b"property",
    b"parameter",
    b"setting",
    b"option",
    b"header",
    b"env",
];
/// Kinds of fields of HTML whose value is what a button says.
const BUTTONS: &[&[u8]] = &[b"submit", b"button", b"checkbox", b"radio", b"reset"];

/// A key and what it assigns.
struct Member<'a> {
    key: &'a [u8],
    /// `:`, `=` or `>`.
    sign: u8,
    /// Where its value begins.
    at: usize,
}

impl Keyed<'_> {
    /// The value that follows a name which is a value itself.
    #[inline(never)]
    pub(super) fn pair(&self, start: usize, after: usize, quoted: bool) -> Option<(Separator, usize)> {
        let bytes = self.bytes;
        let mut at = after;
        let naming = naming(bytes, start);
        if quoted {
            // The end of a longer text, of a path for one, is nobody's name.
            if value::quote_before(bytes, start).is_none() && !bytes[..start].ends_with(b";") {
                return None;
            }
        } else {
            naming?;
            if bytes[at.min(bytes.len())..].starts_with(b"</") {
                at += bytes[at..bytes.len().min(at + 32)].iter().position(|byte| *byte == b'>')? + 1;
            }
        }
        // `<property name="password"><value>…`, `<entry key="password">…`
        if quoted && naming.is_some() && bytes.get(at) == Some(&b'>') {
            let inside = &bytes[at + 1..bytes.len().min(at + 1 + GAP_MAX)];
            let gap = inside.len() - inside.trim_ascii_start().len();
            if inside[gap..].len() > 7 && inside[gap..gap + 7].eq_ignore_ascii_case(b"<value>") {
                return Some((Separator::Element, at + 1 + gap + b"<value>".len()));
            }
            return (holds_a_value(bytes, start) || is_resource(bytes, start, at + 1))
                .then_some((Separator::Element, at + 1));
        }
        let typed = naming == Some(b"type".as_slice());
        if typed && !quoted {
            return None;
        }
        for _ in 0..MEMBERS_MAX {
            let member = member(bytes, at)?;
            let sign = member.sign;
            if is_value(&member, naming) {
                if sign == b'=' && says_a_button(bytes, start, member.at) {
                    return None;
                }
                return Some((if sign == b'>' { Separator::Element } else { Separator::Pair }, member.at));
            }
            naming?;
            at = behind(bytes, &member)?;
        }
        None
    }

    /// The value that stands before a name which is a value itself.
    #[inline(never)]
    pub(super) fn value_before(&self, start: usize) -> Option<(Separator, usize)> {
        let bytes = self.bytes;
        naming(bytes, start)?;
        let floor = start.saturating_sub(BEFORE_MAX);
        let mut to = start;
        // The last key that is `value` or `content`, of the few places that may be one.
        for _ in 0..KEYS_MAX {
            let place = floor + memchr::memrchr3(b'v', b'V', b'c', &bytes[floor..to])?;
            let word = bytes.get(place..place + 5).is_some_and(|word| word.eq_ignore_ascii_case(b"value"))
                || bytes[place..].starts_with(b"content=");
            // `ParameterValue`, too.
            let before = bytes[floor..place].iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let begin = place - before * usize::from(bytes[place] == b'V');
            let apart = begin > 0 && (bytes[begin - 1].is_ascii_whitespace() || b"\"'<{,".contains(&bytes[begin - 1]));
            if word && apart {
                let member = member_at(bytes, begin - usize::from(value::quote_before(bytes, begin).is_some()))?;
                let whole = member.key.eq_ignore_ascii_case(b"content")
                    || member.key.len() >= 5 && member.key[member.key.len() - 5..].eq_ignore_ascii_case(b"value");
                let closing = !whole || bytes[..begin].ends_with(b"</");
                return (!closing && self.extent_before(&member, start).is_some())
                    .then_some((Separator::Before, member.at));
            }
            to = place;
        }
        None
    }

    /// Masks the value that begins at `at`, before its name.
    #[inline(never)]
    pub(super) fn before(&mut self, name: Name, at: usize) -> Option<usize> {
        let sign = self.bytes[..at].last().copied()?;
        let (from, end) = self.extent_before(&Member { key: b"value", sign, at }, name.start)?;
        let text = &self.bytes[from..end];
        if text.contains(&b' ') || text.eq_ignore_ascii_case(&self.bytes[name.start..name.end]) {
            return None;
        }
        let quote = value::quote_before(self.bytes, from);
        let form = quote.map_or(Form::Raw, |quote| value::form_of(quote, text));
        self.push(name, from, end, form, Ends::Marked).map(|_| name.end)
    }

    /// Where the value of a member begins and ends, when nothing but members stands between it and `until`.
    fn extent_before(&self, member: &Member<'_>, until: usize) -> Option<(usize, usize)> {
        let bytes = self.bytes;
        let start = member.at + blanks(bytes, member.at);
        let (from, end, after) = match value::quote_at(bytes, start) {
            Some((quote, inside)) if member.sign != b'>' => {
                let end = value::quoted_end(bytes, inside, until, quote);
                (inside, end, end + quote.depth + 1)
            }
            _ => {
                let stop: &[u8] = match member.sign {
                    b'>' => b"<\n",
                    b'=' => b" \t\n>",
                    _ => b",}\n",
                };
                let end = start + bytes[start..until].iter().position(|byte| stop.contains(byte))?;
                (start, start + bytes[start..end].trim_ascii_end().len(), end)
            }
        };
        let between = bytes.get(after..until)?;
        let between = if member.sign == b'>' {
            let rest = between.strip_prefix(b"</")?;
            let close = rest.iter().position(|byte| *byte == b'>')?;
            rest[close + 1..].trim_ascii_start().strip_prefix(b"<")?
        } else {
            between
        };
        let listed = between.windows(2).any(|pair| pair == b"- ");
        let ends = between.iter().filter(|byte| b"{}<>[]".contains(byte)).count() > usize::from(member.sign == b'>');
        (!listed && !ends && from < end).then_some((from, end))
    }

    /// What `Content-Disposition: form-data; name="password"` and an empty line announce.
    #[inline(never)]
    pub(super) fn form_part(&self, start: usize, at: usize) -> Option<usize> {
        let bytes = self.bytes;
        if !bytes[..start].ends_with(b"; name=\"") && !bytes[..start].ends_with(b"; name=") {
            return None;
        }
        let mut line = at;
        for _ in 0..3 {
            let next = line_end(bytes, line, bytes.len().min(line + MEMBER_BYTES_MAX)) + 1;
            let end = line_end(bytes, next, bytes.len().min(next + MEMBER_BYTES_MAX));
            if bytes.get(next..end)?.trim_ascii().is_empty() {
                return Some(end + 1);
            }
            line = next;
        }
        None
    }

    /// Masks the password of `user:password` under a name that may hold both, or the base 64 of them.
    #[inline(never)]
    pub(super) fn user_and_secret(&mut self, name: Name, start: usize, end: usize) -> Option<usize> {
        let lower = &self.bytes[name.start..name.end];
        let auth = lower.len() >= 4 && lower[lower.len() - 4..].eq_ignore_ascii_case(b"auth");
        let may = match name.verdict {
            Verdict::Weak(Weak::Pair) => true,
            Verdict::Weak(Weak::Session) => auth,
            _ => false,
        };
        let text = self.bytes.get(start..end).filter(|text| may && text.len() <= PAIR_BYTES_MAX)?;
        if words::is_pair(text) && auth {
            return self.push(
                Name { verdict: Verdict::Strong(Class::Token), ..name },
                start,
                end,
                Form::Raw,
                Ends::Marked,
            );
        }
        let colon = name::pair(text)?;
        let password = Verdict::Strong(Class::Password);
        let secret = &text[colon..];
        // `admin:yonder0042`: more than the name of an algorithm or a version.
        let letters = secret.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let numbered =
            auth && letters >= 5 && secret[letters..].iter().filter(|byte| byte.is_ascii_digit()).count() > 1;
        (numbered && looks_owned(password, secret) || looks_owned(Verdict::Strong(Class::Token), secret))
            .then(|| self.push(Name { verdict: password, ..name }, start + colon, end, Form::Raw, Ends::Marked))?
    }
}

/// `{password, "…"}` and `{password, <<"…">>}`: where the value of a name that `{` precedes and `,` follows begins.
#[inline(never)]
pub(super) fn tuple(bytes: &[u8], start: usize, comma: usize) -> Option<usize> {
    let opens = start > 0 && (bytes[start - 1] == b'{' || bytes[..start].ends_with(b"{:"));
    if !opens || bytes.get(comma) != Some(&b',') {
        return None;
    }
    let gap = bytes[comma + 1..].iter().take(GAP_MAX).take_while(|byte| byte.is_ascii_whitespace()).count();
    let at = comma + 1 + gap;
    let (binary, at) = if bytes[at..].starts_with(b"<<") { (true, at + 2) } else { (false, at) };
    let (quote, inside) = value::quote_at(bytes, at)?;
    let end = value::quoted_end(bytes, inside, bytes.len().min(inside + MEMBER_BYTES_MAX), quote);
    let rest = bytes.get(end + quote.depth + 1..)?;
    let closed = if binary {
        rest.starts_with(b">>") || rest.starts_with(b"/")
    } else {
        rest.trim_ascii_start().starts_with(b"}")
    };
    closed.then_some(at)
}

/// The key that a name is the value of: `name`, `key` and the like, or `type` of a field for passwords.
fn naming(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let mut text = &bytes[start.saturating_sub(GAP_MAX)..start];
    let quoted = value::quote_before(bytes, start).map_or(0, |quote| quote.depth + 1);
    text = &text[..text.len() - quoted.min(text.len())];
    let tag = text.ends_with(b">");
    let text = if tag { &text[..text.len() - 1] } else { text.trim_ascii_end() };
    let text = if tag { text } else { text.strip_suffix(b":").or(text.strip_suffix(b"="))?.trim_ascii_end() };
    let text = match text.last() {
        Some(b'"' | b'\'') => {
            text[..text.len() - 1].trim_ascii_end().strip_suffix(b"\\").unwrap_or(&text[..text.len() - 1])
        }
        _ => text,
    };
    let word = text.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let word = &text[text.len() - word..];
    let listed = NAMING.iter().any(|name| word.len() >= name.len() && ends(word, name));
    let typed = word.eq_ignore_ascii_case(b"type")
        && bytes[start..].len() > 8
        && bytes[start..start + 8].eq_ignore_ascii_case(b"password");
    (listed || typed).then_some(word)
}

/// Whether a member holds the value of a name with such a key before it.
fn is_value(member: &Member<'_>, naming: Option<&[u8]>) -> bool {
    let key = member.key;
    match naming {
        _ if key.eq_ignore_ascii_case(b"value") => true,
        None => false,
        Some(_) if key.ends_with(b"Value") || key.ends_with(b"_value") => true,
        Some(_) if member.sign == b'>' => key.eq_ignore_ascii_case(b"string"),
        Some(_) if member.sign == b'=' => key.eq_ignore_ascii_case(b"content"),
        Some(_) => key.eq_ignore_ascii_case(b"val"),
    }
}

/// Whether a key is this word, or ends in it: `ParameterKey`, `env_name`.
fn ends(key: &[u8], word: &[u8]) -> bool {
    let at = key.len() - word.len();
    key[at..].eq_ignore_ascii_case(word)
        && (at == 0 || key[at].is_ascii_uppercase() && key[at - 1].is_ascii_lowercase() || key[at - 1] == b'_')
}

/// The member behind white space, commas and `<` at `at`.
fn member(bytes: &[u8], at: usize) -> Option<Member<'_>> {
    let mut from = at;
    for _ in 0..COMMENTS_MAX {
        let rest = bytes.get(from..)?.iter().take(GAP_MAX);
        from += rest.take_while(|byte| byte.is_ascii_whitespace() || b",;<".contains(byte)).count();
        if bytes.get(from) != Some(&b'#') {
            break;
        }
        from = line_end(bytes, from, bytes.len().min(from + MEMBER_BYTES_MAX));
    }
    (from > at).then(|| member_at(bytes, from)).flatten()
}

/// The member whose key begins at `at`, in quotes or not.
fn member_at(bytes: &[u8], at: usize) -> Option<Member<'_>> {
    let inside = value::quote_at(bytes, at).map_or(at, |(_, inside)| inside);
    let word = bytes[inside..]
        .iter()
        .take(GAP_MAX)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        .count();
    let mut after = inside + word;
    if let Some((_, outside)) = value::quote_at(bytes, after) {
        after = outside;
    }
    after += blanks(bytes, after);
    let sign = bytes.get(after).copied().filter(|sign| b":=>".contains(sign) && word > 0)?;
    Some(Member { key: &bytes[inside..inside + word], sign, at: after + 1 })
}

/// Where what follows a member begins, unless its value is no scalar.
fn behind(bytes: &[u8], member: &Member<'_>) -> Option<usize> {
    let to = bytes.len().min(member.at + MEMBER_BYTES_MAX);
    let start = member.at + blanks(bytes, member.at);
    if member.sign == b'>' {
        let close = start + bytes.get(start..to)?.iter().position(|byte| *byte == b'<')?;
        bytes[close..to].strip_prefix(b"</")?;
        return Some(close + bytes[close..to].iter().position(|byte| *byte == b'>')? + 1);
    }
    if let Some((quote, inside)) = value::quote_at(bytes, start) {
        let end = value::quoted_end(bytes, inside, to, quote);
        return (end < to && bytes[end] != b'\n').then_some(end + quote.depth + 1);
    }
    let stop: &[u8] = if member.sign == b'=' { b" \t\n>/" } else { b",}\n" };
    let end = start + bytes.get(start..to)?.iter().position(|byte| stop.contains(byte) || b"{[".contains(byte))?;
    (!b"{[".contains(&bytes[end])).then_some(end)
}

/// Whether the tag around a name is that of a setting whose value is its text.
fn holds_a_value(bytes: &[u8], start: usize) -> bool {
    let before = &bytes[start.saturating_sub(GAP_MAX)..start];
    let Some(open) = memchr::memrchr(b'<', before) else { return false };
    let tag = &before[open + 1..];
    let length = tag.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    [b"entry".as_slice(), b"prop", b"property", b"setting", b"param", b"parameter", b"variable", b"env"]
        .iter()
        .any(|listed| tag[..length].eq_ignore_ascii_case(listed))
}

/// Whether the element around a name is a text of a program, `<string name="api_secret">`, and one that looks like nothing
/// but a secret: what people read has the same names.
fn is_resource(bytes: &[u8], start: usize, at: usize) -> bool {
    let before = &bytes[start.saturating_sub(GAP_MAX)..start];
    let tag = memchr::memrchr(b'<', before).is_some_and(|open| before[open..].starts_with(b"<string "));
    let text = &bytes[at..bytes.len().min(at + MEMBER_BYTES_MAX)];
    tag && memchr::memchr(b'<', text).is_some_and(|end| is_chosen(&text[..end]))
}

/// Whether the tag around a name is that of a field whose value people see.
fn says_a_button(bytes: &[u8], start: usize, to: usize) -> bool {
    let before = &bytes[start.saturating_sub(MEMBER_BYTES_MAX)..start];
    let from = start - memchr::memrchr(b'<', before).map_or(0, |open| before.len() - open);
    BUTTONS.iter().any(|button| find(&bytes[from..to], button).is_some())
}
