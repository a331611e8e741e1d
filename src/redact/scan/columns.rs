//! Tables: a line of names of columns, and rows below it. CSV and its kin, Markdown, and what `psql` and `mysql` print.
//!
//! A header is one only when nothing else can be meant: every cell is a name, the line before has other cells, and a ruler
//! or a row of as many cells follows.

use super::super::bytes::find;
use super::super::pseudonym::{Class, mask_in};
use super::super::shape::Kinds;
use super::super::span::Form;
use super::name::{Verdict, classify};
use super::named::{Keyed, Name, Searched};
use super::nested::looks_owned;
use super::plausible::Ends;
use super::surroundings::{blanks, line_end};

/// Bytes of a header before the name that led to it, and behind.
const BEFORE_MAX: usize = 512;
const BEHIND_MAX: usize = 1024;
/// Columns of a table.
pub(super) const COLUMNS_MAX: usize = 64;
/// Bytes and words of a column's name.
const COLUMN_BYTES_MAX: usize = 40;
const COLUMN_WORDS_MAX: usize = 4;
/// Rows that are looked at, and their bytes.
pub(super) const ROWS_MAX: usize = 1024;
pub(super) const ROWS_BYTES_MAX: usize = 48 << 10;

/// What divides cells.
pub(super) type Sign = &'static [u8];
/// The signs of tables that have a ruler below their header: that of Markdown and `psql`, and that of boxes.
pub(super) const BAR: Sign = b"|";
const BOX: Sign = "\u{2502}".as_bytes();
/// The signs of those that have none.
const PLAIN: [Sign; 3] = [b",", b";", b"\t"];

/// Whether a ruler stands below the header of a table of this sign.
fn is_ruled(sign: Sign) -> bool {
    sign == BAR || sign == BOX
}

/// A cell without its quotes, and whether it had any.
#[derive(Debug, Clone, Copy)]
struct Cell {
    start: usize,
    end: usize,
    quoted: bool,
}

/// What a name in a header led to.
pub(super) struct Header {
    /// Where the header ends: names before it are those of its columns.
    pub(super) end: usize,
}

