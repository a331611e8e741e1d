//! Elements of XML and HTML: their text, those within one that is called after secrets, and cells of tables.

use super::super::bytes::{ByteSet, find};
use super::super::pseudonym::Class;
use super::super::span::Form;
use super::Through;
use super::name::{Verdict, classify};
use super::named::{Keyed, Name};
use super::nested::may_own;
use super::plausible::Ends;
use super::surroundings::{GAP_MAX, line_end};
use super::{signs, value};

/// Bytes in which an element's text may end, and those of all within one.
const ELEMENT_BYTES_MAX: usize = 4096;
const CHILDREN_BYTES_MAX: usize = 8 << 10;
/// Elements within one.
const CHILDREN_MAX: usize = 64;
/// Bytes of a tag, and of the label of a cell.
const TAG_BYTES_MAX: usize = 128;
const LABEL_BYTES_MAX: usize = 40;

/// What the names of tags are made of.
const TAG: ByteSet = ByteSet::alphanumeric_and(b"_-.:");
/// Elements that hold the name of what the next one holds.
const LABELS: &[&[u8]] = &[b"td", b"th", b"dt", b"b", b"strong"];
/// Elements that hold what is named.
const VALUES: &[&[u8]] = &[b"td", b"dd", b"th"];

/// Whether the name between two positions is all that a cell of a table, or a term of a list, holds; `place` is where its
/// tag closes.
#[inline(never)]
pub(super) fn is_label(bytes: &[u8], (start, _): (usize, usize), place: usize) -> bool {
    let Some(tag) = bytes.get(place..).and_then(|rest| rest.strip_prefix(b"</")) else { return false };
    let close = TAG.run(&tag[..tag.len().min(TAG_BYTES_MAX)]);
    let before = &bytes[start.saturating_sub(LABEL_BYTES_MAX)..start];
    let words = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b" _-".contains(byte)).count();
    LABELS.iter().any(|label| tag[..close].eq_ignore_ascii_case(label))
        && tag.get(close) == Some(&b'>')
        && before[..before.len() - words].ends_with(b">")
}

