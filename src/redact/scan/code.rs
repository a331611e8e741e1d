//! Source code: whether what stands without quotes behind a name is a type, a variable or a call, and no value.

use super::super::bytes::{ByteSet, find};
use super::super::pseudonym::Class;
use super::super::shape;
use super::name::Verdict;
use super::named::{Name, Separator};
use super::surroundings::{blanks, line_end};
use super::value;

/// Letters and digits from which a value is none of a program's names.
const PLAIN_BYTES_MIN: usize = 12;
/// Bytes before a name on its line that are looked at.
const BEFORE_BYTES_MAX: usize = 160;
/// Bytes of a type between a name and what is assigned to it.
const TYPE_BYTES_MAX: usize = 48;

/// What stands before the name of a variable where a program declares it.
const DECLARING: &[&[u8]] =
    &[b"let", b"mut", b"const", b"static", b"var", b"val", b"pub", b"pub(crate)", b"readonly", b"typedef"];
/// What a function begins with: words that begin with one of three letters and end in one of four.
const FUNCTION: &[&[u8]] = &[b"fn ", b"def ", b"func ", b"function ", b"fun ", b"sub "];
/// What stands before a name that belongs to an object of the program.
const OBJECTS: &[&[u8]] = &[b"self.", b"this.", b"cls."];

/// What sums of constants are written with.
const SUMS: &[&[u8]] = &[b"<<", b" + ", b" | "];

const PLAIN: ByteSet = ByteSet::alphanumeric_and(b"");
const IDENTIFIER: ByteSet = ByteSet::alphanumeric_and(b"_");
const PATH: ByteSet = ByteSet::alphanumeric_and(b"_.:>-");

/// Whether a value is one run of letters and digits: most secrets look like no expression at all.
#[inline]
pub(super) fn is_plain(value: &[u8]) -> bool {
    value.len() >= PLAIN_BYTES_MIN && PLAIN.run(value) == value.len() && value.iter().any(u8::is_ascii_digit)
}

/// Whether what stands from `from` to `end`, behind a name and without quotes, is code.
#[inline(never)]
pub(super) fn is_expression(bytes: &[u8], name: Name, separator: Separator, (from, end): (usize, usize)) -> bool {
    let value = &bytes[from..end];
    if value.is_empty() || !matches!(separator, Separator::Colon | Separator::Equals) {
        return false;
    }
    if is_subscript(bytes, value, end) || is_tagged_block(bytes, value, separator, end) {
        return true;
    }
    if is_syntax(bytes, value, end) || is_variable(bytes, name, value, end) {
        return true;
    }
    if separator == Separator::Colon {
        // `$name:ty` of a macro.
        let fragment = name.start > 0 && bytes[name.start - 1] == b'$' && from == name.end + 1;
        if fragment && value[0].is_ascii_lowercase() || is_type(bytes, name, (from, end)) {
            return true;
        }
    }
    declares(bytes, name.start)
}

/// Bytes of the key in quotes by which something is looked up.
const KEY_BYTES_MAX: usize = 64;

/// `request.form["password"]`, `$_POST['password']`, of which the value ends at the inner quote.
fn is_subscript(bytes: &[u8], value: &[u8], end: usize) -> bool {
    let Some(path) = value.strip_suffix(b"[") else { return false };
    let path = path.strip_prefix(b"$").unwrap_or(path);
    let Some((quote, inside)) = value::quote_at(bytes, end).filter(|_| !path.is_empty()) else { return false };
    let close = value::quoted_end(bytes, inside, bytes.len().min(inside + KEY_BYTES_MAX), quote);
    PATH.run(path) == path.len()
        && (path[0].is_ascii_alphabetic() || path[0] == b'_')
        && bytes.get(close + quote.depth + 1) == Some(&b']')
}

/// `!vault |`: the tag of a block of YAML, which has its value on the lines below.
fn is_tagged_block(bytes: &[u8], value: &[u8], separator: Separator, end: usize) -> bool {
    let rest = &bytes[end..bytes.len().min(end + 4)];
    separator == Separator::Colon && value[0] == b'!' && (rest.starts_with(b" |") || rest.starts_with(b" >"))
}

/// Bytes that are more than the longest keyword.
const KEYWORD_BYTES_MAX: usize = 16;