impl Keyed<'_> {
    /// Masks the secrets below the header in which the name between two positions stands, if it stands in one.
    #[inline(never)]
    pub(super) fn columns(&mut self, start: usize, end: usize) -> Option<Header> {
        let bytes = self.bytes;
        let Some(sign) = divider(bytes, start, end) else { return self.aligned(start, end) };
        if start < self.memory.header_to {
            return None;
        }
        let line = self.line_end(end, bytes.len().min(end + BEHIND_MAX));
        self.memory.header_to = line;
        let begin = line_start(bytes, start)?;
        if sign == BAR && is_record(bytes, begin, &mut self.memory.unrecorded) {
            return self.field(start, end, begin, line);
        }
        let header = cells(bytes, begin, line, sign)?;
        if line >= bytes.len() || !(2..=COLUMNS_MAX).contains(&header.len()) {
            return None;
        }
        let all =
            header.iter().map(|cell| &bytes[cell.start..cell.end]).all(|cell| is_name(cell) && mask_in(cell).is_none());
        if !all || !is_ruled(sign) && header.iter().any(|cell| cell.quoted != header[0].quoted) {
            return self.row(start, &header, sign);
        }
        let to = bytes.len().min(line + 1 + ROWS_BYTES_MAX);
        let mut rows = line + 1;
        let ruler = line_end(bytes, rows, to);
        if is_ruled(sign) && is_ruler(&bytes[rows..ruler]) {
            rows = ruler + 1;
        } else {
            let apart = header.iter().any(|cell| cell.start > begin && bytes[cell.start - 1] == b' ');
            let next = count(bytes, rows, ruler, sign);
            if sign == BOX
                || apart
                || bytes[begin] == b'|'
                || next != Some(header.len())
                || !is_first(bytes, begin, sign, header.len())
            {
                return self.row(start, &header, sign);
            }
        }
        let verdicts: Vec<Verdict> =
            header.iter().map(|cell| self.memory.verdicts.of(&bytes[cell.start..cell.end], self.rules)).collect();
        self.memory.header_to = self.rows(Name::of(start, end, Verdict::No), rows, to, sign, &verdicts);
        Some(Header { end: line })
    }

    /// `| password | … |`: a row whose first cell is the name of what the second holds.
    fn row(&mut self, start: usize, cells: &[Cell], sign: Sign) -> Option<Header> {
        let bytes = self.bytes;
        let [named, value, ..] = cells else { return None };
        if sign != BAR || !(named.start..named.end).contains(&start) || !begins_row(bytes, named.start) {
            return None;
        }
        let verdict = self.memory.verdicts.of(&bytes[named.start..named.end], self.rules);
        if !self.is_told(verdict, &bytes[value.start..value.end]) {
            return None;
        }
        let name = Name::of(named.start, named.end, verdict);
        self.push(name, value.start, value.end, Form::Raw, Ends::Marked).map(|end| Header { end })
    }

    /// `password | …`, a line of a record of `psql`.
    fn field(&mut self, start: usize, end: usize, begin: usize, line: usize) -> Option<Header> {
        let bytes = self.bytes;
        let [named, value] = cells(bytes, begin, line, BAR)?.try_into().ok()?;
        let verdict = self.memory.verdicts.of(&bytes[named.start..named.end], self.rules);
        if named.start != start || !self.is_cell(verdict, &bytes[value.start..value.end], true, PLAIN[0]) {
            return None;
        }
        let name = Name { line_start: true, ..Name::of(start, end, verdict) };
        self.push(name, value.start, value.end, Form::Raw, Ends::Marked).map(|_| Header { end })
    }

    /// Masks what is secret in the rows from a position on; where they end.
    fn rows(&mut self, name: Name, from: usize, to: usize, sign: Sign, verdicts: &[Verdict]) -> usize {
        let bytes = self.bytes;
        let mut at = from;
        for _ in 0..ROWS_MAX {
            // A row that is cut says nothing.
            let line = line_end(bytes, at, to);
            if at >= to || line == to && to < bytes.len() {
                return at;
            }
            let ruler = is_ruled(sign) && is_ruler(&bytes[at..line]);
            if !ruler {
                let Some(row) = cells(bytes, at, line, sign).filter(|row| row.len() == verdicts.len()) else {
                    return at;
                };
                if let [named, value, ..] = row[..]
                    && sign == BAR
                    && !verdicts[..2].iter().any(|verdict| matches!(verdict, Verdict::Strong(_)))
                {
                    let verdict = self.memory.verdicts.of(&bytes[named.start..named.end], self.rules);
                    if self.is_told(verdict, &bytes[value.start..value.end]) {
                        self.push(Name { verdict, ..name }, value.start, value.end, Form::Raw, Ends::Marked);
                    }
                }
                for (cell, verdict) in row.iter().zip(verdicts) {
                    let text = &bytes[cell.start..cell.end];
                    if *verdict != Verdict::No && self.is_cell(*verdict, text, cell.quoted, sign) {
                        self.push(Name { verdict: *verdict, ..name }, cell.start, cell.end, Form::Raw, Ends::Marked);
                    }
                }
            }
            at = line + 1;
        }
        at
    }

    /// Whether what stands in a cell below a secret's name is one, and no word of a table that explains.
    pub(super) fn is_cell(&mut self, verdict: Verdict, text: &[u8], quoted: bool, sign: Sign) -> bool {
        let kinds = Kinds::of(text);
        match verdict {
            Verdict::Strong(Class::Password) => {
                let explained = is_ruled(sign) && kinds.digit == 0 && kinds.classes() < 3;
                let named = kinds.digit == 0 && matches!(classify(text, self.rules), Verdict::Strong(_));
                (quoted || !text.contains(&b' ')) && !explained && !named
            }
            Verdict::Strong(Class::Hash) => true,
            // `| Key | Meaning |`
            Verdict::Weak(_) => !is_ruled(sign),
            _ => looks_owned(verdict, text),
        }
    }
}

/// Whether nothing but the sign of its table stands before a cell on its line.
fn begins_row(bytes: &[u8], at: usize) -> bool {
    let before = line_start(bytes, at).map_or(&[][..], |begin| &bytes[begin..at]);
    before.contains(&b'|') && before.iter().all(|byte| b"| \t*`".contains(byte))
}

/// What divides the cells of the line in which a name stands, as far as the bytes around it tell.
fn divider(bytes: &[u8], start: usize, end: usize) -> Option<Sign> {
    let after = end + usize::from(bytes.get(end) == Some(&b'"'));
    match bytes.get(after) {
        Some(b',' | b';' | b'\t') if bytes.get(after + 1) != Some(&b' ') => return plain(bytes[after]),
        Some(b' ') if bytes.get(after + 1).is_some_and(u8::is_ascii_alphanumeric) => return None,
        Some(b' ' | b'|' | b'*' | b'`' | b'\n' | b'\r') => {}
        _ => return None,
    }
    let marks = |at: usize| bytes[at..].iter().take(2).take_while(|byte| b"*`".contains(byte)).count();
    let after = after + marks(after);
    match bytes.get(after + blanks(bytes, after)) {
        Some(b'|') => return Some(BAR),
        Some(0xE2) if bytes[after + blanks(bytes, after)..].starts_with(BOX) => return Some(BOX),
        Some(b'\n' | b'\r') => {}
        _ => return None,
    }
    // The last column, whose name may have more words before this one.
    let before = &bytes[start.saturating_sub(COLUMN_BYTES_MAX)..start];
    let words =
        before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b" *`_-\"".contains(byte)).count();
    let before = &before[..before.len() - words];
    match before.last() {
        Some(sign @ (b',' | b';' | b'\t')) => plain(*sign),
        Some(b'|') => Some(BAR),
        _ => before.ends_with(BOX).then_some(BOX),
    }
}

