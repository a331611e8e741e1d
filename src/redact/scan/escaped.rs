//! Names that are written with escapes: `"pass\\u0077ord"`, `pass%77ord=`.

use super::super::bytes::ByteSet;

/// What names are made of, and escapes.
const NAME: ByteSet = ByteSet::alphanumeric_and(b"_-.");
const ESCAPED: ByteSet = ByteSet::alphanumeric_and(b"_-.\\%");

/// A name without its escapes.
#[derive(Debug)]
pub(super) struct Escaped {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: Vec<u8>,
}

/// The name around `at` that ends before `right`, if a letter of it is written as an escape. `start` is where its plain part
/// begins, `left` the first byte that is looked at.
#[inline(never)]
pub(super) fn name(bytes: &[u8], (left, start): (usize, usize), at: usize, right: usize) -> Option<Escaped> {
    let letter = |place: usize| escape(&bytes[place..right]).is_some_and(|(letter, _)| NAME.has(letter));
    let signs = bytes[left..start].iter().rev().take_while(|byte| b"\\%".contains(byte)).count();
    // Most escapes are signs, and end a name.
    if !letter(at + NAME.run(&bytes[at..right])) && !(start - signs..start).any(letter) {
        return None;
    }
    let mut from = start - ESCAPED.run_before(&bytes[left..start]);
    let (mut place, mut text, mut escapes) = (from, Vec::new(), 0);
    while place < right {
        let byte = bytes[place];
        if NAME.has(byte) {
            text.push(byte);
            place += 1;
            continue;
        }
        match escape(&bytes[place..right]) {
            Some((letter, length)) if NAME.has(letter) => {
                text.push(letter);
                escapes += 1;
                place += length;
            }
            found if place < at => {
                // What stands before is another's: a line end, a quote.
                let other =
                    usize::from(byte == b'\\' && bytes.get(place + 1).is_some_and(|next| b"nrt".contains(next)));
                place += found.map_or(1 + other, |(_, length)| length);
                (from, escapes) = (place, 0);
                text.clear();
            }
            _ => break,
        }
    }
    (escapes > 0 && from <= at && at < place).then_some(Escaped { start: from, end: place, text })
}

/// The byte that is escaped at the beginning of a text, and how many that takes: `\u0077`, `\x77`, `%77`.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let slashes = text.iter().take(8).take_while(|byte| **byte == b'\\').count();
    let skip = match (slashes, &text[slashes..]) {
        (0, [b'%', ..]) => 1,
        (1.., [b'u', b'0', b'0', ..]) => slashes + 3,
        (1.., [b'x', ..]) => slashes + 1,
        _ => return None,
    };
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    let byte = digit(skip)? * 16 + digit(skip + 1)?;
    Some((u8::try_from(byte).ok()?, skip + 2))
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn names_are_read_through_their_escapes() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                (r#"{"pass\u0077ord": "hunter2"}"#, r#"{"pass\u0077ord": "‹pw›"}"#),
                (r#"{"\u0070assword":"hunter2","n":1}"#, r#"{"\u0070assword":"‹pw›","n":1}"#),
                (r#"{"m":"{\"t\\u006fken\":\"hunter2x\"}"}"#, r#"{"m":"{\"t\\u006fken\":\"‹tok›\"}"}"#),
                (r#"{"api\u005fkey":"hunter2-Xq9"}"#, r#"{"api\u005fkey":"‹key›"}"#),
                ("user=bob&pass%77ord=hunter2&x=1", "user=bob&pass%77ord=‹pw›&x=1"),
                (r#"{"c\u006flour":"hunter2-Xq9"}"#, r#"{"c\u006flour":"hunter2-Xq9"}"#),
                same(r#"{"m":"a \u006b\u0065y of 12: hunter2"}"#),
            ],
        );
    }
}
