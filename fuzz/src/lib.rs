//! The rooms under test, compiled by themselves, and what must hold of the engine whatever it is given.

#[path = "../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../src/redact/mod.rs"]
pub mod redact;

use std::io::Read;
use std::sync::OnceLock;

use redact::{Carrier, Engine, Learner, Markup, PseudonymKey, Settings};

/// A secret that the engine knows from elsewhere.
pub const KNOWN: &str = "x8Kq2mZw91LpTr5v";

/// An engine that knows a secret.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let mut learner = Learner::new(&Settings::default(), key).expect("no rules of the user's");
        let environ = format!("DB_PASSWORD={KNOWN}\0");
        learner.learn(Carrier::Environ, "environ", environ.as_bytes()).expect("it is learned");
        learner.finish()
    })
}

/// Gives a few bytes at a time.
struct Dribble<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let taken = self.step.min(to.len()).min(self.bytes.len());
        to[..taken].copy_from_slice(&self.bytes[..taken]);
        self.bytes = &self.bytes[taken..];
        Ok(taken)
    }
}

/// Masks a text in every way and checks that all agree: as a whole and dribbled, once and twice, and that the independent
/// reading finds no known secret in the result.
pub fn check(text: &[u8], step: usize) {
    let engine = engine();
    let whole = engine.bytes(Carrier::Text, "text", text).expect("no panic");
    let mut streamed = Vec::new();
    let mut dribble = Dribble { bytes: text, step: step.max(1) };
    engine.stream(Carrier::Text, "text", &mut dribble, &mut streamed).expect("no panic");
    assert_eq!(lossy(&whole), lossy(&streamed), "it depends on how it is cut");
    let twice = engine.bytes(Carrier::Text, "text", &whole).expect("no panic");
    assert_eq!(lossy(&whole), lossy(&twice), "masking twice is not masking once");
    let leak = engine.verifier().check("text", Markup::Plain, &mut whole.as_slice()).expect("no panic");
    assert!(leak.is_none(), "{leak:?} is left in {:?}", lossy(&whole));
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
