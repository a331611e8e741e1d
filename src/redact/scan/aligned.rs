//! Tables whose columns are told by where they begin, as programs print them: `USER      PASSWORD`, and rows below.

use super::super::bytes::find;
use super::super::span::Form;
use super::columns::{BAR, COLUMNS_MAX, Header, ROWS_BYTES_MAX, ROWS_MAX, is_name, line_start};
use super::name::Verdict;
use super::named::{Keyed, Name};
use super::plausible::Ends;
use super::surroundings::line_end;

/// Bytes of a header behind the name that led to it.
const BEHIND_MAX: usize = 512;

/// Where the columns of a line begin and end, which two blanks divide.
fn columns(bytes: &[u8], begin: usize, line: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = begin;
    while at < line && found.len() <= COLUMNS_MAX {
        at += bytes[at..line].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let end = find(&bytes[at..line], b"  ").map_or(line, |blanks| at + blanks);
        let end = at + bytes[at..end].trim_ascii_end().len();
        if at < end {
            found.push((at, end));
        }
        at = end.max(at + 1);
    }
    found
}

impl Keyed<'_> {
    /// Masks the secrets below the header in which the name between two positions stands, if it stands in one. Only what
    /// is written in capitals, or has a ruler below it, is a header.
    #[inline(never)]
    pub(super) fn aligned(&mut self, start: usize, end: usize) -> Option<Header> {
        let bytes = self.bytes;
        let apart = match bytes.get(end..)? {
            [b' ', b' ', ..] => true,
            [b'\n', ..] | [b'\r', b'\n', ..] => start > 1 && bytes[start - 1] == b' ',
            _ => false,
        };
        if !apart || start < self.memory.header_to {
            return None;
        }
        let begin = line_start(bytes, start)?;
        let line = line_end(bytes, end, bytes.len().min(end + BEHIND_MAX));
        self.memory.header_to = line;
        let header = columns(bytes, begin, line);
        let text = |(from, to): (usize, usize)| &bytes[from..to];
        let capitals = !bytes[begin..line].iter().any(u8::is_ascii_lowercase);
        let to = bytes.len().min(line + 1 + ROWS_BYTES_MAX);
        let below = line_end(bytes, (line + 1).min(to), to);
        let under = bytes.get(line + 1..below)?;
        let ruled = under.starts_with(b"--") && under.iter().all(|byte| b"- \r".contains(byte));
        if !(2..=COLUMNS_MAX).contains(&header.len())
            || line >= bytes.len()
            || !(capitals || ruled)
            || !header.iter().all(|column| is_name(text(*column)))
        {
            return None;
        }
        let columns: Vec<_> = header
            .iter()
            .enumerate()
            .map(|(place, column)| {
                let verdict = self.memory.verdicts.of(text(*column), self.rules);
                (column.0 - begin, header.get(place + 1).map(|next| next.0 - begin), verdict)
            })
            .collect();
        let known = self.spans.len();
        self.memory.header_to = self.aligned_rows(
            Name::of(start, end, Verdict::No),
            if ruled { below + 1 } else { line + 1 },
            to,
            &columns,
        );
        (self.spans.len() > known).then_some(Header { end: line })
    }

    /// Masks what stands below the columns of secrets; where the rows end.
    fn aligned_rows(
        &mut self,
        name: Name,
        from: usize,
        to: usize,
        columns: &[(usize, Option<usize>, Verdict)],
    ) -> usize {
        let bytes = self.bytes;
        let mut at = from;
        for _ in 0..ROWS_MAX {
            let line = line_end(bytes, at.min(to), to);
            let row = bytes.get(at..line).unwrap_or_default();
            if row.trim_ascii().is_empty() || line == to && to < bytes.len() {
                return at;
            }
            for (column, next, verdict) in columns {
                let begins =
                    row.get(*column).is_some_and(u8::is_ascii_graphic) && (*column == 0 || row[*column - 1] == b' ');
                if !begins || !matches!(verdict, Verdict::Strong(_)) {
                    continue;
                }
                let stop = next.filter(|next| row.get(next - 1) == Some(&b' ')).unwrap_or(row.len());
                let text = &row[*column..stop];
                let length = find(text, b"  ").unwrap_or(text.len());
                let text = text[..length].trim_ascii_end();
                if self.is_cell(*verdict, text, false, BAR) {
                    let start = at + column;
                    self.push(Name { verdict: *verdict, ..name }, start, start + text.len(), Form::Raw, Ends::Marked);
                }
            }
            at = line + 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn what_stands_below_the_name_of_a_secret_is_masked() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                (
                    "USER      PASSWORD     ROLE\nbob       hunter2      admin\namy       horse-42x    user\n\nx  y1  z\n",
                    "USER      PASSWORD     ROLE\nbob       ‹pw›      admin\namy       ‹pw›    user\n\nx  y1  z\n",
                ),
                ("NAME   TOKEN\nci     hunter2-Xq9\n", "NAME   TOKEN\nci     ‹tok›\n"),
                (
                    "User name   Password\n----------- ---------\nbob         hunter2\n",
                    "User name   Password\n----------- ---------\nbob         ‹pw›\n",
                ),
                same("NAME      KEY      AGE\npod-1     a1       3d\n"),
                same("The user  Password\nbob       hunter2\n"),
                same("USER      PASSWORD\nbob       required\n"),
                same("  PASSWORD  The password, 8 letters\n  TOKEN     token12 of the user\n"),
            ],
        );
    }
}
