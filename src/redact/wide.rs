//! Wide text: UTF-16 in either byte order, turned into UTF-8 and back without a change.

use std::io::{Read, Write};

use zeroize::Zeroizing;

use super::error::RedactError;
use super::stream::read_whole;

/// Bytes of wide text, which is turned into narrow text as a whole.
const WIDE_BYTES_MAX: usize = 32 << 20;
/// Pairs of bytes looked at to tell wide text without a mark in front.
const PAIRS_MIN: usize = 16;

/// The order of a unit's two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The lower one comes first.
    LittleEnd,
    /// The higher one comes first.
    BigEnd,
}

/// The order of a text that begins like this, if it is wide: by its mark, or since every other byte is zero.
pub(super) fn order_of(head: &[u8]) -> Option<Order> {
    if head.starts_with(b"\xff\xfe") && !head.starts_with(b"\xff\xfe\0\0") {
        return Some(Order::LittleEnd);
    }
    if head.starts_with(b"\xfe\xff") {
        return Some(Order::BigEnd);
    }
    let (pairs, _) = head.as_chunks::<2>();
    if pairs.len() < PAIRS_MIN {
        return None;
    }
    // Nine of ten: other alphabets have their blanks and digits alone there.
    let mostly = |fits: fn(&[u8; 2]) -> bool| pairs.iter().filter(|pair| fits(pair)).count() * 10 >= pairs.len() * 9;
    if mostly(|pair| pair[0] != 0 && pair[1] == 0) {
        Some(Order::LittleEnd)
    } else if mostly(|pair| pair[0] == 0 && pair[1] != 0) {
        Some(Order::BigEnd)
    } else {
        None
    }
}

/// All of a wide text, as UTF-8.
///
/// # Errors
/// It cannot be read, is too long, or is no UTF-16.
pub fn read(reader: &mut dyn Read, order: Order) -> Result<Zeroizing<String>, RedactError> {
    let (bytes, _) = read_whole(reader, WIDE_BYTES_MAX)?;
    narrowed(&bytes, order).ok_or(RedactError::Form("it is broken UTF-16"))
}

/// Writes UTF-8 as wide text.
///
/// # Errors
/// It cannot be written, or is no UTF-8.
pub fn write(text: &[u8], order: Order, writer: &mut dyn Write) -> Result<(), RedactError> {
    let text = std::str::from_utf8(text).map_err(|_| RedactError::Form("its masks broke a character"))?;
    writer.write_all(&widened(text, order)).map_err(RedactError::Write)
}

/// The text as UTF-8; `None` if it is none.
fn narrowed(bytes: &[u8], order: Order) -> Option<Zeroizing<String>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match order {
        Order::LittleEnd => u16::from_le_bytes(*pair),
        Order::BigEnd => u16::from_be_bytes(*pair),
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    rest.is_empty().then_some(()).and(text.ok()).map(Zeroizing::new)
}

/// The text as UTF-16.
fn widened(text: &str, order: Order) -> Vec<u8> {
    let bytes = |unit: u16| match order {
        Order::LittleEnd => unit.to_le_bytes(),
        Order::BigEnd => unit.to_be_bytes(),
    };
    text.encode_utf16().flat_map(bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_comes_back_as_it_was() {
        for order in [Order::LittleEnd, Order::BigEnd] {
            for text in ["\u{feff}a=1\r\n", "plain text without a mark, long enough", "\u{feff}\u{1f600} \u{43f}"] {
                let wide = widened(text, order);
                assert_eq!(order_of(&wide), Some(order), "{text}");
                assert_eq!(narrowed(&wide, order).as_deref().map(String::as_str), Some(text));
            }
        }
        assert_eq!(narrowed(b"\0\xd8a\0", Order::LittleEnd), None);
        assert_eq!(narrowed(b"a\0b", Order::LittleEnd), None);
        assert_eq!(order_of(b"plain text of one byte a character, long enough"), None);
        assert_eq!(order_of(&[0; 64]), None);
    }
}
