//! `iggy-data.zip`: the planned files, one after the other, each treated as its role demands.

use std::fs::File;
use std::io::{self, Read};
use std::thread;
use std::time::Instant;

use crate::iggy::Role;
use crate::redact::{Carrier, Engine, Learner, Policy, Redacted, wide};

use super::container::Head;
use super::entry::{self, Meter, Outcome, Target};
use super::error::BundleError;
use super::guard::{Guard, Stop};
use super::keys::HEAD_BYTES;
use super::manifest::{Cut, DataSection, Entry, Label, LeftOut, Reason, Sha256Digest};
use super::name::{Names, readable};
use super::packer::Packer;
use super::plan::{Plan, Planned};
use super::source::{Absence, Source};
use super::treatment::{Payloads, Secrets, Treatment, needs_head, role_word};
use super::walk::{Found, Kind};

/// What a bundle may cost and hold.
#[derive(Debug, Clone, Copy)]
pub struct DataBundleSpec {
    /// When the whole archive must be finished, hashed, read back and synced.
    pub finish_by: Instant,
    /// Bytes that the ZIP may have; 0: only the deadline and free space limit it.
    pub max_bytes: u64,
    /// Free bytes that must stay on the disk that is written to.
    pub reserve_bytes: u64,
    /// What becomes of messages.
    pub payloads: Payloads,
}

/// A finished `iggy-data.zip`.
#[derive(Debug)]
pub struct DataBundle {
    /// What is in it, and what is not.
    pub section: DataSection,
    /// Its own size.
    pub packed_bytes: u64,
    /// The ZIP. It is not synced: it is a spool that goes into the archive, and the archive is.
    pub zip: File,
}

/// The part of the time that is left which learning may take: masking reads the same bytes again, and searching once more.
const LEARNING_SHARE: u32 = 3;

/// The first pass: what the redactor must know before it masks anything. Descriptors of logs stay open in the plan, so
/// that the second pass reads the same files even if they are rotated in between.
///
/// What cannot be read or learned from is met again in the second pass, which says so.
pub fn learn(plan: &mut Plan, learner: &mut Learner, spec: &DataBundleSpec) {
    let now = Instant::now();
    let learn_by = now + spec.finish_by.saturating_duration_since(now) / LEARNING_SHARE;
    for index in 0..plan.files.len() {
        if Instant::now() >= learn_by {
            return;
        }
        let planned = &plan.files[index];
        if matches!(planned.role, Role::Segment { .. } | Role::Index { .. } | Role::ConsumerOffset(_)) {
            continue;
        }
        let Ok(mut source) = Source::open(&plan.root, &planned.found) else { continue };
        let Ok(head) = head(&mut source, planned) else { continue };
        let treatment = plan.case(planned, &head).treatment(Secrets::Masked, spec.payloads);
        let packed_bytes = source.left();
        let mut until = Until { source: &mut source, deadline: learn_by };
        let artifact = artifact(&planned.found);
        // A failure here is met again in the second pass, and the file is left out there.
        match treatment {
            Treatment::Mask(carrier) => {
                let _ = learner.learn_stream(carrier, &artifact, &mut until);
            }
            Treatment::MaskPacked => {
                if let Ok(mut text) = entry::unpacked(until, packed_bytes) {
                    let _ = learner.learn_stream(Carrier::Text, &artifact, &mut text);
                }
            }
            Treatment::MaskWide(order) => {
                if let Ok(text) = wide::read(&mut until, order) {
                    let _ = learner.learn_stream(Carrier::Text, &artifact, &mut text.as_bytes());
                }
            }
            Treatment::Scan => {
                let _ = learner.learn_unknown(&mut until);
            }
            _ => continue,
        }
        if matches!(planned.role, Role::ServerLog(_)) && source.rewind().is_ok() {
            plan.hold(index, source);
        }
    }
}

/// Writes the planned files into the empty file `out`.
///
/// `progress` is told bytes done and bytes in all.
///
/// # Errors
/// The ZIP cannot be written. What is wrong with a single file is listed in the result instead.
pub fn write(
    plan: &mut Plan,
    spec: &DataBundleSpec,
    policy: &Policy<'_>,
    out: File,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<DataBundle, BundleError> {
    let engine = match policy {
        Policy::Redact(engine) => Some(*engine),
        Policy::Passthrough(_) => None,
        Policy::FromVerifiedArchive(_) => return Err(BundleError::Policy),
    };
    thread::scope(|scope| {
        let mut bundling = Bundling {
            policy,
            engine,
            payloads: spec.payloads,
            packer: Packer::start(scope, out),
            guard: Guard::new(spec.finish_by, spec.max_bytes, spec.reserve_bytes),
            meter: Meter::new(plan.size_bytes(), progress),
            names: Names::default(),
            entries: Vec::new(),
            left_out: Vec::new(),
            stopped: None,
        };
        for aside in &plan.aside {
            bundling.set_aside(aside);
        }
        for index in 0..plan.files.len() {
            let kept = plan.release(index);
            bundling.file(plan, &plan.files[index], kept)?;
        }
        bundling.finish(plan)
    })
}

struct Bundling<'a> {
    policy: &'a Policy<'a>,
    engine: Option<&'a Engine>,
    payloads: Payloads,
    packer: Packer,
    guard: Guard,
    meter: Meter<'a>,
    names: Names,
    entries: Vec<Entry>,
    left_out: Vec<LeftOut>,
    /// The limit after which nothing more goes in.
    stopped: Option<Stop>,
}

