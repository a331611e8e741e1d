//! Secrets whose name stands one level up: `"apiKeys": {"prod": "…"}`, `tokens { agent = "…" }`, `[tokens]`, and the lines
//! below `passwords:`.
//!
//! The children of such a table have names that only say whose secret it is. A child whose own name says what it is (a path,
//! a type, an expiry) is shown, and so is a value that looks like a word, a label or a version: tables of settings and of
//! texts have the same names.

use super::super::bytes::{ByteSet, find};
use super::super::pseudonym::Class;
use super::super::shape::{self, HexIs, Kinds};
use super::super::span::Form;
use super::name::{self, Verdict};
use super::named::{Keyed, Name, Separator};
use super::plausible::Ends;
use super::surroundings::{blanks, block_scalar, is_json_word, line_end};
use super::value::{self, Quote, Until};
use super::vocabulary::Weak;

/// Children of one table, and lines of one that goes by lines.
const CHILDREN_MAX: usize = 64;
const LINES_MAX: usize = 128;
/// Bytes of one table.
const TABLE_BYTES_MAX: usize = 16 << 10;
/// Bytes of a child's name.
const CHILD_BYTES_MAX: usize = 80;
/// Bytes of a child's value without quotes.
const BARE_BYTES_MAX: usize = 256;
/// Tables within a child that are stepped over.
const DEPTH_MAX: usize = 3;
/// Bytes of a value by which its look is told.
const LOOK_BYTES_MAX: usize = 256;
/// Bytes of the shortest value that is taken for a secret here.
const PASSWORD_MIN: usize = 6;
const TOKEN_MIN: usize = 8;

/// How the children of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// In braces, or in brackets as PHP has it.
    Braces,
    /// A line each, further indented than the table's name.
    Indented(usize),
    /// A line each, up to the next `[section]`.
    Section,
}

/// Which children of a table are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Children {
    /// Any.
    All,
    /// Those that are called `value` and the like.
    Values,
}

/// Which items of a list are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Items {
    /// Any.
    All,
    /// Those of the form `user:password`.
    Pairs,
}

