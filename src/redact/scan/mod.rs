//! The scanner: finds secrets in bytes.
//!
//! It goes over the bytes once. A *trigger* at a position says that something may stand here; a parser written by hand
//! then looks at most [`AHEAD`] bytes ahead and [`BEHIND`] bytes back and says what is secret. Scanning resumes after
//! what was found, so that the work is linear in the data whatever it holds.

mod aligned;
mod assigned;
mod assignment;
mod audit;
mod buckets;
mod call;
mod clause;
mod code;
mod columns;
mod command;
mod connect;
mod custom;
mod directive;
mod dumps;
mod elements;
mod escaped;
mod files;
pub(super) mod formats;
mod glance;
mod hashes;
mod header;
mod iggy;
mod keyed;
mod kubernetes;
mod label;
mod languages;
mod last_value;
mod material;
mod name;
mod named;
mod nested;
mod packed;
mod pairs;
mod pem;
mod placeholder;
mod plausible;
mod programs;
mod progress;
mod prose;
mod protocol;
mod quoted;
mod ruleset;
mod sieve;
mod signs;
mod snmp;
mod sql;
mod structured;
mod surroundings;
mod through;
mod tokens;
mod transcript;
mod trigger;
mod unassigned;
mod url;
mod value;
mod verdicts;
mod vocabulary;
mod words;

use std::ops::ControlFlow;

use super::bytes::find;
use super::carrier::Carrier;
use super::literals::Literals;
use super::pseudonym::mask_in;
use super::settings::Compiled;
use super::span::{Span, settle};
use named::Keyed;
pub(super) use packed::PACKED;
pub(super) use progress::Progress;
pub(super) use ruleset::ruleset;
pub(super) use sieve::STRIDE;
use sieve::Sieve;
use through::Through;
use through::go_through;
use trigger::{Probe, Trigger};

/// Bytes that a parser may look back from its trigger, and by which a span may begin before it.
pub(super) const BEHIND: usize = 1024;
/// Bytes that a parser may look ahead from its trigger.
pub(super) const AHEAD: usize = 96 << 10;
/// Bytes of a value that are looked at; what goes on beyond is swallowed up to where the value ends.
pub(super) const VALUE_BYTES_MAX: usize = 64 << 10;
/// Bytes whose candidates are collected at a time: they stay in the second-level cache.
const BLOCK: usize = 16 << 10;

/// Which layers look at the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layers {
    /// All.
    All,
    /// Known secrets, tokens and password verifiers: for the binary files of Iggy.
    Verifiers,
    /// Known secrets and tokens: for data of unknown layout, and for archives as written.
    Verification,
}

/// Finds secrets.
pub(super) struct Scanner<'a> {
    pub(super) rules: &'a Compiled,
    pub(super) literals: Option<&'a Literals>,
    pub(super) layers: Layers,
}

/// Why a position is worth a look; at one position they are tried in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Trigger,
    Literal,
    UserStem,
    At,
    Run,
}