impl Keyed<'_> {
    /// What stands in the element whose tag ends at `at`.
    pub(super) fn element(&mut self, name: Name, at: usize, to: usize) -> Option<(usize, Option<Through>)> {
        let near = to.min(at + ELEMENT_BYTES_MAX);
        // `<Password><Value>…`
        let gap = self.bytes[at..near].iter().take(GAP_MAX).take_while(|byte| byte.is_ascii_whitespace()).count();
        let inner = &self.bytes[at + gap..near];
        let valued = inner.len() > 7 && inner[0] == b'<' && inner[..7].eq_ignore_ascii_case(b"<value>");
        let at = if valued { at + gap + 7 } else { at };
        let open = memchr::memchr(b'<', &self.bytes[at..near]);
        if !valued && matches!(inner, [b'<', first, ..] if first.is_ascii_alphabetic()) {
            return self.child_elements(name, at + gap, to).map(|resume| (resume, None));
        }
        if open == Some(0) && !self.bytes[at..near].starts_with(b"<!") {
            return None;
        }
        let closed = open.filter(|found| matches!(self.bytes.get(at + found + 1), Some(b'/' | b'!')));
        let gap = self.bytes[at..to].iter().take(GAP_MAX).take_while(|byte| byte.is_ascii_whitespace()).count();
        let line = line_end(self.bytes, at, near);
        let from = if closed.is_some() { at + gap } else { (at + gap).min(line) };
        let closing = closed.and_then(|_| memchr::memmem::find(&self.bytes[from..near.max(from)], b"</"));
        let mut end = closing.map_or(line.max(from), |found| from + found);
        while end > from && self.bytes[end - 1].is_ascii_whitespace() {
            end -= 1;
        }
        // `Usage: login <user> <password>"`
        let told = closed.is_none() && !self.bytes[from..end].iter().any(u8::is_ascii_alphanumeric);
        if told || value::is_prose(&self.bytes[from..end]) {
            return None;
        }
        if self.bytes[from..end].contains(&b'<') && !self.bytes[from..].starts_with(b"<![CDATA[") {
            return None;
        }
        let (from, end) = match self.bytes[from..end].strip_prefix(b"<![CDATA[") {
            Some(inner) => (from + 9, from + 9 + find(inner, b"]]>").unwrap_or(inner.len())),
            None => (from, end),
        };
        self.push(name, from, end, Form::Raw, Ends::Marked).map(|resume| (resume, None))
    }

    /// `<tokens><ci>…</ci></tokens>`: the texts of the elements that begin at `at`, one level below a name; where the last
    /// that was masked ends.
    fn child_elements(&mut self, name: Name, at: usize, to: usize) -> Option<usize> {
        if !may_own(name.verdict) {
            return None;
        }
        let bytes = self.bytes;
        let to = to.min(at + CHILDREN_BYTES_MAX);
        let (mut at, mut last) = (at, None);
        for _ in 0..CHILDREN_MAX {
            at += bytes[at.min(to)..to].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let Some(tag) = bytes[at..to].strip_prefix(b"<") else { break };
            let child = TAG.run(&tag[..tag.len().min(TAG_BYTES_MAX)]);
            let Some(open) = memchr::memchr2(b'>', b'<', tag).filter(|open| child > 0 && tag[*open] == b'>') else {
                break;
            };
            let text = at + 1 + open + 1;
            if tag[open - 1] == b'/' {
                at = text;
                continue;
            }
            let Some(end) = memchr::memchr(b'<', &bytes[text..to]).map(|end| text + end) else { break };
            let Some(rest) = bytes[end..to].strip_prefix(b"</").and_then(|rest| rest.strip_prefix(&tag[..child]))
            else {
                break;
            };
            let start = end - bytes[text..end].trim_ascii_start().len();
            let stop = start + bytes[start..end].trim_ascii_end().len();
            // `<key id="ci">` is one of keys, and `<key>` names one.
            let child_name = if tag[..child] == *b"key" && tag[child] == b' ' { &[][..] } else { &tag[..child] };
            if start < stop && self.is_child(name, child_name, &bytes[start..stop]) {
                let owned = Name { verdict: super::nested::owned(name).verdict, ..name };
                last = self.push(owned, start, stop, Form::Raw, Ends::Marked).or(last);
            }
            let Some(close) = memchr::memchr(b'>', &rest[..rest.len().min(TAG_BYTES_MAX)]) else { break };
            at = end + 2 + child + close + 1;
        }
        last
    }

    /// The text of the cell behind the one whose tag closes at `at` and that holds the name.
    pub(super) fn cell_behind(&mut self, name: Name, at: usize, to: usize) -> Option<usize> {
        let bytes = self.bytes;
        let from = signs::behind_markup(bytes, at, to);
        let opened = bytes[at..from].rsplit(|byte| *byte == b'<');
        let holds = opened
            .map(|tag| &tag[..TAG.run(tag)])
            .any(|tag| VALUES.iter().any(|value| tag.eq_ignore_ascii_case(value)));
        let near = &bytes[from..to.min(from + ELEMENT_BYTES_MAX)];
        let end = from + memchr::memchr2(b'<', b'\n', near).filter(|end| near[*end] == b'<')?;
        let start = end - bytes[from..end].trim_ascii_start().len();
        let stop = start + bytes[start..end].trim_ascii_end().len();
        let text = &bytes[start..stop];
        let told = find(text, b"&").is_some() && value::is_prose(text);
        (holds && start < stop && !told && self.is_told(name.verdict, text))
            .then(|| self.push(name, start, stop, Form::Raw, Ends::Marked))?
    }

    /// Whether the text beside or below a name in a table is a secret, and no word of a table that explains.
    pub(super) fn is_told(&mut self, verdict: Verdict, text: &[u8]) -> bool {
        !matches!(verdict, Verdict::Strong(Class::Hash))
            && !text.starts_with(b"-")
            && !matches!(classify(text, self.rules), Verdict::Strong(_))
            && self.is_cell(verdict, text, false, super::columns::BAR)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn elements_and_cells_beside_names_of_secrets_are_masked() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("<tokens><ci>hunter2-Xq9</ci></tokens>", "<tokens><ci>‹tok›</ci></tokens>"),
                (
                    "<tokens>\n  <ci>hunter2-Xq9</ci>\n  <kind>bearer12x</kind>\n</tokens>",
                    "<tokens>\n  <ci>‹tok›</ci>\n  <kind>bearer12x</kind>\n</tokens>",
                ),
                (
                    "<apiKeys><key id=\"ci\">hunter2-Xq9</key></apiKeys>",
                    "<apiKeys><key id=\"ci\">‹key›</key></apiKeys>",
                ),
                same("<token><path>/auth/v1/t2</path></token>"),
                same("<passwordPolicy><kind>alnum12</kind></passwordPolicy>"),
                ("<td>Password</td><td>hunter2</td>", "<td>Password</td><td>‹pw›</td>"),
                ("<tr><th>API key</th>\n<td>hunter2-Xq9</td></tr>", "<tr><th>API key</th>\n<td>‹key›</td></tr>"),
                ("<dt>Password</dt>\n<dd><code>hunter2</code></dd>", "<dt>Password</dt>\n<dd><code>‹pw›</code></dd>"),
                same("<td>password</td><td>string</td><td>The password of user1</td>"),
                same("<th>Password</th><th>Role</th>"),
                ("| host | db1 |\n| password | hunter2 |\n", "| host | db1 |\n| password | ‹pw› |\n"),
                (
                    "| key | value |\n|---|---|\n| api_key | hunter2-Xq9 |\n",
                    "| key | value |\n|---|---|\n| api_key | ‹key› |\n",
                ),
                ("| `DB_PASSWORD` | `hunter2` | x1 |\n", "| `DB_PASSWORD` | `‹pw›` | x1 |\n"),
                same("| `token` | `string` | token12 of it |\n"),
                same(" -readpass | -key12 | x1 |\n"),
                ("secrets: { db: word123 }\n", "secrets: { db: ‹key› }\n"),
                same("secrets: { name: web-tls2, mode: 0400 }\n"),
            ],
        );
    }
}