impl Keyed<'_> {
    /// Masks the secrets among the children of the table that begins at `at`; where scanning goes on: the names of the
    /// children are looked at by themselves.
    #[inline(never)]
    pub(super) fn children(&mut self, name: Name, separator: Separator, at: usize, to: usize) -> Option<usize> {
        if name.flag || !may_own(name.verdict) {
            return None;
        }
        let to = to.min(at + TABLE_BYTES_MAX);
        let known = self.spans.len();
        match self.bytes.get(at)? {
            b'{' if separator == Separator::Labelled => {
                self.in_braces(name, Separator::Blank, at + 1, to, Children::Values);
            }
            b'{' => {
                self.in_braces(name, separator, at + 1, to, Children::All);
            }
            b'[' if separator == Separator::Colon => self.in_objects(name, at + 1, to),
            b'[' | b'(' if separator == Separator::Equals => self.in_brackets(name, at + 1, to),

            b'\n' | b'\r' if separator == Separator::Section => self.by_lines(name, Layout::Section, at, to),
            b'\n' | b'\r' if separator == Separator::Colon && name.line_start => {
                let line = self.bytes[..name.start].iter().rev().take(512).take_while(|byte| **byte != b'\n').count();
                let before = &self.bytes[name.start - line..name.start];
                let own = before.iter().take_while(|byte| b" -".contains(byte)).count();
                self.by_lines(name, Layout::Indented(own), at, to);
            }
            _ => {}
        }
        (self.spans.len() > known).then_some(name.end)
    }

    /// `'tokens' => ['ci' => '…']`, `array('ci' => '…')`
    fn in_brackets(&mut self, name: Name, at: usize, to: usize) {
        let gap = self.white(at, to);
        let arrow = value::quote_at(self.bytes, gap).is_some_and(|(quote, inside)| {
            let after =
                value::quoted_end(self.bytes, inside, to.min(inside + CHILD_BYTES_MAX), quote) + quote.depth + 1;
            self.bytes[after.min(to)..to].trim_ascii_start().starts_with(b"=>")
        });
        if arrow {
            self.in_braces(name, Separator::Equals, at, to, Children::All);
        }
    }

    /// `"apiKeys": [{"label": "ci", "value": "…"}]`
    fn in_objects(&mut self, name: Name, from: usize, to: usize) {
        let mut at = from;
        for _ in 0..CHILDREN_MAX {
            at = self.white(at, to);
            if self.bytes[at..to].first() != Some(&b'{') {
                return;
            }
            let Some(end) = self.in_braces(name, Separator::Colon, at + 1, to, Children::Values) else { return };
            at = end;
        }
    }

    /// Goes through the children in braces; where what follows the closing one begins.
    fn in_braces(
        &mut self,
        name: Name,
        separator: Separator,
        from: usize,
        to: usize,
        children: Children,
    ) -> Option<usize> {
        let mut at = from;
        for _ in 0..CHILDREN_MAX {
            let (child, after) = self.child(at, to)?;
            let place = after + blanks(self.bytes, after);
            let start = self.white(place + self.assigns(place, separator)?, to);
            let known = self.spans.len();
            let end = self.child_value(name, child, start, to, Layout::Braces)?;
            if children == Children::Values && !is_value(&self.bytes[child.0..child.1]) {
                self.spans.truncate(known);
            }
            at = end + blanks(self.bytes, end);
            let next = self.white(at, to);
            if self.bytes[next..to].first() == Some(&b'}') {
                return Some(next + 1);
            }
            if !self.bytes.get(at).is_some_and(|byte| b",;\r\n])\\#/".contains(byte)) {
                return None;
            }
        }
        None
    }

    /// What stands between a child's name and its value, in bytes.
    fn assigns(&self, at: usize, separator: Separator) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        match rest.first()? {
            b'=' => Some(if rest.starts_with(b"=>") { 2 } else { 1 }),
            // Style sheets go by colons: `.token { color: … }`.
            b':' if separator != Separator::Blank => Some(1),
            _ => None,
        }
    }

    /// The name of the next child from `at` on, and where what follows it begins.
    fn child(&self, at: usize, to: usize) -> Option<((usize, usize), usize)> {
        let mut at = self.white(at, to);
        while self.bytes[at..to].starts_with(b"#") || self.bytes[at..to].starts_with(b"//") {
            at = self.white(line_end(self.bytes, at, to), to);
        }
        let near = to.min(at + CHILD_BYTES_MAX);
        if let Some((quote, inside)) = value::quote_at(self.bytes, at).filter(|(_, inside)| *inside < near) {
            let end = value::quoted_end(self.bytes, inside, near, quote);
            return (inside < end && end < near).then_some(((inside, end), end + quote.depth + 1));
        }
        // `:ci => …`
        let at = at + usize::from(self.bytes[at..near].starts_with(b":"));
        let end = at + name::run(&self.bytes[at..near]);
        (at < end && end < near).then_some(((at, end), end))
    }

    /// Behind white space, commas and escaped line ends.
    fn white(&self, from: usize, to: usize) -> usize {
        let mut at = from.min(to);
        loop {
            at +=
                self.bytes[at..to].iter().take_while(|byte| byte.is_ascii_whitespace() || b",;".contains(byte)).count();
            match self.bytes[at..to] {
                [b'\\', b'n' | b'r' | b't', ..] => at += 2,
                _ => return at,
            }
        }
    }

    /// Masks the value of one child if it is a secret; where it ends, unless nothing can be told about what follows.
    fn child_value(
        &mut self,
        name: Name,
        child: (usize, usize),
        start: usize,
        to: usize,
        layout: Layout,
    ) -> Option<usize> {
        let bytes = self.bytes;
        match bytes[..to].get(start)? {
            b'{' | b'[' => return (layout == Layout::Braces).then(|| stepped_over(bytes, start, to)).flatten(),
            b'}' | b']' => return None,
            _ => {}
        }
        let quote = value::quote_before(bytes, child.0);
        let child = &bytes[child.0..child.1];
        if let Some((quote, inside)) = value::quote_at(bytes, start) {
            let end = value::quoted_end(bytes, inside, to, quote);
            let whole = end < to && bytes[end] != b'\n' && is_plain(bytes, quote, inside, end);
            // `chpasswd: list: "root:…\nbob:…"`
            if whole && child == b"list" && name::pair(&bytes[inside..end]).is_some() {
                self.pairs_in_text(name, inside, end);
            } else if whole && self.is_child(name, child, &bytes[inside..end]) {
                let form = value::form_of(quote, &bytes[inside..end]);
                self.push(owned(name), inside, end, form, Ends::Marked);
            }
            return whole.then_some(end + quote.depth + 1);
        }
        let end = match layout {
            // `{ci: abc,release: def}`
            Layout::Braces => {
                let near = to.min(start + BARE_BYTES_MAX);
                let run = start + BARE.run(&bytes[start..near]);
                let whole =
                    bytes[..near].get(run).is_some_and(|byte| byte.is_ascii_whitespace() || b",;}".contains(byte));
                // A call or an expression in which a text stands is stepped over.
                let end = match bytes.get(run) {
                    _ if whole => run,
                    Some(b'(' | b'"' | b'\'') => value::bare_end(bytes, start, near, Until::Blank),
                    _ => return None,
                };
                bytes[start..end].iter().position(|byte| b",;}".contains(byte)).map_or(end, |stop| start + stop)
            }
            _ => value::line_value(bytes, start, value::bare_end(bytes, start, to, Until::Line)),
        };
        let text = &bytes[start..end];
        if end < to && is_bare(text) && self.is_child(name, child, text) {
            let form = match quote {
                Some(quote) if is_json_word(text) => {
                    Form::Bare { quote: quote.mark, depth: u8::try_from(quote.depth).unwrap_or(0) }
                }
                _ => Form::Raw,
            };
            self.push(owned(name), start, end, form, Ends::Guessed);
        }
        Some(end)
    }

    fn by_lines(&mut self, name: Name, layout: Layout, at: usize, to: usize) {
        let bytes = self.bytes;
        let mut at = line_end(bytes, at, to) + 1;
        let (mut indent, mut listed) = (None, false);
        for _ in 0..LINES_MAX {
            if at >= to {
                return;
            }
            let line = line_end(bytes, at, to);
            let text = &bytes[at..line];
            let own = text.iter().take_while(|byte| **byte == b' ').count();
            let (start, next) = (at + own, line + 1);
            at = next;
            match bytes[start..line].trim_ascii_end().first() {
                None | Some(b'#' | b';') => continue,
                Some(b'[') if layout == Layout::Section => return,
                _ => {}
            }
            let item = bytes[start..line].starts_with(b"- ");
            if let Layout::Indented(least) = layout {
                if own < least || own == least && !item || own < *indent.get_or_insert(own) {
                    return;
                }
                if Some(own) != indent {
                    // `chpasswd:`, `list:`, `- root:…`; `tokens:`, `- name: ci`, `value: …`
                    if item && own > least {
                        self.item(name, start + 2, line, Items::Pairs);
                    } else if listed {
                        self.line(name, layout, (start, line), to, Children::Values);
                    }
                    continue;
                }
                listed = item;
            }
            if item {
                let from = start + 2 + blanks(bytes, start + 2);
                self.line(name, layout, (from, line), to, Children::Values);
                self.item(name, from, line, Items::All);
            } else {
                self.line(name, layout, (start, line), to, Children::All);
            }
        }
    }

    /// `ci: …`, `ci = …`
    fn line(&mut self, name: Name, layout: Layout, (start, line): (usize, usize), to: usize, children: Children) {
        let bytes = self.bytes;
        let Some((child, after)) = self.child(start, line) else { return };
        if children == Children::Values && !is_value(&bytes[child.0..child.1]) {
            return;
        }
        let place = after + blanks(bytes, after);
        let assigned = match layout {
            Layout::Section => bytes[..line].get(place) == Some(&b'='),
            _ => bytes[..line].get(place) == Some(&b':') && bytes.get(place + 1).is_some_and(u8::is_ascii_whitespace),
        };
        if !assigned {
            return;
        }
        let value = place + 1 + blanks(bytes, place + 1);
        if let Some((first, indent)) = block_scalar(bytes, child.0, value, to).filter(|_| layout != Layout::Section) {
            self.pairs_in_block(name, first, indent, to);
        } else {
            let _ = self.child_value(name, child, value, to.min(line + 1), layout);
        }
    }

    /// `- …` and `- user:…`, an item of a list.
    fn item(&mut self, name: Name, from: usize, line: usize, items: Items) {
        let bytes = self.bytes;
        let (start, end) = match value::quote_at(bytes, from) {
            Some((quote, inside)) => {
                let end = value::quoted_end(bytes, inside, line, quote);
                (inside, if is_plain(bytes, quote, inside, end) { end } else { inside })
            }
            None => (from, from + bytes[from..line].trim_ascii_end().len()),
        };
        let text = &bytes[start..end];
        if let Some(colon) = name::pair(text) {
            self.pair_value(name, start + colon, end);
        } else if items == Items::All && is_bare(text) && self.is_child(name, b"", text) {
            self.push(owned(name), start, end, Form::Raw, Ends::Marked);
        }
    }

    /// Lines of `user:password` in a block, as `chpasswd` takes them.
    fn pairs_in_block(&mut self, name: Name, first: usize, indent: usize, to: usize) {
        let mut at = first;
        for _ in 0..LINES_MAX {
            if at >= to {
                return;
            }
            let line = line_end(self.bytes, at, to);
            let own = self.bytes[at..line].iter().take_while(|byte| **byte == b' ').count();
            let text = &self.bytes[at + own..line].trim_ascii_end();
            if !text.is_empty() && own < indent {
                return;
            }
            if let Some(colon) = name::pair(text) {
                self.pair_value(name, at + own + colon, at + own + text.len());
            }
            at = line + 1;
        }
    }

    /// `root:…\\nbob:…` in quotes, where the ends of lines are escaped.
    fn pairs_in_text(&mut self, name: Name, from: usize, to: usize) {
        let mut at = from;
        for _ in 0..LINES_MAX {
            let end = find(&self.bytes[at..to], b"\\n").map_or(to, |found| at + found);
            let line = at + self.bytes[at..end].iter().rposition(|byte| *byte != b'\\').map_or(0, |last| last + 1);
            if let Some(colon) = name::pair(&self.bytes[at..line]) {
                self.pair_value(name, at + colon, line);
            }
            if end == to {
                return;
            }
            at = end + 2;
        }
    }

    fn pair_value(&mut self, name: Name, start: usize, end: usize) {
        if matches!(name.verdict, Verdict::Strong(Class::Password)) {
            self.push(name, start, end, Form::Raw, Ends::Marked);
        }
    }

    /// Whether this text under a child of this name is a secret.
    pub(super) fn is_child(&mut self, name: Name, child: &[u8], text: &[u8]) -> bool {
        // A host's or an organisation's: `"github-oauth": {"github.com": "…"}`.
        let owned = matches!(name.verdict, Verdict::Strong(_)) || child.contains(&b'.');
        // `{"secret": {"S": "…"}}`: the type of what a table of DynamoDB holds.
        if child == b"S" && matches!(name.verdict, Verdict::Strong(_)) {
            return text.len() >= PASSWORD_MIN && !text.contains(&b' ');
        }
        // What is called secrets holds those of all kinds, whatever somebody thought up.
        let plural =
            self.bytes[..name.end].len() >= 7 && self.bytes[name.end - 7..name.end].eq_ignore_ascii_case(b"secrets");
        let verdict = if plural { Verdict::Strong(Class::Password) } else { name.verdict };
        owned
            && looks_owned(verdict, text)
            && !name::describes(child)
            && !matches!(self.memory.verdicts.of(child, self.rules), Verdict::Strong(_))
    }
}

