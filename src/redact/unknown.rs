//! Data of unknown layout: which of the secrets found in it count.
//!
//! Random bytes are full of short names of secrets. What stands in a run of text is none of their doing.

use super::span::{Form, Rule, Span};
use super::stream::Piece;

/// Bytes of text, those of a secret and those before it, that make it one. A name of four bytes stands in a gigabyte of random data
/// some ten times, such a name in so much text once in twenty gigabytes.
const TEXT_BYTES_MIN: usize = 12;
/// Bytes of text with which a secret of more bytes begins.
const VALUE_BYTES_MIN: usize = 4;

/// Follows the pieces of a stream.
#[derive(Default)]
pub(super) struct Unknown {
    /// Bytes of text up to the present position.
    text: usize,
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

impl Unknown {
    /// The secret of a piece, if it counts.
    pub(super) fn secret<'p>(&mut self, piece: &Piece<'p>) -> Option<(&'p Span, &'p [u8])> {
        let (bytes, span) = match piece {
            Piece::Clear(bytes) => (*bytes, None),
            Piece::Secret(span, bytes) => (*bytes, Some(*span)),
        };
        let before = self.text;
        let tail = bytes.iter().rev().take_while(|byte| is_text(**byte)).count();
        self.text = if tail == bytes.len() { before + tail } else { tail };
        let span = span?;
        let certain = matches!(span.form, Form::Known { .. }) || matches!(span.rule, Rule::Custom(_));
        // A value without quotes may run on into bytes that are no text.
        let head = bytes.iter().take_while(|byte| is_text(**byte)).count();
        let amid_text = head >= VALUE_BYTES_MIN.min(bytes.len()) && before + head >= TEXT_BYTES_MIN;
        (certain || amid_text).then_some((span, if certain { bytes } else { &bytes[..head] }))
    }
}