impl Scanner<'_> {
    /// All secrets of data that is there as a whole.
    pub(super) fn spans(&self, carrier: Carrier, bytes: &[u8]) -> Vec<Span> {
        let mut spans = Vec::new();
        let texts = match self.layers {
            Layers::All => structured::spans(carrier, bytes, self.rules, &mut spans),
            _ => Vec::new(),
        };
        self.scan(bytes, bytes.len(), &mut Progress::default(), &mut spans);
        structured::within(&texts, &mut spans);
        settle(&mut spans);
        spans
    }

    /// Finds the secrets whose triggers stand before `limit` and have not been looked at.
    pub(super) fn scan(&self, bytes: &[u8], limit: usize, progress: &mut Progress, spans: &mut Vec<Span>) {
        let mut candidates: Vec<(usize, Why)> = Vec::new();
        while progress.scanned < limit {
            go_through(bytes, progress, spans);
            let from = progress.scanned;
            let to = limit.min(from + BLOCK);
            candidates.clear();
            self.collect(bytes, from, to, &mut candidates);
            for (at, why) in candidates.iter().copied() {
                if !progress.is_open(at) {
                    self.overhang(bytes, at, why, progress, spans);
                    continue;
                }
                self.look(bytes, at, why, progress, spans);
                go_through(bytes, progress, spans);
            }
            progress.scanned = to;
        }
        if self.layers == Layers::All {
            self.custom(bytes, limit, progress, spans);
        }
    }

    /// What a known secret that begins within a mask has beyond it.
    fn overhang(&self, bytes: &[u8], at: usize, why: Why, progress: &mut Progress, spans: &mut Vec<Span>) {
        if why != Why::Literal {
            return;
        }
        let ahead = progress.ahead.front().map_or(0, |(_, end)| *end);
        let known = self.literals.and_then(|literals| literals.at(bytes, at));
        if let Some(span) = known.filter(|span| span.end > ahead.max(progress.masked_to)) {
            accept(span, progress, spans);
        }
    }

    fn collect(&self, bytes: &[u8], from: usize, to: usize, candidates: &mut Vec<(usize, Why)>) {
        Sieve { probe: Probe::get(), literals: self.literals }.positions(bytes, from, to, candidates);
        let ordered = candidates.len();
        if let Some(literals) = self.literals {
            candidates.extend(literals.short(bytes, from, to).map(|at| (at, Why::Literal)));
        }
        if let Some(stems) = self.rules.stems.as_ref().filter(|_| self.layers == Layers::All) {
            let end = bytes.len().min(to + 64);
            let found = stems.find_overlapping_iter(&bytes[from..end]).map(|found| from + found.start());
            candidates.extend(found.filter(|at| *at < to).map(|at| (at, Why::UserStem)));
        }
        if candidates.len() > ordered {
            candidates.sort();
        }
    }

    fn look(&self, bytes: &[u8], at: usize, why: Why, progress: &mut Progress, spans: &mut Vec<Span>) {
        match why {
            Why::Trigger => {
                let mut triggers = Probe::get().triggers(bytes, at);
                let _ = triggers.try_for_each(|(trigger, length)| {
                    if !progress.is_open(at) {
                        return ControlFlow::Break(());
                    }
                    if self.wants(trigger) {
                        self.pull(bytes, at, trigger, length, progress, spans);
                    }
                    ControlFlow::Continue(())
                });
            }
            Why::UserStem => self.stem(bytes, at, progress, spans),
            Why::Literal => {
                if let Some(span) = self.literals.and_then(|literals| literals.at(bytes, at)) {
                    accept(span, progress, spans);
                }
            }
            Why::At if self.layers != Layers::All => {}
            Why::Run if self.layers == Layers::Verifiers => {}
            Why::At if at > 0 && matches!(bytes[at - 1], b'+' | b'-') => {
                let known = spans.len();
                words::acl(bytes, at, progress.masked_to, spans);
                progress.masked_to = spans[known..].iter().map(|span| span.end).fold(progress.masked_to, usize::max);
            }
            Why::At => {
                if let Some(mut span) = url::dsn(bytes, at) {
                    span.start = span.start.max(progress.masked_to);
                    if span.start < span.end {
                        accept(span, progress, spans);
                    }
                }
            }
            Why::Run => {
                if at >= progress.run_to {
                    let (span, (start, end)) = words::prefixed(bytes, at);
                    progress.run_to = end;
                    let whole = |span: &Span| {
                        span.start >= progress.masked_to
                            && mask_in(&bytes[span.start..span.end]).is_none()
                            && !words::in_public_key(bytes, span.start)
                    };
                    if let Some(span) = span {
                        if whole(&span) {
                            accept(span, progress, spans);
                        }
                    } else if end - start >= packed::PACKED_CHARS_MIN && start >= progress.masked_to {
                        self.packed(bytes, start, progress, spans);
                    }
                }
            }
        }
    }

    fn wants(&self, trigger: Trigger) -> bool {
        match self.layers {
            Layers::All => true,
            Layers::Verifiers => matches!(trigger, Trigger::Crypt(_) | Trigger::Token(_) | Trigger::Jwt),
            Layers::Verification => matches!(
                trigger,
                Trigger::Token(_)
                    | Trigger::Pem
                    | Trigger::PemBase64
                    | Trigger::Jwt
                    | Trigger::Crypt(_)
                    | Trigger::Telegram
            ),
        }
    }

    fn pull(
        &self,
        bytes: &[u8],
        at: usize,
        trigger: Trigger,
        length: usize,
        progress: &mut Progress,
        spans: &mut Vec<Span>,
    ) {
        match trigger {
            Trigger::Stem | Trigger::Call | Trigger::Escaped => self.stem(bytes, at, progress, spans),
            Trigger::Pem => {
                // What stands between its lines is looked at like any other text: it may be no block at all.
                if at >= progress.block_to
                    && let Some(resume) = pem::block(bytes, at, spans)
                {
                    progress.block_to = resume;
                    // The marker itself says nothing more.
                    let marker = &bytes[at..resume.min(at + 64)];
                    let dashes = find(marker, b"-----").map_or(at, |dashes| at + dashes + 5);
                    progress.masked_to = progress.masked_to.max(dashes);
                }
            }
            Trigger::Url(slashes) => {
                let known = spans.len();
                if at >= progress.url_to
                    && let Some(resume) = url::url(bytes, at, slashes, &mut progress.url, spans)
                {
                    progress.go_on_between(&spans[known..], resume);
                }
            }
            Trigger::Command(place) => {
                let mut judge = |name: &[u8]| progress.names.verdicts.of(name, self.rules);
                if at >= progress.command_to
                    && let Some(end) = command::in_text(bytes, at, place, &mut judge, spans)
                {
                    progress.command_to = end;
                }
            }
            Trigger::SnmpUser | Trigger::Verb | Trigger::CapitalVerb => {
                let known = spans.len();
                let mut keyed = self.keyed(bytes, progress, spans);
                let resume = match trigger {
                    Trigger::SnmpUser => keyed.snmp_user(at, at + length),
                    _ => protocol::verb_around(bytes, at).and_then(|verb| keyed.login(verb)),
                };
                if let Some(resume) = resume {
                    progress.go_on_between(&spans[known..], resume);
                }
            }
            Trigger::Jwt => match words::jwt(bytes, at, bytes.len().min(at + VALUE_BYTES_MAX)) {
                Some(span) => self.take(bytes, at, span, progress, spans),
                None => self.packed(bytes, at, progress, spans),
            },
            Trigger::Insert => {
                if at >= progress.statement_to {
                    progress.statement_to = sql::insert(bytes, at + length, self.rules, spans);
                }
            }
            Trigger::Parameters => {
                if at >= progress.statement_to {
                    let known = spans.len();
                    let resume = sql::parameters(bytes, at, at + length - 1, self.rules, spans);
                    progress.statement_to = resume;
                    progress.go_on_between(&spans[known..], at);
                }
            }
            Trigger::Samba => hashes::samba(bytes, at, progress.masked_to, spans),
            Trigger::PemEnd => {
                if at >= progress.block_to {
                    pem::ended(bytes, at, progress.masked_to, spans);
                }
            }
            Trigger::Proctitle => audit::proctitle(bytes, at + length, self.rules, spans),
            Trigger::Prompt => {
                let mut judge = |name: &[u8]| progress.names.verdicts.of(name, self.rules);
                let sign = at + length - "$ ".len();
                let printed = transcript::printed(bytes, sign, at + length, &mut judge);
                if let Some(span) = printed.filter(|span| !self.rules.allows(&bytes[span.start..span.end])) {
                    spans.push(span);
                    progress.go_on_between(&[span], at);
                }
            }
            Trigger::Execve => {
                if at >= progress.command_to {
                    progress.command_to = audit::execve(bytes, at + length, self.rules, spans);
                }
            }
            Trigger::WebKey | Trigger::Putty => material::around(bytes, at, trigger, length, progress, spans),
            Trigger::Data => kubernetes::data(bytes, at, length, &mut progress.document, spans),
            _ => {
                if let Some(span) = found(bytes, at, trigger, length, progress) {
                    self.take(bytes, at, span, progress, spans);
                }
            }
        }
    }

    /// Takes a secret that a trigger at `at` led to, unless it is masked or allowed.
    fn take(&self, bytes: &[u8], at: usize, mut span: Span, progress: &mut Progress, spans: &mut Vec<Span>) {
        let to = bytes.len().min(at + VALUE_BYTES_MAX);
        span.start = span.start.max(progress.masked_to);
        let value = &bytes[span.start..span.end];
        if span.start < span.end && !self.rules.allows(value) && mask_in(value).is_none() {
            if span.end == to && to < bytes.len() && span.end - span.start > VALUE_BYTES_MAX / 2 {
                progress.through = Some(Through::Run);
            }
            accept(span, progress, spans);
        }
    }

    fn keyed<'k>(&'k self, bytes: &'k [u8], progress: &'k mut Progress, spans: &'k mut Vec<Span>) -> Keyed<'k> {
        Keyed { bytes, rules: self.rules, spans, memory: &mut progress.names, masked_to: progress.masked_to }
    }

    fn stem(&self, bytes: &[u8], at: usize, progress: &mut Progress, spans: &mut Vec<Span>) {
        if at < progress.name_to {
            return;
        }
        let known = spans.len();
        let outcome = self.keyed(bytes, progress, spans).look(at);
        progress.name_to = outcome.name_end;
        let Some(resume) = outcome.resume else { return };
        if outcome.through.is_some() {
            progress.masked_to = progress.masked_to.max(resume);
            progress.through = outcome.through;
        } else {
            progress.go_on_between(&spans[known..], resume);
        }
    }
}

