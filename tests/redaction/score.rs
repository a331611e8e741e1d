//! The score: recall per category and carrier, negatives hit, and the targets.

use std::collections::BTreeMap;

use snapvisor::redact::{Carrier, Engine, Learner, PseudonymKey, Settings};

use super::carriers::{self, BARE, Case, KEYED};
use super::formats::{Context, FORMATS, Format};
use super::negatives::NEGATIVES;
use super::pem;
use super::template::{Random, fill, negative};

/// Bytes of a secret in a row that may stay.
const LEFT_MAX: usize = 3;
/// Failures printed for each class.
const SHOWN_MAX: usize = 6;

#[derive(Default)]
pub struct Tally {
    pub cases: usize,
    pub missed: usize,
    /// Cases in which something around the secret was masked as well.
    pub over: usize,
    pub examples: Vec<String>,
}

impl Tally {
    fn count(&mut self, ok: bool, example: impl FnOnce() -> String) {
        self.cases += 1;
        if !ok {
            self.missed += 1;
            if self.examples.len() < SHOWN_MAX {
                self.examples.push(example());
            }
        }
    }

    pub fn recall(&self) -> f64 {
        if self.cases == 0 {
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let recall = (self.cases - self.missed) as f64 / self.cases as f64;
        recall
    }
}

#[derive(Default)]
pub struct Score {
    /// Gated classes.
    pub classes: BTreeMap<&'static str, Tally>,
    pub categories: BTreeMap<&'static str, Tally>,
    pub carriers: BTreeMap<&'static str, Tally>,
}

/// Classes and the recall each must reach.
pub const TARGETS: &[(&str, f64)] = &[
    ("iggy", 1.0),
    ("bare", 0.999),
    ("keyed", 0.995),
    ("url", 0.995),
    ("pem", 1.0),
    ("propagated-raw", 0.995),
    ("propagated-encoded", 0.98),
    ("negatives", 1.0),
];

pub fn learner() -> Learner {
    let key = PseudonymKey::from_hex(&"5a".repeat(32)).expect("hexadecimal");
    Learner::new(&Settings::default(), key).expect("no rules of the user's")
}

/// The text with its masks taken out, cut where they were.
fn without_masks(text: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find("REDACTED-") {
        parts.push(&rest[..at]);
        let tail = &rest[at + 9..];
        let mut dashes = tail.splitn(3, '-');
        let class = dashes.next().unwrap_or_default().len();
        let end = tail.get(class + 1..).map_or(tail.len(), |tag| {
            let length =
                tag.bytes().take_while(|byte| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(byte)).count();
            class + 1 + length
        });
        rest = &tail[end..];
        for suffix in ["-json", "-pct", "-html", "-b64", "-hex", "-u16", "-sh", "-cut"] {
            rest = rest.strip_prefix(suffix).unwrap_or(rest);
        }
    }
    parts.push(rest);
    parts
}

/// Whether the secret of a case is gone, and whether all around it is still there.
fn judge(case: &Case, out: &str) -> (bool, bool) {
    let whole = out.len() >= case.before.len() + case.after.len()
        && out.starts_with(&case.before)
        && out.ends_with(&case.after);
    if whole {
        let inner = &out[case.before.len()..out.len() - case.after.len()];
        let parts = without_masks(inner);
        return (parts.len() > 1 && parts.iter().all(|part| part.trim_matches('"').len() <= LEFT_MAX), true);
    }
    let gone = without_masks(out).iter().all(|part| {
        let secret = case.secret.as_bytes();
        secret.len() <= LEFT_MAX
            || secret
                .windows((LEFT_MAX + 1).max(secret.len().min(8)))
                .all(|window| !part.as_bytes().windows(window.len()).any(|other| other == window))
    });
    (gone && out.contains("REDACTED-"), false)
}

/// A password verifier keeps its algorithm and cost.
fn split_verifier(secret: &str) -> usize {
    if !(secret.starts_with('$') || secret.starts_with("SCRAM")) {
        return 0;
    }
    let dollars: Vec<usize> = secret.match_indices('$').map(|(at, _)| at).collect();
    match dollars.len() {
        0 => 0,
        1 => dollars[0] + 1,
        _ if secret.starts_with("SCRAM") => secret.find(':').map_or(0, |at| at + 1),
        _ if secret.starts_with("$2") => dollars[2.min(dollars.len() - 1)] + 1,
        count => dollars[count - 2] + 1,
    }
}

impl Score {
    fn case(&mut self, engine: &Engine, class: &'static str, format: &Format, carrier: &'static str, mut case: Case) {
        let kept = split_verifier(&case.secret);
        case.before.push_str(&case.secret[..kept]);
        case.secret.drain(..kept);
        let text = format!("{}{}{}", case.before, case.secret, case.after);
        let out = engine.bytes(case.carrier, carrier, text.as_bytes()).expect("it is redacted");
        let out = String::from_utf8_lossy(&out);
        let (gone, whole) = judge(&case, &out);
        for tally in [
            self.classes.entry(class).or_default(),
            self.categories.entry(format.1).or_default(),
            self.carriers.entry(carrier).or_default(),
        ] {
            tally.count(gone, || format!("{} in {carrier}: {text:?} gave {out:?}", format.0));
            tally.over += usize::from(!whole);
        }
        if !whole {
            let over = self.classes.entry("over-masked").or_default();
            over.count(false, || format!("{} in {carrier}: {text:?} gave {out:?}", format.0));
        }
    }

