//! Signs between a name and its value beyond `=` and `:`: arrows, comparisons, the ends of tags, items of a list, and marks
//! of text for people.

use super::connect::looks_chosen;
use super::named::Separator;
use super::plausible::{CHOSEN_BYTES_MIN, is_chosen};
use super::surroundings::{GAP_MAX, blanks, line_end};
use super::value;

/// Bytes of a value that is told by its look.
const VALUE_BYTES_MAX: usize = 96;
/// Bytes of the prefix of an element's name, and of what may stand between a label and its value.
const PREFIX_BYTES_MAX: usize = 32;
const MARKUP_BYTES_MAX: usize = 128;
/// Tags between a label and its value.
const TAGS_MAX: usize = 4;

/// Signs of scripts whose letters are as wide as high, and the arrow: they end a name like `:` and `=`.
const WIDE: [&[u8]; 4] = ["\u{ff1a}".as_bytes(), "\u{ff1d}".as_bytes(), "\u{2192}".as_bytes(), "\u{21d2}".as_bytes()];
/// What else stands between words there.
const BETWEEN: [&[u8]; 6] = [
    "\u{ff0c}".as_bytes(),
    "\u{3001}".as_bytes(),
    "\u{3002}".as_bytes(),
    "\u{300c}".as_bytes(),
    "\u{ff08}".as_bytes(),
    "\u{ff1b}".as_bytes(),
];

/// The bytes of a wide sign that begins a text.
fn wide(text: &[u8]) -> Option<usize> {
    WIDE.iter().find(|sign| text.starts_with(sign)).map(|sign| sign.len())
}

/// The name among a run of bytes beyond ASCII: what stands between two wide signs around `at`.
#[inline(never)]
pub(super) fn between_wide(bytes: &[u8], start: usize, at: usize, end: usize) -> (usize, usize) {
    let signs = || WIDE.iter().chain(&BETWEEN);
    let is_sign = |place: &usize| bytes[*place] >= 0xE2 && signs().any(|sign| bytes[*place..end].starts_with(sign));
    let from = (start..at).rev().find(is_sign).map_or(start, |place| place + 3);
    (from.min(at), (at..end).find(is_sign).unwrap_or(end))
}

/// The sign at `place`, behind the name between two positions, when it is none of the usual ones.
#[inline(never)]
pub(super) fn unusual(bytes: &[u8], (start, end): (usize, usize), place: usize) -> Option<(Separator, usize)> {
    let rest = &bytes[place..];
    if let Some(sign) = wide(rest) {
        let after = place + sign;
        let colon = rest.starts_with(WIDE[0]) || rest.starts_with(WIDE[1]);
        let text = bytes.get(after + blanks(bytes, after)).is_some_and(u8::is_ascii_graphic);
        return (colon && text || is_chosen_at(bytes, after)).then_some((Separator::Equals, after));
    }
    match rest {
        [b'-', b'>', b' ', ..] if place > end => {
            is_chosen_at(bytes, place + 2).then_some((Separator::Equals, place + 2))
        }
        // `the password - …`, as people write.
        [b'-', b' ', ..] if place > end => is_told_at(bytes, place + 1).then_some((Separator::Equals, place + 1)),
        [0xE2, 0x80, 0x93 | 0x94, b' ', ..] if place > end => {
            is_told_at(bytes, place + 3).then_some((Separator::Equals, place + 3))
        }
        // As R assigns.
        [b'<', b'-', ..] => {
            let value = place + 2 + blanks(bytes, place + 2);
            value::quote_at(bytes, value).map(|_| (Separator::Equals, value))
        }
        // Attributes of RADIUS; what programs compare with looks like no secret.
        [b'=', b'=', next, ..] if *next != b'=' => {
            let value = place + 2 + blanks(bytes, place + 2);
            let quoted = value::quote_at(bytes, value).is_some();
            (quoted && is_chosen_at(bytes, value)).then_some((Separator::Equals, value))
        }
        // `**Password**: …`
        [b'*', b'*', b':', b' ', ..] => Some((Separator::Colon, place + 3)),
        // `&lt;password&gt;…`, `\u003cpassword\u003e…`
        [b'&', b'g', b't', b';', ..] => {
            escaped_tag(bytes, start, b"&lt;").then_some((Separator::Equals, place + b"&gt;".len()))
        }
        [b'\\', b'u', b'0', b'0', b'3', b'e' | b'E', ..] => {
            let opens = escaped_tag(bytes, start, b"\\u003c") || escaped_tag(bytes, start, b"\\u003C");
            opens.then_some((Separator::Equals, place + b"\\u003e".len()))
        }
        _ => None,
    }
}

