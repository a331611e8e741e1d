//! Any bytes, under every carrier.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapvisor_fuzz::redact::{Carrier, Learner, PseudonymKey, Settings};
use snapvisor_fuzz::{check, engine};

const CARRIERS: [Carrier; 9] = [
    Carrier::Environ,
    Carrier::Argv,
    Carrier::Toml,
    Carrier::IggyConfig,
    Carrier::Shadow,
    Carrier::Pgpass,
    Carrier::UserSecret,
    Carrier::SecondLine,
    Carrier::Secret,
];

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    check(text, usize::from(*first));
    let carrier = CARRIERS[usize::from(*first) % CARRIERS.len()];
    let masked = engine().bytes(carrier, "data", text).expect("no panic");
    if carrier == Carrier::Toml
        && let Ok(before) = std::str::from_utf8(text)
        && before.parse::<toml_edit::DocumentMut>().is_ok()
    {
        let after = std::str::from_utf8(&masked).expect("masks break no character");
        assert!(after.parse::<toml_edit::DocumentMut>().is_ok(), "{before:?} became {after:?}");
    }
    let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
    let mut learner = Learner::new(&Settings::default(), key).expect("no rules of the user's");
    learner.learn(carrier, "data", text).expect("no panic");
    learner.finish().bytes(Carrier::Text, "data", text).expect("no panic");
});