/// Where the table begins that stands behind a YAML anchor, a type of Go or `array` of PHP at `from`.
pub(super) fn opening(bytes: &[u8], from: usize, to: usize) -> usize {
    let rest = &bytes[from.min(to)..to.min(from + CHILD_BYTES_MAX)];
    let opens = match rest.first() {
        Some(b'&') => {
            let anchor =
                1 + rest[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count();
            rest.get(anchor).filter(|byte| matches!(byte, b'\n' | b'\r')).map(|_| anchor)
        }
        Some(b'm') if rest.starts_with(b"map[") => memchr::memchr(b'{', rest),
        Some(b'a') if rest.starts_with(b"array(") => Some(5),
        _ => None,
    };
    opens.map_or(from, |opens| from + opens)
}

/// Whether the name of a child says that it is the value of what the others describe.
fn is_value(child: &[u8]) -> bool {
    [b"value".as_slice(), b"val", b"raw", b"plain", b"plaintext", b"default"]
        .iter()
        .any(|value| child.eq_ignore_ascii_case(value))
}

/// Whether names of this verdict may stand above secrets.
pub(super) fn may_own(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Strong(Class::Password | Class::Token | Class::Key) | Verdict::Weak(Weak::Session))
}

/// The name as that of its children.
pub(super) fn owned(name: Name) -> Name {
    match name.verdict {
        Verdict::Strong(_) => name,
        _ => Name { verdict: Verdict::Strong(Class::Token), ..name },
    }
}