/// Whether the name at `start` is that of an element whose bracket is escaped like this.
fn escaped_tag(bytes: &[u8], start: usize, bracket: &[u8]) -> bool {
    let before = &bytes[start.saturating_sub(PREFIX_BYTES_MAX)..start];
    let prefix = before.strip_suffix(b":").unwrap_or(before);
    let word = before.len() - prefix.len();
    let letters = prefix.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    before.ends_with(bracket) || word > 0 && prefix[..prefix.len() - letters].ends_with(bracket)
}

/// Where the tag begins whose element's name begins at `start`: `<password`, `<wsse:Password`.
pub(super) fn tag(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes[..start].last()? {
        b'<' => Some(start - 1),
        b':' => {
            let before = &bytes[start.saturating_sub(PREFIX_BYTES_MAX)..start - 1];
            let word = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
            let open = before.len().checked_sub(word.count() + 1)?;
            (open + 1 < before.len() && before[open] == b'<').then(|| start - 1 - (before.len() - open))
        }
        _ => None,
    }
}

/// Whether the word at `at` looks like nothing but a secret, and like no name with a number.
fn is_told_at(bytes: &[u8], at: usize) -> bool {
    let from = at + blanks(bytes, at);
    let to = line_end(bytes, from.min(bytes.len()), bytes.len().min(from + VALUE_BYTES_MAX));
    let end = value::bare_end(bytes, from.min(to), to, value::Until::Blank);
    looks_chosen(&bytes[from.min(end)..end])
}

/// Whether the word at `at`, in quotes or not, looks like nothing but a secret.
fn is_chosen_at(bytes: &[u8], at: usize) -> bool {
    let from = at + blanks(bytes, at);
    let to = line_end(bytes, from.min(bytes.len()), bytes.len().min(from + VALUE_BYTES_MAX));
    let end = match value::quote_at(&bytes[..to], from) {
        Some((quote, inside)) => return is_chosen(&bytes[inside..value::quoted_end(bytes, inside, to, quote)]),
        None => value::bare_end(bytes, from.min(to), to, value::Until::Blank),
    };
    end - from.min(to) >= CHOSEN_BYTES_MIN && is_chosen(&bytes[from..end])
}

/// The value on the line below a name that is the key of a map or an item of a list in YAML: `? password` above `: …`,
/// `- --token` above `- …`. `line` is where the name's line ends.
#[inline(never)]
pub(super) fn item_below(bytes: &[u8], start: usize, flag: bool, line: usize) -> Option<usize> {
    let floor = start.saturating_sub(GAP_MAX);
    let begin = memchr::memrchr(b'\n', &bytes[floor..start]).map_or(floor, |found| floor + found + 1);
    let before = &bytes[begin..start];
    let indent = before.iter().take_while(|byte| **byte == b' ').count();
    let mark = *before.get(indent)?;
    let dashes: &[u8] = if flag { b"-\"'" } else { b"\"'" };
    let plain = before[indent + 1..].strip_prefix(b" ")?.iter().all(|byte| dashes.contains(byte));
    let next = line + usize::from(bytes.get(line) == Some(&b'\r')) + 1;
    let rest = bytes.get(next..)?;
    let same = rest.len() > indent + 2 && rest[..indent].iter().all(|byte| *byte == b' ') && rest[indent + 1] == b' ';
    let value = next + indent + 2;
    let fits = match mark {
        b'?' => rest.get(indent) == Some(&b':'),
        b'-' if rest.get(indent) == Some(&b'-') => {
            flag && bytes.get(value) != Some(&b'-') || is_chosen_at(bytes, value)
        }
        _ => false,
    };
    (plain && same && fits).then_some(value)
}

