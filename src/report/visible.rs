//! Text made harmless for eyes and terminals: control and direction characters become escapes.
//!
//! Owns what counts as hidden. Knows nothing of HTML: escaping for a page comes after, and is the page's.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a reader could not see this character, or would see others in a wrong order because of it.
pub(super) const fn is_hidden(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` with each hidden character as `\x1b` or `\u{202e}`; newlines and tabs stay.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|byte| is_hidden(char::from(byte))) || !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            let code = u32::from(character);
            let _ = if code < 0x100 { write!(shown, "\\x{code:02x}") } else { write!(shown, "\\u{{{code:x}}}") };
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown_as_an_escape() {
        for (text, shown) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("\u{1b}[31mred\0", "\\x1b[31mred\\x00"),
            ("a\u{202e}gnp.exe", "a\\u{202e}gnp.exe"),
            ("\u{2066}x\u{2069}\u{feff}\u{200b}\u{85}\r", "\\u{2066}x\\u{2069}\\u{feff}\\u{200b}\\x85\\x0d"),
            ("שלום é 漢", "שלום é 漢"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }
}