impl Bundling<'_> {
    fn redacted(&self, text: impl Into<String>) -> Redacted<String> {
        Redacted::new(text.into(), self.policy)
    }

    fn redacted_name(&self, name: String) -> Redacted<String> {
        Redacted::name(name, self.policy)
    }

    fn set_aside(&mut self, found: &Found) {
        let (reason, detail) = match &found.kind {
            Kind::Link(target) => (Reason::Symlink, format!("→ {}", readable_target(target))),
            Kind::Special(what) => (Reason::Special, (*what).to_owned()),
            Kind::Unreadable(errno) => (Reason::Unreadable, io::Error::from(*errno).to_string()),
            Kind::File => return,
        };
        self.leave_out(found, reason, detail);
    }

    fn leave_out(&mut self, found: &Found, reason: Reason, detail: impl Into<String>) {
        let seen = found.identity != (0, 0);
        self.left_out.push(LeftOut {
            path: self.redacted_name(readable(&found.path)),
            reason,
            detail: self.redacted(detail),
            size_bytes: (found.kind == Kind::File).then_some(found.size_bytes),
            mode: seen.then(|| format!("{:04o}", found.mode)),
            owner: seen.then(|| format!("{}:{}", found.uid, found.gid)),
        });
    }

    fn file(&mut self, plan: &Plan, planned: &Planned, kept: Option<Source>) -> Result<(), BundleError> {
        let found = &planned.found;
        if self.stopped.is_none()
            && let Err(stop) = self.guard.check(self.packer.file(), self.packer.written())
        {
            self.stopped = Some(stop);
        }
        if let Some(stop) = self.stopped {
            self.beyond(found, stop);
            return Ok(());
        }
        let mut source = match kept.map_or_else(|| Source::open(&plan.root, found), Ok) {
            Ok(source) => source,
            Err(Absence::Vanished) => {
                self.leave_out(found, Reason::Vanished, "gone or replaced when its turn came");
                return Ok(());
            }
            Err(Absence::Unreadable(errno)) => {
                self.leave_out(found, Reason::Unreadable, io::Error::from(errno).to_string());
                return Ok(());
            }
        };
        let treatment = match head(&mut source, planned) {
            Ok(head) => plan.case(planned, &head).treatment(self.secrets(), self.payloads),
            Err(error) => {
                self.leave_out(found, Reason::Unreadable, error.to_string());
                return Ok(());
            }
        };
        self.treat(planned, treatment, &mut source)
    }

    fn secrets(&self) -> Secrets {
        if self.engine.is_some() { Secrets::Masked } else { Secrets::Clear }
    }

    fn treat(&mut self, planned: &Planned, treatment: Treatment, source: &mut Source) -> Result<(), BundleError> {
        let found = &planned.found;
        match treatment {
            Treatment::Exclude(why) => return self.note(planned, Label::Excluded, Reason::Secret, why),
            Treatment::Refuse(why) => return self.note(planned, Label::Failed, Reason::Redaction, why),
            Treatment::WithoutPayloads => {
                self.leave_out(found, Reason::Payloads, "it holds payloads of messages");
                self.meter.add(found.size_bytes);
                return Ok(());
            }
            _ => {}
        }
        let suffix = if treatment == Treatment::Headers { ".headers.json" } else { "" };
        let name = self.begin(found, suffix);
        let start_offset = match planned.role {
            Role::Segment { start_offset, .. } => start_offset,
            _ => 0,
        };
        let mut target = Target::new(&mut self.packer, &mut self.guard, &mut self.meter);
        let artifact = artifact(found);
        let outcome = match (treatment, self.engine) {
            (Treatment::Copy(label), _) => target.copy(source, label)?,
            (Treatment::Headers, _) => target.headers(start_offset, source)?,
            (Treatment::Mask(carrier), Some(engine)) => target.mask(engine, carrier, &artifact, source)?,
            (Treatment::MaskPacked, Some(engine)) => target.mask_packed(engine, &artifact, source)?,
            (Treatment::MaskWide(order), Some(engine)) => target.mask_wide(engine, order, &artifact, source)?,
            (Treatment::Overwrite, Some(engine)) => target.overwrite(engine, &artifact, source)?,
            (Treatment::Scan, Some(engine)) => target.scan(engine, &artifact, source)?,
            _ => Outcome::Unredacted("there is no redactor".to_owned()),
        };
        self.conclude(planned, name, outcome, source)
    }

    fn conclude(
        &mut self,
        planned: &Planned,
        name: String,
        outcome: Outcome,
        source: &Source,
    ) -> Result<(), BundleError> {
        let found = &planned.found;
        let of_bytes = found.size_bytes;
        match outcome {
            Outcome::Whole(label) => {
                let cut = source.is_short().then_some(Cut { reason: Reason::Shrank, of_bytes });
                self.end(planned, name, label, cut)
            }
            Outcome::Prefix(label, stop) => {
                self.stopped = Some(stop);
                self.end(planned, name, label, Some(Cut { reason: reason(stop), of_bytes }))
            }
            Outcome::Stopped(stop) => {
                self.packer.abandon()?;
                self.stopped = Some(stop);
                self.beyond(found, stop);
                Ok(())
            }
            Outcome::Unreadable(error) => {
                self.packer.abandon()?;
                self.leave_out(found, Reason::Unreadable, error.to_string());
                Ok(())
            }
            Outcome::Unredacted(why) => {
                self.packer.abandon()?;
                self.note(planned, Label::Failed, Reason::Redaction, &why)
            }
        }
    }

    /// A file whose turn came after a limit.
    fn beyond(&mut self, found: &Found, stop: Stop) {
        self.leave_out(found, reason(stop), stop_sentence(stop));
    }

    /// Begins an entry named after the file; gives the name.
    fn begin(&mut self, found: &Found, suffix: &str) -> String {
        let masked = self.redacted_name(readable(&found.path) + suffix);
        let name = self.names.unique(masked.as_str());
        let modified_s = i64::try_from(found.modified_ns.div_euclid(1_000_000_000)).unwrap_or(0);
        self.packer.begin(Head { name: name.clone(), modified_s, expected_bytes: found.size_bytes });
        name
    }

    fn end(&mut self, planned: &Planned, name: String, label: Label, cut: Option<Cut>) -> Result<(), BundleError> {
        let packed = self.packer.end()?;
        self.entries.push(Entry {
            name: self.redacted_name(name),
            role: role_word(&planned.role),
            size_bytes: packed.size_bytes,
            sha256: Sha256Digest(packed.sha256),
            redaction: label,
            cut,
        });
        Ok(())
    }

    /// A note in the place of a file.
    fn note(&mut self, planned: &Planned, label: Label, reason: Reason, why: &str) -> Result<(), BundleError> {
        let found = &planned.found;
        self.leave_out(found, reason, why);
        self.meter.add(found.size_bytes);
        let suffix = if label == Label::Excluded { ".excluded.txt" } else { ".redaction-failed.txt" };
        let why = self.redacted(why);
        let text = format!(
            "This file is not in the bundle: {why}.\nsize {} bytes, mode {:04o}, owner {}:{}\n",
            found.size_bytes, found.mode, found.uid, found.gid
        );
        let name = self.begin(found, suffix);
        self.packer.write(text.as_bytes())?;
        self.end(planned, name, label, None)
    }

    fn finish(mut self, plan: &Plan) -> Result<DataBundle, BundleError> {
        if plan.names_dropped > 0 {
            self.left_out.push(LeftOut {
                path: self.redacted(""),
                reason: Reason::Limit,
                detail: self.redacted(format!("{} more names than are taken", plan.names_dropped)),
                size_bytes: None,
                mode: None,
                owner: None,
            });
        }
        let masked = if self.engine.is_some() { "true" } else { "false" };
        let comment = format!("snapvisor {} iggy-data redact_secrets={masked}", env!("CARGO_PKG_VERSION"));
        let Self { packer, entries, left_out, .. } = self;
        let (zip, packed_bytes) = packer.finish(&comment)?;
        let complete =
            entries.iter().all(|entry| entry.cut.is_none()) && left_out.iter().all(|file| !file.reason.is_loss());
        let section = DataSection {
            layout: plan.layout.label(),
            complete,
            size_bytes: entries.iter().map(|entry| entry.size_bytes).sum(),
            names_dropped: plan.names_dropped,
            entries,
            left_out,
        };
        Ok(DataBundle { section, packed_bytes, zip })
    }
}