/// The one secret that a trigger leads to.
fn found(bytes: &[u8], at: usize, trigger: Trigger, length: usize, progress: &mut Progress) -> Option<Span> {
    let to = bytes.len().min(at + VALUE_BYTES_MAX);
    match trigger {
        Trigger::Token(place) => {
            let token = &tokens::TOKENS[place];
            tokens::token_end(token, bytes, at, to)
                .filter(|_| !words::in_public_key(bytes, at))
                .map(|end| words::token(at, end, tokens::class_of(token)))
        }
        Trigger::PemBase64 => pem::encoded(bytes, at, to),
        Trigger::NestedUrl => url::nested(bytes, at),
        Trigger::Crypt(place) => {
            let (prefix, parameters) = hashes::CRYPT[place];
            hashes::crypt(bytes, at, prefix, parameters)
        }
        Trigger::Named(place) => hashes::named(bytes, at, hashes::NAMED[place]),
        Trigger::Scheme => hashes::scheme(bytes, at),
        Trigger::Bearer => words::bearer(bytes, at + length, to),
        Trigger::Basic => words::basic(bytes, at + length, to),
        Trigger::Telegram => words::telegram(bytes, at),
        Trigger::HereString => command::here_string(bytes, at, &mut progress.here_to),
        Trigger::Login => words::login(bytes, at + length, to),
        Trigger::Mailchimp => words::mailchimp(bytes, at),
        Trigger::Airtable => words::airtable(bytes, at),
        Trigger::Identified => sql::identified(bytes, at + length, to),
        Trigger::Kerberos => hashes::kerberos(bytes, at),
        Trigger::SetCredential => words::set_credential(bytes, at + length, to),
        Trigger::Mount => words::mount(bytes, at + length, to),
        Trigger::Asked => protocol::answered(bytes, at + length),
        Trigger::SignedIn => prose::signed_in(bytes, at, at + length),
        _ => None,
    }
}

fn accept(span: Span, progress: &mut Progress, spans: &mut Vec<Span>) {
    progress.masked_to = progress.masked_to.max(span.end);
    spans.push(span);
}
