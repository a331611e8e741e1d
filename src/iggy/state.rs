//! `state/info` of 0.8: the version of the server that wrote the state.

/// Why a file is no state info.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It does not have the shape that 0.8 writes.
    #[error("byte {0} is not what 0.8 writes there")]
    Shape(usize),
    /// It ends early.
    #[error("it ends after {0} bytes")]
    Short(usize),
}

/// What `state/info` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateInfo {
    /// The version of the server, `0.8.0`.
    pub version: String,
}

/// The longest version that is believed.
const VERSION_BYTES_MAX: usize = 31;

impl StateInfo {
    /// Decodes the `MessagePack` of 0.8: an array whose first element is an array that starts with the version.
    ///
    /// # Errors
    /// It is shaped otherwise, or cut.
    pub fn decode(file: &[u8]) -> Result<Self, StateError> {
        let byte = |at: usize| file.get(at).copied().ok_or(StateError::Short(file.len()));
        for at in [0, 1] {
            if !matches!(byte(at)?, 0x91..=0x9f) {
                return Err(StateError::Shape(at));
            }
        }
        let length = match byte(2)? {
            fix @ 0xa1..=0xbf => usize::from(fix & 0x1f),
            _ => return Err(StateError::Shape(2)),
        };
        debug_assert!(length <= VERSION_BYTES_MAX);
        let text = file.get(3..3 + length).ok_or(StateError::Short(file.len()))?;
        if let Some(wrong) = text.iter().position(|byte| !byte.is_ascii_graphic()) {
            return Err(StateError::Shape(3 + wrong));
        }
        Ok(Self { version: String::from_utf8_lossy(text).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_state_info_tells_the_version() {
        let file = include_bytes!("../../tests/data/iggy-0.8.0-clean/state/info");
        assert_eq!(StateInfo::decode(file), Ok(StateInfo { version: "0.8.0".into() }));
    }

    #[test]
    fn what_is_shaped_otherwise_is_refused() {
        for (bytes, error) in [
            (&b""[..], StateError::Short(0)),
            (b"\x92\x92\xa50.8", StateError::Short(6)),
            (b"{\"a\":1}", StateError::Shape(0)),
            (b"\x92\x92\x07", StateError::Shape(2)),
            (b"\x92\x92\xa2\x00\x01", StateError::Shape(3)),
        ] {
            assert_eq!(StateInfo::decode(bytes), Err(error));
        }
    }
}
