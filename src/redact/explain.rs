//! Places: which rule masks what, told by line and column to whoever owns the data; never a value, nor its length.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::carrier::Carrier;
use super::engine::Engine;
use super::error::RedactError;
use super::scan::Layers;
use super::span::{Form, Span};
use super::stream::{self, Piece, STRUCTURED_BYTES_MAX, read_whole};
use super::summary::Tally;

/// Where a mask stands, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The rule.
    pub rule: String,
    /// The mask's own text.
    pub mask: String,
    /// The secret's line, from 1.
    pub line: u64,
    /// The byte of that line at which it begins, from 1.
    pub column: u64,
}

/// Counts lines and columns of what passes by.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    line: u64,
    column: u64,
}

impl Cursor {
    fn pass(&mut self, bytes: &[u8]) {
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
        match memchr::memrchr(b'\n', bytes) {
            Some(last) => self.column = (bytes.len() - last) as u64,
            None => self.column += bytes.len() as u64,
        }
    }
}

/// Tells the places of the masks that the engine puts into what `reader` gives.
///
/// # Errors
/// When it cannot be read or the engine fails on it.
pub(super) fn places(
    engine: &Engine,
    carrier: Carrier,
    reader: &mut dyn Read,
    each: &mut dyn FnMut(Place),
) -> Result<(), RedactError> {
    let (mut tally, mut cursor) = (Tally::default(), Cursor { line: 1, column: 1 });
    let mut piece = |piece: Piece<'_>| {
        match piece {
            Piece::Clear(bytes) => cursor.pass(bytes),
            Piece::Secret(span, bytes) => {
                if span.form != Form::Rest {
                    each(place(engine, span, bytes, cursor, &mut tally));
                }
                cursor.pass(bytes);
            }
        }
        Ok(())
    };
    let run = AssertUnwindSafe(|| {
        let scanner = engine.scanner(Layers::All);
        if carrier == Carrier::Text {
            return stream::cut(&scanner, reader, &mut piece).map(drop);
        }
        let (bytes, _) = read_whole(reader, STRUCTURED_BYTES_MAX)?;
        let mut done = 0;
        for span in scanner.spans(carrier, &bytes) {
            piece(Piece::Clear(&bytes[done..span.start]))?;
            piece(Piece::Secret(&span, &bytes[span.start..span.end]))?;
            done = span.end;
        }
        Ok(())
    });
    catch_unwind(run).unwrap_or(Err(RedactError::Panicked))
}

fn place(engine: &Engine, span: &Span, bytes: &[u8], cursor: Cursor, tally: &mut Tally) -> Place {
    let mut mask = Vec::new();
    engine.mask(span, bytes, &mut mask, tally);
    Place {
        rule: engine.rule_name(span.rule).to_owned(),
        mask: String::from_utf8_lossy(&mask).into_owned(),
        line: cursor.line,
        column: cursor.column,
    }
}
