//! The engine that finds and masks secrets.

/// Finds and masks secrets.
#[derive(Debug)]
pub struct Engine {
    _private: (),
}

impl Engine {
    /// `text` with its secrets masked.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        text.to_owned()
    }
}
