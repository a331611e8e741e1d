//! Plants each fault, compares with the snapshots before and after, and prints what came of it.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use rustix::process::{WaitOptions, wait};

use crate::faults::{self, Fault};
use crate::lab::Lab;
use crate::planting::Planting;
use crate::snapshot::Snapshot;
use crate::{Outcome, SWITCH};

/// What came of one fault.
struct Row {
    fault: &'static Fault,
    severity: String,
    seen: Seen,
    /// What the finding should have named and did not.
    unnamed: Vec<String>,
    /// Checks that changed with it and should not have.
    others: BTreeSet<String>,
    seconds: f32,
}

/// Whether its check found it.
enum Seen {
    /// The verdict before and with it.
    Flipped(String, String),
    /// It found another such thing before; now it finds this one as well.
    Renewed(String),
    /// What it said instead.
    No(String),
    /// The lab itself failed.
    Broken(String),
}

impl Row {
    fn is_found(&self) -> bool {
        matches!(self.seen, Seen::Flipped(..) | Seen::Renewed(_)) && self.unnamed.is_empty()
    }

    fn is_good(&self) -> bool {
        self.is_found() && self.others.is_empty()
    }
}

pub(crate) fn run(lab: &mut Lab) -> Outcome<ExitCode> {
    let switch = std::env::var(SWITCH).unwrap_or_default();
    let chosen: Vec<&Fault> = faults::all()
        .filter(|fault| switch == "all" || fault.name.contains(&switch) || fault.check.contains(&switch))
        .collect();
    let started = Instant::now();
    let mut control = lab.snapshot(None, &[])?;
    baseline(&control);
    let mut rows = Vec::new();
    for fault in chosen {
        let (row, after) = plant(lab, fault, &control)?;
        print(&row);
        rows.push(row);
        control = after;
    }
    let bad = rows.iter().filter(|row| !row.is_good()).count();
    println!(
        "\n{} faults, {} found and named, {bad} not as they should be, in {:.0} s",
        rows.len(),
        rows.len() - bad,
        started.elapsed().as_secs_f32()
    );
    Ok(if bad == 0 && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the machine itself has wrong.
fn baseline(control: &Snapshot) {
    println!("baseline: what this machine itself has wrong");
    for (id, said) in control.0.iter().filter(|(_, said)| is_bad(&said.verdict)) {
        println!("  {:<4}  {id:<18}  {}", said.verdict.to_uppercase(), said.summary);
    }
    println!("\n{:<44}  {:<18}  {:<15}  {:<5}  {:<8}  others", "fault", "check", "verdict", "named", "severity");
}

fn is_bad(verdict: &str) -> bool {
    verdict == "warn" || verdict == "fail"
}

/// One fault between two controls. Where other checks change as well it is planted a second time: what changes by itself
/// on a machine that works does not change twice.
fn plant(lab: &mut Lab, fault: &'static Fault, before: &Snapshot) -> Outcome<(Row, Snapshot)> {
    let started = Instant::now();
    let (mut row, mut after) = once(lab, fault, before)?;
    if !row.is_good() && !matches!(row.seen, Seen::Broken(_)) {
        let found = row.is_found();
        let (second, later) = once(lab, fault, &after)?;
        let others = row.others.intersection(&second.others).cloned().collect();
        row = Row { others, ..if found { row } else { second } };
        after = later;
    }
    row.seconds = started.elapsed().as_secs_f32();
    Ok((row, after))
}

fn once(lab: &mut Lab, fault: &'static Fault, before: &Snapshot) -> Outcome<(Row, Snapshot)> {
    let mut planting = Planting::new(lab);
    let planted = (fault.plant)(&mut planting);
    let snapshot = planted.and_then(|()| planting.lab.snapshot(planting.window_ms, &planting.settings));
    let names = std::mem::take(&mut planting.names);
    let taken_back = planting.take_back();
    reap();
    let after = lab.snapshot(None, &[])?;
    let mut row = Row {
        fault,
        severity: String::new(),
        seen: Seen::No("nothing".into()),
        unnamed: Vec::new(),
        others: BTreeSet::new(),
        seconds: 0.0,
    };
    match snapshot.and_then(|snapshot| taken_back.map(|()| snapshot)) {
        Err(error) => row.seen = Seen::Broken(error.to_string()),
        Ok(snapshot) => judge(&mut row, before, &snapshot, &after, &names),
    }
    Ok((row, after))
}

fn judge(row: &mut Row, before: &Snapshot, with: &Snapshot, after: &Snapshot, names: &[String]) {
    let fault = row.fault;
    let (was, is) = (verdict(before, fault.check), verdict(with, fault.check));
    let text = |snapshot: &Snapshot| snapshot.0.get(fault.check).map(|said| said.text.clone()).unwrap_or_default();
    let (said_before, said) = (text(before), text(with));
    row.severity = with.0.get(fault.check).map(|said| said.severity.clone()).unwrap_or_default();
    row.unnamed = names.iter().filter(|name| !said.contains(name.as_str())).cloned().collect();
    // Where the machine had such a thing before, the headline must have changed to this one; a log may only add to it.
    let headline = |snapshot: &Snapshot| snapshot.0.get(fault.check).map(|said| said.summary.clone());
    let (old, new) = if fault.leaves_a_trace {
        (said_before, said.clone())
    } else {
        (headline(before).unwrap_or_default(), headline(with).unwrap_or_default())
    };
    let renewed = names.iter().any(|name| new.contains(name.as_str()) && !old.contains(name.as_str()));
    row.seen = if !row.unnamed.is_empty() {
        Seen::No(format!("{was} → {is}, and does not name {}: {said}", row.unnamed.join(", ")))
    } else if is != fault.verdict {
        Seen::No(format!("{was} → {is}: {said}"))
    } else if was != is {
        Seen::Flipped(was.to_owned(), is.to_owned())
    } else if renewed {
        Seen::Renewed(is.to_owned())
    } else {
        Seen::No(format!("it was {was} before: {said}"))
    };
    row.others = with
        .0
        .keys()
        .filter(|id| *id != fault.check && !fault.also.contains(&id.as_str()))
        .filter(|id| [before, after].iter().all(|control| class(verdict(control, id)) != class(verdict(with, id))))
        .map(|id| format!("{id} {} → {}", verdict(before, id), verdict(with, id)))
        .collect();
}

fn verdict<'a>(snapshot: &'a Snapshot, id: &str) -> &'a str {
    snapshot.0.get(id).map_or("none", |said| &said.verdict)
}

/// Between information and a pass a check may go to and fro with the load of the machine.
fn class(verdict: &str) -> &str {
    if verdict == "info" { "pass" } else { verdict }
}

fn print(row: &Row) {
    let (verdict, detail) = match &row.seen {
        Seen::Flipped(was, is) => (format!("{was} → {is}"), None),
        Seen::Renewed(is) => (format!("{is}, renewed"), None),
        Seen::No(said) => ("NOT SEEN".to_owned(), Some(said)),
        Seen::Broken(error) => ("BROKEN".to_owned(), Some(error)),
    };
    let others: Vec<&str> = row.others.iter().map(String::as_str).collect();
    println!(
        "{:<44}  {:<18}  {verdict:<15}  {:<5}  {:<8}  {}  ({:.1} s)",
        row.fault.name,
        row.fault.check,
        if row.unnamed.is_empty() { "yes" } else { "NO" },
        row.severity,
        if others.is_empty() { "none".to_owned() } else { others.join(", ") },
        row.seconds
    );
    if let Some(detail) = detail {
        println!("      {}", detail.replace('\n', " · "));
    }
}

/// We are the first process of the namespace: orphans that have ended are ours to bury.
fn reap() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}