/// The sign of tables without rulers that is this byte.
fn plain(byte: u8) -> Option<Sign> {
    PLAIN.into_iter().find(|sign| sign[0] == byte)
}

/// Where the line begins in which `at` stands, unless that is too far.
pub(super) fn line_start(bytes: &[u8], at: usize) -> Option<usize> {
    let floor = at.saturating_sub(BEFORE_MAX);
    memchr::memrchr(b'\n', &bytes[floor..at]).map(|found| floor + found + 1).or_else(|| (floor == 0).then_some(0))
}

/// The cells of a line, unless it is none of such a table.
fn cells(bytes: &[u8], from: usize, to: usize, sign: Sign) -> Option<Vec<Cell>> {
    let mut found = Vec::new();
    each_cell(bytes, from, to, sign, |cell| found.push(cell)).map(|_| found)
}

/// Hands out the cells of a line; how many there are, unless it is none of such a table.
fn each_cell(bytes: &[u8], from: usize, to: usize, sign: Sign, mut each: impl FnMut(Cell)) -> Option<usize> {
    let mut end = to - usize::from(to > from && bytes[to - 1] == b'\r');
    let mut at = from;
    if is_ruled(sign) {
        end = from + bytes[from..end].trim_ascii_end().len();
        at += blanks(&bytes[..end], at);
        at += if bytes[at..end].starts_with(sign) { sign.len() } else { 0 };
        end -= if bytes[at..end].ends_with(sign) { sign.len() } else { 0 };
    }
    let mut count = 0;
    while at <= end && count <= COLUMNS_MAX {
        if !is_ruled(sign) && bytes[at..end].starts_with(b"\"") {
            let close = closing(bytes, at + 1, end)?;
            each(Cell { start: at + 1, end: close, quoted: true });
            at = close + 1;
            if at < end && !bytes[at..].starts_with(sign) {
                return None;
            }
        } else {
            let stop = find(&bytes[at..end], sign).map_or(end, |found| at + found);
            let (mut start, mut last) = (at, stop);
            let trimmed: &[u8] = if is_ruled(sign) { b" \t*`" } else { b" " };
            start += bytes[start..last].iter().take_while(|byte| trimmed.contains(byte)).count();
            last -= bytes[start..last].iter().rev().take_while(|byte| trimmed.contains(byte)).count();
            each(Cell { start, end: last, quoted: false });
            at = stop;
        }
        at += sign.len();
        count += 1;
    }
    (from < to).then_some(count)
}

/// How many cells a line has, unless it is none of such a table.
fn count(bytes: &[u8], from: usize, to: usize, sign: Sign) -> Option<usize> {
    each_cell(bytes, from, to, sign, |_| {})
}

/// Where a quoted cell ends; `""` stands for a quote.
fn closing(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + memchr::memchr(b'"', bytes.get(at..to)?)?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        at = quote + 2;
    }
}

/// Whether a cell of a header is a name.
pub(super) fn is_name(cell: &[u8]) -> bool {
    let first = cell.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_#".contains(byte) || *byte >= 0x80);
    first
        && cell.len() <= COLUMN_BYTES_MAX
        && cell.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-. /()#%".contains(byte) || *byte >= 0x80)
        // `Size (MB)`, and no call.
        && memchr::memchr2(b'(', b')', cell).is_none_or(|sign| sign > 0 && cell[sign - 1] == b' ' && cell.ends_with(b")"))
        && cell.split(|byte| *byte == b' ').count() <= COLUMN_WORDS_MAX
}

/// Whether a line stands in a record of `psql`.
fn is_record(bytes: &[u8], begin: usize, searched: &mut Searched) -> bool {
    const RECORD: &[u8] = b"\n-[ RECORD ";
    searched.holds(begin.saturating_sub(BEFORE_MAX), begin, RECORD.len(), |rest| {
        rest.start == 0 && bytes.starts_with(&RECORD[1..]) || find(&bytes[rest], RECORD).is_some()
    })
}

/// Whether the line before `begin` has another number of cells: names in the midst of a table are no header.
fn is_first(bytes: &[u8], begin: usize, sign: Sign, cells: usize) -> bool {
    if begin == 0 {
        return true;
    }
    line_start(bytes, begin - 1).is_some_and(|before| count(bytes, before, begin - 1, sign) != Some(cells))
}

/// `|---|:--|`, `------+-----`, `+---+---+`
fn is_ruler(line: &[u8]) -> bool {
    // What boxes are drawn with, from U+2500 to U+257F.
    if line.trim_ascii_start().starts_with(b"\xE2\x94") {
        return line.trim_ascii().chunks(3).all(|sign| matches!(sign, [0xE2, 0x94 | 0x95, _])) && !line.ends_with(BOX);
    }
    line.iter().all(|byte| b"-+|:= \t\r".contains(byte)) && line.windows(2).any(|pair| pair == b"--" || pair == b"==")
}