/// Behind what text for people has between a label and its value: `**`, `</b>`, `</dt><dd>`, `</span> <code>`.
#[inline(never)]
pub(super) fn behind_markup(bytes: &[u8], at: usize, to: usize) -> usize {
    let to = to.min(at + MARKUP_BYTES_MAX);
    let rest = &bytes[at.min(to)..to];
    if rest.starts_with(b"** ") || rest.starts_with(b"__ ") {
        return at + 2 + blanks(bytes, at + 2);
    }
    if !rest.starts_with(b"</") {
        return at;
    }
    let mut place = at;
    for _ in 0..TAGS_MAX {
        place += bytes[place..to].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let tag = &bytes[place..to];
        if tag.len() < 3 || tag[0] != b'<' || !(tag[1] == b'/' || tag[1].is_ascii_alphabetic()) {
            break;
        }
        let Some(close) = memchr::memchr2(b'>', b'\n', tag).filter(|close| tag[*close] == b'>') else { return at };
        place += close + 1;
    }
    place
}

/// Where the argument begins of `::new(` and its kin, with which a type takes what it is called after.
pub(super) fn constructor(bytes: &[u8], place: usize) -> Option<usize> {
    const MAKERS: [&[u8]; 6] = [b"new(", b"from(", b"from_str(", b"of(", b"parse(", b"from_string("];
    let rest = bytes[place..].strip_prefix(b"::")?;
    MAKERS.iter().find(|maker| rest.starts_with(maker)).map(|maker| place + 2 + maker.len())
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn signs_of_all_kinds_stand_between_a_name_and_its_value() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("\u{5bc6}\u{7801}\u{ff1a}hunter2", "\u{5bc6}\u{7801}\u{ff1a}‹pw›"),
                ("user\u{ff1a}bob\u{ff0c}password\u{ff1a}hunter2", "user\u{ff1a}bob\u{ff0c}password\u{ff1a}‹pw›"),
                ("Token \u{2192} Kq93!wZorb", "Token \u{2192} ‹tok›"),
                same("Token \u{2192} Type"),
                ("password -> Kq93!wZorb", "password -> ‹pw›"),
                same("fn token() -> String"),
                ("password<-\"hunter\"\n", "password<-\"‹pw›\"\n"),
                ("User-Password == \"Kq93!wZorb\"", "User-Password == \"‹pw›\""),
                same("if token == \"utf8\" {"),
                ("**Password**: hunter2\n", "**Password**: ‹pw›\n"),
                ("- **Password:** `hunter2`\n", "- **Password:** `‹pw›`\n"),
                ("<dt>Password:</dt><dd>hunter2</dd>", "<dt>Password:</dt><dd>‹pw›</dd>"),
                ("? password\n: hunter2\n", "? password\n: ‹pw›\n"),
                ("- --token\n- hunter2\n", "- --token\n- ‹tok›\n"),
                ("- password\n- Kq93!wZorb\n", "- password\n- ‹pw›\n"),
                same("- password\n- secret\n"),
                ("password=\\\nhunter2\n", "password=\\\n‹pw›\n"),
                ("&lt;password&gt;hunter2&lt;/password&gt;", "&lt;password&gt;‹pw›&lt;/password&gt;"),
                ("<wsse:Password Type=\"x\">hunter2</wsse:Password>", "<wsse:Password Type=\"x\">‹pw›</wsse:Password>"),
                ("<Password><Value>hunter2</Value></Password>", "<Password><Value>‹pw›</Value></Password>"),
                ("<string name=\"api_key\">Kq93!wZorb</string>", "<string name=\"api_key\">‹key›</string>"),
                same("<string name=\"password\">Passwort</string>"),
                ("user%5Bpassword%5D=hunter2", "user%5Bpassword%5D=‹pw›"),
                ("password[0]=hunter2", "password[0]=‹pw›"),
                ("db.pwd.1=hunter2\n", "db.pwd.1=‹pw›\n"),
                ("GET /a?token=Kq93%26wZorb77&x=1", "GET /a?token=‹tok›&x=1"),
                ("username=a&password=Kq93%22wZorb77", "username=a&password=‹pw›"),
                ("u=%2Fa%3Ftoken%3DKq93wZorb77%26x%3D1", "u=%2Fa%3Ftoken%3D‹tok›%26x%3D1"),
                ("encrypt = \"Kq93!wZorb\"\n", "encrypt = \"‹key›\"\n"),
                same("key: \"Ctrl+Shift+1\","),
            ],
        );
    }
}