/// What an expression begins with, or is.
fn is_keyword(value: &[u8], next: u8) -> bool {
    let near = &value[..value.len().min(KEYWORD_BYTES_MAX)];
    let word = &near[..memchr::memchr(b' ', near).unwrap_or(near.len())];
    matches!(
        word,
        b"typename"
            | b"new"
            | b"nullptr"
            | b"NULL"
            | b"shift"
            | b"undef"
            | b"await"
            | b"function"
            | b"lambda"
            | b"template"
    ) && (word.len() < value.len() || next.is_ascii_whitespace() || b";,)".contains(&next))
}

/// Whether a program declares the name that begins at `start`, so that an expression follows.
fn declares(bytes: &[u8], start: usize) -> bool {
    if OBJECTS.iter().any(|object| bytes[start..].starts_with(object)) {
        return true;
    }
    let Some(last) = start.checked_sub(1).map(|at| bytes[at]) else { return false };
    if last == b'>' {
        return bytes[..start].ends_with(b"->");
    }
    if !matches!(last, b' ' | b'(' | b'\t') {
        return false;
    }
    let floor = start.saturating_sub(BEFORE_BYTES_MAX);
    let floor = memchr::memrchr(b'\n', &bytes[floor..start]).map_or(floor, |line| floor + line + 1);
    let before = &bytes[floor..start];
    let word = before.trim_ascii_end();
    let declaring = |keyword: &&[u8]| {
        word.ends_with(keyword)
            && word.len().checked_sub(keyword.len() + 1).is_none_or(|at| word[at].is_ascii_whitespace())
    };
    if last == b' ' && DECLARING.iter().any(declaring) {
        return true;
    }
    // Among the parameters of a function that begins on this line.
    let is_function = |blank: usize| {
        let keyword = FUNCTION.iter().find_map(|keyword| before[..=blank].strip_suffix(*keyword));
        let apart = keyword.is_some_and(|text| text.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()));
        let name = IDENTIFIER.run(&before[blank + 1..]);
        apart && name > 0 && matches!(before.get(blank + 1 + name), Some(b'(' | b'<'))
    };
    let may_be = |blank: &usize| *blank > 1 && b"nfcb".contains(&before[*blank - 1]);
    memchr::memchr3(b'f', b'd', b's', before).is_some()
        && memchr::memchr(b'(', before).is_some()
        && memchr::memchr_iter(b' ', before).filter(may_be).any(is_function)
}

/// What only code is written in: brackets that are not closed, `Path::name`, `name!(`, `self.name`, `name(other, `.
fn is_syntax(bytes: &[u8], value: &[u8], end: usize) -> bool {
    let next = bytes.get(end).copied().unwrap_or(b'\n');
    let word = IDENTIFIER.run(value);
    let letters = value[..word].iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    match value[0] {
        first if value.len() <= 3 && first < 0x80 && !value.iter().any(u8::is_ascii_alphanumeric) => return true,
        b'(' if SUMS.iter().any(|sum| find(value, sum).is_some()) && value.ends_with(b")") => {
            return true;
        }
        b'0'..=b'9' if value.len() < 12 && find(value, b" << ").is_some() => return true,
        // `[u8` of `[u8; 32]`, `(first` of `(first, second)`, `(Type *)name`.
        open @ (b'(' | b'[') => {
            let close = if open == b'(' { b')' } else { b']' };
            let inner = &value[1..];
            let marked =
                inner.strip_suffix(b")").is_some_and(|word| word.len() > 1 && word.iter().all(u8::is_ascii_alphabetic));
            return marked
                || PATH.run(inner) == inner.len() && !inner.is_empty() && b",; ".contains(&next)
                || memchr::memchr(close, inner)
                    .is_some_and(|at| at > 1 && inner[..at].ends_with(b" *") && IDENTIFIER.run(inner) + 2 == at);
        }
        b'&' | b'*' => {
            let body = &value[1..];
            let object = OBJECTS.iter().any(|object| body.starts_with(object));
            let kind = [b"mut ".as_slice(), b"const ", b"dyn ", b"'", b"["].iter().any(|kind| body.starts_with(kind));
            let cut = matches!(body, b"" | b"mut" | b"const" | b"dyn");
            let path = IDENTIFIER.run(body);
            let called = path > 1 && b"!(.".contains(body.get(path).unwrap_or(&b'\n')) && body.contains(&b'(');
            return object
                || kind
                || cut
                || called
                || path == body.len() && is_camel(body) && !body.iter().any(u8::is_ascii_digit);
        }
        b'$' => {
            let name = IDENTIFIER.run(&value[1..]);
            return name > 0 && value[1 + name..].starts_with(b"->");
        }
        b'<' => {
            return value.len() > 3 && value[1].is_ascii_uppercase() && find(value, b">::").is_some();
        }
        b':' => {
            return value.len() > 4
                && value[1] == b':'
                && value[2].is_ascii_alphabetic()
                && PATH.run(value) == value.len();
        }
        // How manuals go back to their own letters.
        b'\\' if value.starts_with(b"\\fR") || value.starts_with(b"\\fP") => return true,
        b'\\' => {
            return value.len() > 2 && b"%@&$".contains(&value[1]) && IDENTIFIER.run(&value[2..]) + 2 == value.len();
        }
        b'0' => {
            let hex = value.len() <= 10 && value[1..].starts_with(b"x") && shape::is_hex(&value[2..]);
            return hex;
        }
        _ => {}
    }
    let told = value.ends_with(b"):") || value.ends_with(b" = None");
    let called = next == b';' && value.ends_with(b")") && value.get(word) == Some(&b'(');
    if told || called || is_keyword(value, next) {
        return true;
    }
    if word < 2 || !value[0].is_ascii_alphabetic() && value[0] != b'_' {
        return false;
    }
    if OBJECTS.iter().any(|object| value.starts_with(object)) {
        return true;
    }
    let rest = &value[word..];
    match rest.first() {
        None => letters && next == b'<' && is_camel(value) && bytes.get(end + 1).is_some_and(u8::is_ascii_uppercase),
        Some(b':') => letters && rest.len() > 2 && rest[1] == b':' && rest[2].is_ascii_alphabetic(),
        Some(b'!') => {
            letters
                && match rest.get(1) {
                    None => bytes[end..].starts_with(b" {"),
                    Some(open) => b"([{".contains(open),
                }
        }
        // A call whose arguments a comma cuts.
        Some(b'(' | b'.' | b'-') if next == b',' || b"([".contains(&value[value.len() - 1]) => {
            let open = PATH.run(value);
            value.get(open) == Some(&b'(')
                && !value[..open].iter().any(u8::is_ascii_digit)
                && memchr::memchr(b')', value).is_none()
                && value[open + 1..].iter().all(|byte| PATH.has(*byte) || b"(&*[".contains(byte))
        }
        _ => false,
    }
}