/// Where what follows a table or a list begins that opens at `from`.
fn stepped_over(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    const PLAIN: ByteSet = ByteSet::of(b"{}[]\"'").others();
    let (mut at, mut depth) = (from, 0);
    while at < to {
        at += PLAIN.run(&bytes[at..to]);
        if at == to {
            return None;
        }
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {
                let (quote, inside) = value::quote_at(bytes, at)?;
                at = value::quoted_end(bytes, inside, to, quote);
            }
        }
        at += 1;
        match depth {
            0 => return Some(at),
            DEPTH_MAX.. => return None,
            _ => {}
        }
    }
    None
}

/// Whether quotes are those that every language reads alike: not three of them, and no single ones with a backslash, which
/// to some is no escape.
fn is_plain(bytes: &[u8], quote: Quote, inside: usize, end: usize) -> bool {
    let tripled = quote.depth == 0 && bytes[inside..].starts_with(&[quote.mark; 2]);
    !(tripled || quote.mark == b'\'' && bytes[inside..end].contains(&b'\\'))
}

/// What a bare value is made of.
const BARE: ByteSet = ByteSet::alphanumeric_and(b"!#$%&*+-./:=?@^_~");

fn is_bare(text: &[u8]) -> bool {
    !text.is_empty() && BARE.run(text) == text.len()
}

/// Whether a text has the look of a secret and of nothing that settings and texts hold beside it.
pub(super) fn looks_owned(verdict: Verdict, text: &[u8]) -> bool {
    if text.len() < PASSWORD_MIN {
        return false;
    }
    let text = &text[..text.len().min(LOOK_BYTES_MAX)];
    let kinds = Kinds::of(text);
    let signed = text.iter().any(|byte| b"!@#$%^&*+~=".contains(byte));
    let mixed = text.iter().all(u8::is_ascii_graphic)
        && (kinds.digit > 0 && kinds.letters() > 0
            || signed && kinds.upper > 1 && kinds.lower > 1 && !shape::is_wordlike(text));
    // A path, or another name of a place.
    let slashes = text.starts_with(b"/") || memchr::memchr_iter(b'/', text).count() > 1;
    if !mixed || slashes && !shape::is_random(text, HexIs::Random) {
        return false;
    }
    if shape::is_uuid(text) || shape::is_random(text, HexIs::Random) {
        return true;
    }
    let password = verdict == Verdict::Strong(Class::Password);
    !shape::is_measure(text) && (password || text.len() >= TOKEN_MIN && !shape::is_label(text))
}
