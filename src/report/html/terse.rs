//! What HTML lets a writer leave out: end tags that the next tag implies, and quotes around a plain word. In a report of a
//! hundred tables they are a tenth of the page.

use maud::{Markup, PreEscaped};

/// What follows ends each of these: a neighbour of its kind, or the end of the element around it.
const IMPLIED: [&str; 9] = ["td", "th", "tr", "tbody", "thead", "caption", "li", "dt", "dd"];

/// The same elements with fewer bytes. In our markup nothing but elements stands between cells, rows and items, so every
/// parser makes the same tree of it.
pub(super) fn terse(markup: &Markup) -> Markup {
    let mut short = String::with_capacity(markup.0.len());
    let mut rest = markup.0.as_str();
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        let (tag, after) = tag.split_at(tag.find('>').map_or(tag.len(), |end| end + 1));
        short.push_str(before);
        match tag.strip_prefix("</") {
            Some(name) if IMPLIED.contains(&name.trim_end_matches('>')) => {}
            Some(_) => short.push_str(tag),
            None => unquote(tag, &mut short),
        }
        rest = after;
    }
    short.push_str(rest);
    PreEscaped(short)
}

/// A start tag, its attributes' values without quotes where they are one plain word.
fn unquote(tag: &str, short: &mut String) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'#' | b':' | b'%');
    for (at, part) in tag.split('"').enumerate() {
        let value = at % 2 == 1;
        let quote = if value && (part.is_empty() || !part.bytes().all(plain)) { "\"" } else { "" };
        short.extend([quote, part, quote]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ends_that_are_implied_are_left_out() {
        for (whole, short) in [
            ("<ul><li><a>x</a></li><li>y</li></ul>", "<ul><li><a>x</a><li>y</ul>"),
            ("<dl><dt>a</dt><dd>&lt;/dd></dd></dl>", "<dl><dt>a<dd>&lt;/dd></dl>"),
            (
                "<table><caption>c</caption><tbody><tr><td>1</td></tr></tbody></table>",
                "<table><caption>c<tbody><tr><td>1</table>",
            ),
            ("<p>x</p><details></details>", "<p>x</p><details></details>"),
            ("", ""),
        ] {
            assert_eq!(terse(&PreEscaped(whole.to_owned())).0, short);
        }
    }

    #[test]
    fn only_plain_words_lose_their_quotes() {
        for (whole, short) in [
            ("<p id=\"a-1\" hidden class=\"row pass\">\"x\"</p>", "<p id=a-1 hidden class=\"row pass\">\"x\"</p>"),
            ("<a href=\"#f-x\" title=\"\" rel=\"a/\">", "<a href=#f-x title=\"\" rel=\"a/\">"),
            ("<rect width=\"4.5%\" x=\"&quot;\">", "<rect width=4.5% x=\"&quot;\">"),
        ] {
            assert_eq!(terse(&PreEscaped(whole.to_owned())).0, short);
        }
    }
}