/// `X_token = some_token`: a variable that is called what the name is called.
fn is_variable(bytes: &[u8], name: Name, value: &[u8], end: usize) -> bool {
    let plain = value.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    if !plain || !matches!(bytes.get(end), Some(b',' | b')' | b';')) {
        return false;
    }
    let text = &bytes[name.start..name.end];
    let last = text.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(text, |at| &text[at + 1..]);
    let ends_line = bytes.get(end + 1).is_none_or(u8::is_ascii_whitespace);
    let same = value == last || value.len() > last.len() && value.ends_with(last) && value.contains(&b'_');
    let secret = matches!(name.verdict, Verdict::Strong(Class::Password));
    // The last of a statement of C.
    let statement = bytes[end] == b';' && ends_line && name.line_start && bytes.get(name.end) == Some(&b' ');
    // `call(password=password, …)`
    let passed = value == text && !name.line_start && bytes[end] != b';' && bytes.get(name.end) == Some(&b'=');
    passed || (same && !secret) || statement && value.contains(&b'_')
}

/// `Type,`, `Type)`, `Type = …`, `u32`, `name_t`: what a program declares a name to be.
fn is_type(bytes: &[u8], name: Name, (from, end): (usize, usize)) -> bool {
    let value = &bytes[from..end];
    if IDENTIFIER.run(value) != value.len() || value[0].is_ascii_digit() {
        return false;
    }
    let after = end + blanks(bytes, end);
    let assigned = bytes.get(after) == Some(&b'=') && after > end && bytes.get(after + 1) == Some(&b' ');
    let next = bytes.get(end).copied().unwrap_or(b'\n');
    let ends_line = matches!(bytes.get(end + 1), None | Some(b'\n' | b'\r'));
    let delimited = matches!(next, b')' | b'>') || next == b',' && (ends_line || !name.line_start) || next == b';';
    if is_primitive(value) {
        return assigned || delimited || next.is_ascii_whitespace();
    }
    let base = matches!(value, b"public" | b"private" | b"protected" | b"virtual") && next == b' ';
    if assigned || base {
        return true;
    }
    let letters = value.len() - value.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = value.len() - letters;
    let wordlike = value[0].is_ascii_uppercase()
        && value[..letters].iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && (digits == 0 || digits <= 3 && letters >= 3 && !matches!(name.verdict, Verdict::Strong(Class::Password)));
    let listed = next == b',' && ends_line && name.line_start && name.quote.is_none();
    let joined = bytes[end..].starts_with(b" + ") || bytes[end..].starts_with(b" {");
    wordlike && (listed || joined || digits == 0 && next == b')' && is_snake(&bytes[name.start..name.end]))
}