    /// Formats in their carriers, `rounds` times each.
    pub fn formats(&mut self, rounds: usize, random: &mut Random) {
        let engine = learner().finish();
        for _ in 0..rounds {
            for format in FORMATS {
                let (_, category, context, template) = *format;
                let secret = fill(template, random);
                match context {
                    Context::Bare => {
                        let class = if category == "iggy" { "iggy" } else { "bare" };
                        let (carrier, make) = *random.pick(BARE);
                        self.case(&engine, class, format, carrier, make(&secret));
                        self.keyed(&engine, format, &secret, class, random);
                    }
                    Context::Keyed => {
                        let class = if category == "iggy" { "iggy" } else { "keyed" };
                        self.keyed(&engine, format, &secret, class, random);
                    }
                    Context::Url => self.url(&engine, format, random),
                }
            }
        }
    }

    fn keyed(&mut self, engine: &Engine, format: &Format, secret: &str, class: &'static str, random: &mut Random) {
        let (carrier, make) = *random.pick(KEYED);
        let mut name = carriers::name(random);
        if format.0 == "pw-digits" || format.0 == "pw-default" || format.0 == "pw-word" {
            name = *random.pick::<&str>(&carriers::NAMES[..5]);
        }
        if let Some(case) = make(name, secret) {
            self.case(engine, class, format, carrier, case);
        }
    }

    fn url(&mut self, engine: &Engine, format: &Format, random: &mut Random) {
        let url = fill(format.3, random);
        let (carrier, make) = *random.pick(&BARE[..7]);
        let case = make(&url);
        let text = format!("{}{}{}", case.before, case.secret, case.after);
        let out = engine.bytes(case.carrier, carrier, text.as_bytes()).expect("it is redacted");
        let out = String::from_utf8_lossy(&out);
        let secret = credential(&url, format.0);
        let gone = out.contains("REDACTED-") && !out.contains(&secret) && !out.contains(&secret[..secret.len().min(8)]);
        let class = if format.1 == "iggy" { "iggy" } else { "url" };
        for tally in [
            self.classes.entry(class).or_default(),
            self.categories.entry(format.1).or_default(),
            self.carriers.entry(carrier).or_default(),
        ] {
            tally.count(gone, || format!("{} in {carrier}: {text:?} gave {out:?}", format.0));
        }
    }

    pub fn pem(&mut self, rounds: usize, random: &mut Random) {
        let engine = learner().finish();
        for _ in 0..rounds {
            for form in pem::FORMS {
                let (carrier, text, lines) = pem::key(form, random);
                let out = engine.bytes(carrier, form, text.as_bytes()).expect("it is redacted");
                let out = String::from_utf8_lossy(&out);
                let gone =
                    lines.iter().all(|line| !out.contains(&line[..16]) && !out.contains(&line[line.len() - 12..]));
                self.classes.entry("pem").or_default().count(gone, || format!("{form}: {text:?} gave {out:?}"));
            }
        }
    }

    /// Secrets learned in one place and met in another, as they are and encoded.
    pub fn propagation(&mut self, rounds: usize, random: &mut Random) {
        const TEMPLATES: &[&str] = &[
            "[A-Za-z0-9]{16}",
            "[A-Za-z0-9]{24,32}",
            "[A-Za-z0-9]{4}[!#%&*+:?^~]{2}[A-Za-z0-9]{6}[$!%]{1}",
            "[A-Za-z0-9+/]{43}=",
            "[A-Z][a-z]{4}-[a-z]{6}-[0-9]{4}!",
            "[0-9a-f]{32}",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ];
        for _ in 0..rounds {
            let secrets: Vec<String> = (0..20).map(|at| fill(TEMPLATES[at % TEMPLATES.len()], random)).collect();
            let mut learner = learner();
            let environ: Vec<String> =
                secrets.iter().enumerate().map(|(at, secret)| format!("APP{at}_PASSWORD={secret}\0")).collect();
            let environ = environ.concat();
            learner.learn(Carrier::Environ, "environ", environ.as_bytes()).expect("it is learned");
            let engine = learner.finish();
            for secret in &secrets {
                for (name, written) in written(secret, random) {
                    let text = format!("2026-08-21 INFO peer said {written} and left\n");
                    let out = engine.bytes(Carrier::Text, "log", text.as_bytes()).expect("it is redacted");
                    let out = String::from_utf8_lossy(&out);
                    let class = if name == "raw" { "propagated-raw" } else { "propagated-encoded" };
                    let inner =
                        out.strip_prefix("2026-08-21 INFO peer said ").and_then(|out| out.strip_suffix(" and left\n"));
                    let left = if name.starts_with("base64") || name == "cut" { 12 } else { LEFT_MAX };
                    let gone = inner.is_some_and(|inner| {
                        without_masks(inner).iter().all(|part| part.len() <= left) && inner.contains("REDACTED-")
                    });
                    self.classes
                        .entry(class)
                        .or_default()
                        .count(gone, || format!("{name} of {secret:?}: {text:?} gave {out:?}"));
                    self.carriers.entry(name).or_default().count(gone, String::new);
                }
            }
        }
    }

