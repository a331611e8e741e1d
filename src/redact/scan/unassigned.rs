//! What looks like an assignment to the name of a secret and is none: questions, commands whose output is assigned, arms of a
//! match, the usage of a program.

use super::name::Verdict;
use super::named::{Keyed, Name, Separator};
use super::surroundings::{at_equals, line_end};
use super::value::{self, Quote};

/// Bytes of a line before a name in which a question may begin.
const QUESTION_BYTES_MAX: usize = 64;
/// Bytes of a command whose output is assigned.
const COMMAND_BYTES_MAX: usize = 256;

impl Keyed<'_> {
    /// Whether the text in quotes that begins at `inside` is not what the name is given.
    #[inline(never)]
    pub(super) fn is_unassigned(
        &self,
        name: Name,
        separator: Separator,
        quote: Quote,
        inside: usize,
        to: usize,
    ) -> bool {
        let bytes = self.bytes;
        match separator {
            Separator::Colon => ends_question(bytes, name, quote, inside),
            Separator::Equals if quote.mark == b'`' && quote.depth == 0 => {
                let line = line_end(bytes, inside, to.min(inside + COMMAND_BYTES_MAX));
                let end = value::quoted_end(bytes, inside, line, quote);
                at_equals(bytes, name.end, inside - 1) && bytes[inside..end].contains(&b' ')
            }
            Separator::Equals if bytes[..name.start].ends_with(b"::") && bytes[..inside].ends_with(b"=> \"") => {
                let text = &bytes[name.start..name.end];
                bytes.get(inside..inside + text.len()).is_some_and(|value| value.eq_ignore_ascii_case(text))
            }
            _ => false,
        }
    }
}

/// Whether a quote behind a name and a colon closes a question that begins before the name: `read -p "Password: " x`.
fn ends_question(bytes: &[u8], name: Name, quote: Quote, inside: usize) -> bool {
    let place = inside - 1 - quote.depth;
    let apart = bytes.get(inside).is_none_or(|byte| byte.is_ascii_whitespace() || b"),;".contains(byte));
    if !apart || !matches!(bytes[place - 1], b' ' | b':') || value::quote_at(bytes, name.end).is_some() {
        return false;
    }
    let floor = name.start.saturating_sub(QUESTION_BYTES_MAX);
    let before = &bytes[floor..name.start];
    let Some(open) = memchr::memrchr2(quote.mark, b'\n', before).filter(|open| before[*open] == quote.mark) else {
        return false;
    };
    let opens = open > quote.depth && b" (=,[\t".contains(&before[open - 1 - quote.depth]);
    opens && before[open + 1..].iter().all(|byte| byte.is_ascii_alphanumeric() || b" -_'".contains(byte))
}

/// Whether a value of an option is what its manual calls it: `--api-key=KEY    key of the API`, `--password=PASSWORD`.
pub(super) fn is_metavariable(bytes: &[u8], name: Name, from: usize, end: usize) -> bool {
    let value = &bytes[from..end];
    if !name.flag
        || !matches!(name.verdict, Verdict::Strong(_))
        || !value.iter().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(byte))
    {
        return false;
    }
    let text = &bytes[name.start..name.end];
    let again = text.len() >= value.len() && text[text.len() - value.len()..].eq_ignore_ascii_case(value);
    let explained = bytes[end..].starts_with(b"  ")
        && bytes[end..]
            .iter()
            .take(QUESTION_BYTES_MAX)
            .find(|byte| **byte != b' ')
            .is_some_and(u8::is_ascii_alphabetic);
    again || explained
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn what_only_looks_like_an_assignment_is_shown() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                same("read -s -p \"Password: \" PASSWORD\n"),
                same("pw = getpass('Enter password: ')\n"),
                same("token=`cat token.txt`\n"),
                same("case Token::Password => \"password\",\n"),
                same("  --api-key=KEY                key of the API\n"),
                same("parser.add_argument(\"--password\", help=\"the password to use\")\n"),
                same("echo \"Usage: $0 <user> <password>\"\n"),
                same("mysql -u root -p\"$MYSQL_PWD\" shop\n"),
                same("password = request.form[\"password\"]\n"),
                same("$password = $_POST['password'];\n"),
                same("UPDATE users SET password = $1 WHERE id = $2\n"),
                ("note \"my password: \"hunter2\n", "note \"my password: \"‹pw›\n"),
                ("PDO::PASSWORD => \"hunter2\",\n", "PDO::PASSWORD => \"‹pw›\",\n"),
                ("token = `x8Kq2mZw91`\n", "token = `‹tok›`\n"),
                ("app --password=KETTLE run\n", "app --password=‹pw› run\n"),
            ],
        );
    }
}
