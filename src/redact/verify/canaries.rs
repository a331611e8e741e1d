//! Canaries: planted secrets that must not come out.

use super::super::Carrier;
use super::super::engine::Engine;
use super::super::error::RedactError;
use super::super::literals::Literals;
use super::super::pseudonym::Class;
use super::super::scan::{Layers, Scanner};
use super::super::secret::Secret;
use super::super::settings::Compiled;
use super::super::span::{Rule, Seed};

/// Three random secrets put through an engine as any data would be: in an environment, in JSON inside JSON, and bare.
///
/// # Errors
/// [`RedactError::Canary`] when one of them comes out, or the system has no random bytes: no result may be used.
pub(in crate::redact) fn canaries(engine: &Engine) -> Result<(), RedactError> {
    let mut random = [0; 48];
    getrandom::fill(&mut random).map_err(|_| RedactError::Canary)?;
    let text = |bytes: &[u8]| {
        bytes.iter().map(|byte| char::from(b"ACEGHKMPRTWY2346"[usize::from(byte & 15)])).collect::<String>()
    };
    let (first, second, third) = (text(&random[..16]), text(&random[16..32]), text(&random[32..]));
    let artifact = format!(
        "PATH=/bin\0CANARY_PASSWORD={first}\0{{\"m\":\"{{\\\"client_secret\\\":\\\"{second}\\\"}}\"}}\0sent ld_api_{third} away\0"
    );
    let out = engine.masked(Carrier::Environ, artifact.as_bytes())?;
    let kept = [&first, &second, &third].iter().any(|secret| memchr::memmem::find(&out, secret.as_bytes()).is_some());
    if kept || memchr::memmem::find(&out, b"PATH=/bin").is_none() {
        return Err(RedactError::Canary);
    }
    let known = Secret {
        bytes: zeroize::Zeroizing::new(first.clone().into_bytes()),
        class: Class::Password,
        rule: Rule::Builtin("canary"),
        seed: Seed::Told,
    };
    let literals = Literals::new(&[known], |_| true);
    let rules = Compiled::default();
    let scanner = Scanner { rules: &rules, literals: Some(&literals), layers: Layers::Verification };
    let found = scanner.spans(Carrier::Text, format!("x {first} y").as_bytes());
    if found.is_empty() { Err(RedactError::Canary) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{PseudonymKey, Settings};

    #[test]
    fn canaries_do_not_come_out() {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let engine = Engine::unlearned(&Settings::default(), key).expect("no rules of the user's");
        for _ in 0..200 {
            engine.self_test().expect("all are masked");
        }
        assert_eq!(engine.summary().rules.len(), 0);
    }
}