    pub fn negatives(&mut self, rounds: usize, random: &mut Random) {
        let engine = learner().finish();
        for _ in 0..rounds {
            for (id, template) in NEGATIVES {
                let (text, parts) = negative(template, random);
                let text = text.replace('\u{1}', "{").replace('\u{2}', "}");
                let whole = format!("2026-08-21 INFO x\n{text}\nnext line\n");
                let out = engine.bytes(Carrier::Text, "negative", whole.as_bytes()).expect("it is redacted");
                let out = String::from_utf8_lossy(&out);
                let kept = parts.iter().all(|part| out.contains(&part.replace('\u{1}', "{").replace('\u{2}', "}")));
                self.classes.entry("negatives").or_default().count(kept, || format!("{id}: {text:?} gave {out:?}"));
            }
        }
    }

    /// Prints everything; whether all targets were reached.
    pub fn print(&self) -> bool {
        let mut reached = true;
        for (title, tallies) in [("category", &self.categories), ("carrier", &self.carriers)] {
            println!("\n{title:<24} {:>7} {:>7} {:>9} {:>6}", "cases", "missed", "recall", "over");
            for (name, tally) in tallies {
                println!(
                    "{name:<24} {:>7} {:>7} {:>8.3}% {:>6}",
                    tally.cases,
                    tally.missed,
                    tally.recall() * 100.0,
                    tally.over
                );
            }
        }
        println!("\n{:<24} {:>7} {:>7} {:>9} {:>9}", "class", "cases", "missed", "recall", "target");
        for (class, target) in TARGETS {
            let Some(tally) = self.classes.get(class) else { continue };
            let ok = tally.recall() >= *target;
            reached &= ok;
            let verdict = if ok { "" } else { "  BELOW" };
            println!(
                "{class:<24} {:>7} {:>7} {:>8.3}% {:>8.1}%{verdict}",
                tally.cases,
                tally.missed,
                tally.recall() * 100.0,
                target * 100.0
            );
        }
        for (carrier, tally) in self.carriers.iter().filter(|(name, _)| KEYED.iter().any(|(keyed, _)| keyed == *name)) {
            if tally.recall() < 0.995 {
                reached = false;
                println!("carrier {carrier}: {:.3}%  BELOW 99.5%", tally.recall() * 100.0);
            }
        }
        for (class, tally) in self.classes.iter().chain(self.carriers.iter().filter(|(_, tally)| tally.missed > 0)) {
            for example in &tally.examples {
                println!("{class}: {example}");
            }
        }
        reached
    }
}

/// The credential inside a URL or connection string.
fn credential(url: &str, id: &str) -> String {
    let webhook = ["webhook", "/services/"].iter().any(|word| id.contains("webhook") && url.contains(word));
    if webhook {
        return url.rsplit('/').next().expect("a path").to_owned();
    }
    for word in ["password=", "SharedAccessKey=", "AccountKey="] {
        if let Some((_, rest)) = url.split_once(word) {
            return rest.split(['&', ';']).next().expect("a value").to_owned();
        }
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let info = rest.rsplit_once('@').map_or(rest, |(info, _)| info);
    info.split_once(':').map_or(info, |(_, password)| password).to_owned()
}

/// A secret in its encodings.
fn written(secret: &str, random: &mut Random) -> Vec<(&'static str, String)> {
    let percent = |keep: fn(u8) -> bool| {
        secret.bytes().fold(String::new(), |out, byte| {
            if keep(byte) { out + &char::from(byte).to_string() } else { out + &format!("%{byte:02X}") }
        })
    };
    let hex = secret.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
    let mut all = vec![
        ("raw", secret.to_owned()),
        ("json", carriers::json(secret)),
        ("json-twice", carriers::json(&carriers::json(secret))),
        ("percent", percent(|byte| byte.is_ascii_alphanumeric())),
        ("percent-path", percent(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))),
        ("html", secret.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\'', "&#39;")),
        ("hex", hex.clone()),
        ("hex-lower", hex.to_lowercase()),
        ("utf16le", secret.encode_utf16().flat_map(u16::to_le_bytes).map(char::from).collect()),
    ];
    for (name, before) in [("base64-0", ""), ("base64-1", "a"), ("base64-2", "ab"), ("base64-user", "user:")] {
        all.push((name, pem::base64(format!("{before}{secret}").as_bytes())));
    }
    if secret.len() >= 24 {
        all.push(("cut", secret[..secret.len() * 3 / 4].to_owned()));
    }
    let _ = random;
    all
}