/// The first bytes of a file, when its treatment depends on them; the source is back at its start.
fn head(source: &mut Source, planned: &Planned) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    if needs_head(&planned.role) {
        Read::by_ref(source).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        source.rewind()?;
    }
    Ok(head)
}

/// The name under which the redactor counts a file.
fn artifact(found: &Found) -> String {
    format!("iggy-data/{}", readable(&found.path))
}

fn readable_target(target: &std::path::Path) -> String {
    let slash = if target.is_absolute() { "/" } else { "" };
    format!("{slash}{}", readable(target))
}

fn reason(stop: Stop) -> Reason {
    match stop {
        Stop::Deadline => Reason::Deadline,
        Stop::Budget => Reason::Budget,
        Stop::Space => Reason::Space,
    }
}

fn stop_sentence(stop: Stop) -> &'static str {
    match stop {
        Stop::Deadline => "the snapshot's deadline came first",
        Stop::Budget => "the bundle's limit was reached first",
        Stop::Space => "the disk would have fallen below its reserve",
    }
}

/// A source that fails once the deadline is over.
struct Until<'a> {
    source: &'a mut Source,
    deadline: Instant,
}

impl Read for Until<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if Instant::now() >= self.deadline { Err(io::ErrorKind::TimedOut.into()) } else { self.source.read(to) }
    }
}