/// `Camel`, `CamelCase`
fn is_camel(text: &[u8]) -> bool {
    text.len() >= 2
        && text[0].is_ascii_uppercase()
        && text.iter().any(u8::is_ascii_lowercase)
        && text.iter().all(u8::is_ascii_alphanumeric)
}

fn is_snake(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_')
}

/// `u32`, `__u8`, `c_int`, `uid_t`, `usize`
fn is_primitive(text: &[u8]) -> bool {
    let bare = &text[text.iter().take_while(|byte| **byte == b'_').count()..];
    let sized = bare.len() >= 2
        && matches!(bare[0], b'u' | b'i' | b'f')
        && matches!(&bare[1..], b"8" | b"16" | b"32" | b"64" | b"128" | b"size");
    let plain = text.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    sized || plain && (text.starts_with(b"c_") || text.len() > 3 && text.ends_with(b"_t"))
}

/// Where the value of `name: Type = "…"` begins, whose type begins at `from`.
pub(super) fn typed_default(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    const TYPE: ByteSet = ByteSet::alphanumeric_and(b"_.:<>[]?|&");
    if !bytes.get(from).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'&') {
        return None;
    }
    let line = line_end(bytes, from, to.min(from + TYPE_BYTES_MAX));
    let text = &bytes[from..line];
    memchr::memchr(b'=', text)?;
    let mut at = usize::from(text.first() == Some(&b'&'));
    if text.get(at) == Some(&b'\'') {
        at += 1 + IDENTIFIER.run(&text[at + 1..]);
        at += usize::from(text.get(at) == Some(&b' '));
    }
    let word = TYPE.run(&text[at..]);
    let begins = text.get(at).is_some_and(u8::is_ascii_alphabetic);
    at += word;
    let gap = blanks(text, at);
    let assigned = text.get(at + gap) == Some(&b'=') && matches!(text.get(at + gap + 1), Some(b' ' | b'"' | b'\''));
    if !begins || word < 2 || gap == 0 || !assigned {
        return None;
    }
    at += gap + 1;
    at += blanks(text, at);
    let prefixed = matches!(text.get(at), Some(b'b' | b'r' | b'@')) && value::quote_at(text, at + 1).is_some();
    (prefixed || value::quote_at(text, at).is_some()).then_some(from + at)
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn what_a_program_declares_is_no_secret_and_what_it_assigns_in_quotes_is() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                same("    token: TokenStream,\n"),
                same("fn kernel(token: Avx512, a: i8x16<Avx512>) -> i8x16<Avx512> {"),
                same("    fn from(token: Token![_]) -> Self {"),
                same("fn take(secret: &[u8], password: &'a str, key: &HpkePrivateKey)"),
                same("pub const DEVCONF_STABLE_SECRET: _bindgen_ty_3 = _bindgen_ty_3::DEVCONF_STABLE_SECRET;"),
                same("pub lo_encrypt_key: [__u8; 32usize],"),
                same("let tokens = quote!(dyn FnOnce::() -> !);"),
                same("let token = callback(op, result);"),
                same("    <I as Stream>::Token: AsChar + Clone,"),
                same("type Tokens = ();"),
                same("PreSharedKey => 0x0029,"),
                same("        self.password = password\n"),
                same("  _M_token = _S_token_eof;\n"),
                same("authorize(access_token=valid_token)"),
                same("formatter.field(\"dot2_token\", &self.dot2_token);"),
                same("fn next_token(&mut self) -> Option<Token> {"),
                ("const API_KEY: &'static str = \"hunter2\";", "const API_KEY: &'static str = \"‹key›\";"),
                ("let password: String = \"hunter2\"", "let password: String = \"‹pw›\""),
                ("private password: string = 'hunter2';", "private password: string = '‹pw›';"),
                ("password: Swordfish\n", "password: ‹pw›\n"),
                ("login (token: x8Kq2mZw91) ok", "login (token: ‹tok›) ok"),
                ("Config { password: hunter2, n: 3 }", "Config { password: ‹pw›, n: 3 }"),
            ],
        );
    }
}
