//! What the report says of itself: changes, what was not seen, the data directory, redaction, cost.

use maud::{Markup, html};

use super::chart::coordinate;
use super::glyph::{anchor, glyph, word};
use super::number::{as_f64, plural};
use super::shown::{Shown, begun, prose};
use super::{Report, Text, number};
use crate::domain::finding::Unit;
use crate::domain::progress::Stage;
use crate::domain::snapshot::{IggyData, Redaction};
use crate::domain::verdict::Verdict;
use crate::report::diff::{Move, Relation};
use crate::report::model::{Bundle, BundleState, CheckChange, CoverageGap, Label, Truncation};

/// The checks that are listed as the slowest.
const SLOWEST_MAX: usize = 5;

pub(super) fn changes(document: &Report) -> Markup {
    html! {
        @if let Some(changes) = &document.changes {
            section #changes {
                h2 { "Changes" }
                p.lead { "Since " (Shown(&changes.since)) ", taken " (number::moment(changes.since_taken_at)) "." }
                @if changes.checks.is_empty() { p { "No verdict changed." } }
                ul.changes {
                    @for change in &changes.checks {
                        li {
                            span.how { (Move::of(change).title(Relation::Times)) }
                            (side(change.before)) span.to { "→" } (side(change.after))
                            @if change.after.is_some() {
                                a href=(anchor(if needs_attention(change) { "#f-" } else { "#c-" }, change.id.as_str())) { (change.title) }
                            } @else { span { (change.title) } }
                        }
                    }
                }
            }
        }
    }
}

fn needs_attention(change: &CheckChange) -> bool {
    matches!(change.after, Some(Verdict::Fail | Verdict::Warn))
}

pub(super) fn side(verdict: Option<Verdict>) -> Markup {
    html! {
        @match verdict {
            Some(verdict) => span class={ "side " (verdict.word()) } { (glyph(verdict)) " " (word(verdict)) },
            None => span.side.none { "absent" },
        }
    }
}

pub(super) fn coverage(document: &Report) -> Markup {
    let coverage = &document.coverage;
    html! {
        @if !coverage.gaps.is_empty() {
            section #coverage {
                h2 { "Not seen" }
                p.lead {
                    (plural(u64::from(coverage.judged), "check was", "checks were")) " judged, of " (coverage.checks)
                    ". What is missing is never counted as a pass."
                }
                div.scroll {
                    table.sorts.unseen {
                        caption.vh { "What could not be seen" }
                        thead { tr { @for label in ["What was not seen", "Why", "Unlocked by", "Checks"] { th scope="col" { (label) } } } }
                        tbody { @for alike in alike(&coverage.gaps) { (missing(&alike)) } }
                    }
                }
            }
        }
    }
}

/// Gaps with one cause stand together: a server that does not run is one row, not ten.
fn alike(gaps: &[CoverageGap<Text>]) -> Vec<Vec<&CoverageGap<Text>>> {
    let mut groups: Vec<Vec<&CoverageGap<Text>>> = Vec::new();
    for gap in gaps {
        match groups.iter_mut().find(|group| group[0].gap == gap.gap) {
            Some(group) => group.push(gap),
            None => groups.push(vec![gap]),
        }
    }
    groups
}

fn missing(alike: &[&CoverageGap<Text>]) -> Markup {
    let gap = &alike[0].gap;
    html! {
        tr {
            td.words { (prose(&begun(gap.detail.as_str()))) }
            td.words { (gap.reason.label()) }
            td { @if let Some(unlock) = &gap.unlock { code { (Shown(unlock)) } } @else { span.none { "–" } } }
            td.words data-s=(alike.len()) {
                @for (at, gap) in alike.iter().enumerate() {
                    @if at > 0 { br; }
                    (gap.title) @if gap.partial { " " small { "in part" } }
                }
            }
        }
    }
}

/// Whether the report says anything about the data directory.
pub(super) fn has_bundle(document: &Report) -> bool {
    document.bundle.is_some() || document.snapshot.options.iggy_data == IggyData::Excluded
}

pub(super) fn bundle(document: &Report) -> Markup {
    html! {
        @if has_bundle(document) {
            section #data {
                h2 { "Data directory" }
                @match &document.bundle {
                    None => p.lead { "It was not asked for." },
                    Some(bundle) => (bundled(bundle)),
                }
            }
        }
    }
}

fn bundled(bundle: &Bundle<Text>) -> Markup {
    html! {
        p.lead {
            (state(bundle.state))
            @if let Some(directory) = &bundle.directory { " Directory: " code { (Shown(directory)) } "." }
            @if let Some(note) = &bundle.note { " " (Shown(note)) }
        }
        @if bundle.entries > 0 {
            p {
                (plural(bundle.entries, "entry", "entries")) ", " (bytes(bundle.size_bytes)) ", packed into " (bytes(bundle.packed_bytes)) " as "
                code { "iggy-data.zip" } "."
            }
        }
        @if !bundle.labels.is_empty() {
            div.scroll {
                table {
                    caption { "What was done to the entries" }
                    thead { tr { th scope="col" { "Treatment" } th.num scope="col" { "Entries" } th.num scope="col" { "Size" } } }
                    tbody {
                        @for entry in &bundle.labels {
                            tr {
                                td.words { (label(entry.label)) }
                                td.num { (number::text(Unit::Count, as_f64(entry.entries))) }
                                td.num { (bytes(entry.size_bytes)) }
                            }
                        }
                    }
                }
            }
        }
        @if !bundle.left_out.is_empty() { (left_out(bundle)) }
    }
}

fn left_out(bundle: &Bundle<Text>) -> Markup {
    html! {
        div.scroll {
            table.sorts {
                caption {
                    "Left out"
                    @if bundle.left_out_dropped > 0 { " (and " (plural(bundle.left_out_dropped, "more file", "more files")) ", listed in manifest.json)" }
                }
                thead { tr { th scope="col" { "File" } th.num scope="col" { "Size" } th scope="col" { "Reason" } } }
                tbody {
                    @for file in &bundle.left_out {
                        tr {
                            td { (Shown(&file.path)) }
                            @match file.size_bytes { Some(size) => td.num data-s=(size) { (bytes(size)) }, None => td.num { "–" } }
                            td.words { (file.reason) }
                        }
                    }
                }
            }
        }
    }
}

const fn state(state: BundleState) -> &'static str {
    match state {
        BundleState::Complete => "Everything is in the archive.",
        BundleState::Partial => "Not everything is in the archive.",
        BundleState::NotRequested => "It was not asked for.",
        BundleState::NoDirectory => "There is no data directory to be found.",
        BundleState::Failed => "It could not be packed.",
    }
}

const fn label(label: Label) -> &'static str {
    match label {
        Label::Full => "full: secrets masked, or numbers alone",
        Label::Altered => "altered: password hashes overwritten at equal length",
        Label::Scanned => "scanned: byte for byte, no secret found",
        Label::NotRedacted => "not redacted: byte for byte, payloads of messages included",
        Label::Excluded => "excluded: the file is a secret itself",
        Label::Failed => "failed: replaced by the reason",
    }
}

fn bytes(value: u64) -> String {
    number::text(Unit::Bytes, as_f64(value))
}

pub(super) fn redaction(document: &Report) -> Markup {
    let redaction = &document.redaction;
    html! {
        section #redaction {
            h2 { "Redaction" }
            p.lead {
                @match (redaction.state, redaction.masks) {
                    (Redaction::Unredacted, _) => "Off. Secrets stand in clear, as this snapshot asked for.",
                    (Redaction::Masked, 0) => "On. No secret was found that had to be masked.",
                    (Redaction::Masked, masks) => {
                        (plural(masks, "value was", "values were")) " masked before anything left the node. A mask looks like "
                        mark.mask { "REDACTED-pw-…" } "; equal masks stand for equal values."
                    },
                }
                @if document.clear_text_refused() { " Clear text was asked for; this node does not give it." }
            }
            @if !redaction.rules.is_empty() || !redaction.artifacts.is_empty() {
                div.two {
                    (masks("Masks by rule", "Rule", redaction.rules.iter().map(|rule| (html! { (Shown(&rule.rule)) }, rule.masks))))
                    (masks("Masks by place", "Place", redaction.artifacts.iter().map(|place| (html! { (Shown(&place.artifact)) }, place.masks))))
                }
            }
            @if !redaction.withheld.is_empty() {
                h3 { "Left out because it could not be redacted" }
                ul.gaps { @for what in &redaction.withheld { li { code { (Shown(what)) } } } }
            }
            @if !redaction.suppressed.is_empty() {
                p { "Too common to be searched for elsewhere: " @for (at, rule) in redaction.suppressed.iter().enumerate() { @if at > 0 { ", " } (Shown(rule)) } "." }
            }
        }
    }
}

fn masks(title: &str, what: &str, rows: impl Iterator<Item = (Markup, u64)>) -> Markup {
    html! {
        div.scroll {
            table.sorts {
                caption { (title) }
                thead { tr { th scope="col" { (what) } th.num scope="col" { "Masks" } } }
                tbody { @for (what, masks) in rows { tr { td { (what) } td.num data-s=(masks) { (number::text(Unit::Count, as_f64(masks))) } } } }
            }
        }
    }
}

/// What the snapshot cost the node, and when each stage ran.
pub(super) fn snapshot(document: &Report, cuts: &[Truncation<Text>]) -> Markup {
    let (cost, snapshot) = (&document.cost, &document.snapshot);
    let milliseconds = |value: u64| number::text(Unit::Milliseconds, as_f64(value));
    html! {
        section #snapshot {
            h2 { "This snapshot" }
            dl.facts {
                @for (label, value) in [
                    ("Wall time", milliseconds(cost.wall_ms)),
                    ("Processor time", milliseconds(cost.cpu_ms)),
                    ("Peak memory", bytes(cost.memory_peak_bytes)),
                    ("Read", bytes(cost.read_bytes)),
                    ("Written", bytes(cost.written_bytes)),
                ] { div { dt { (label) } dd { (value) } } }
            }
            (timeline(document))
            (slowest(document))
            @if !document.truncated.is_empty() || !cuts.is_empty() {
                h3 { "Cut off by a limit" }
                ul.gaps {
                    @for cut in document.truncated.iter().chain(cuts) {
                        li { (Shown(&cut.what)) ", " (cut.of) ": " (number::text(Unit::Count, as_f64(cut.dropped))) }
                    }
                }
            }
            dl.print {
                @let ids = &snapshot.ids;
                dt { "Snapshot" } dd { code { (Shown(&snapshot.name)) } @if let Some(id) = ids.snapshot { ", row " code { (id) } } }
                @if let Some(hostname) = &snapshot.hostname { dt { "Host" } dd { code { (Shown(hostname)) } } }
                @if let Some(id) = ids.node { dt { "Node" } dd { code { (id) } } }
                @if let Some(id) = ids.deployment { dt { "Deployment" } dd { code { (id) } } }
                @if let Some(id) = ids.environment { dt { "Environment" } dd { code { (id) } } }
                @if let Some(id) = ids.division { dt { "Division" } dd { code { (id) } } }
                @if let Some(id) = ids.tenant { dt { "Tenant" } dd { code { (id) } } }
                dt { "Written by" } dd { (document.tool.name) " " (document.tool.version) ", schema " code { (document.schema) } }
            }
        }
    }
}

fn timeline(document: &Report) -> Markup {
    let end = document.stages.iter().map(|stage| stage.start_ms + stage.wall_ms).max().unwrap_or(0);
    html! {
        @if end > 0 {
            table.bars {
                caption { "Stages" }
                tbody {
                    @for stage in &document.stages {
                        @let (start, width) = (as_f64(stage.start_ms) * 100.0 / as_f64(end), as_f64(stage.wall_ms) * 100.0 / as_f64(end));
                        tr {
                            th scope="row" { (stage_word(stage.stage)) }
                            td.draw {
                                svg.bar aria-hidden="true" {
                                    rect x={ (coordinate(start)) "%" } width={ (coordinate(width.max(0.4))) "%" } height="100%" {}
                                }
                            }
                            td.num { (number::text(Unit::Milliseconds, as_f64(stage.wall_ms))) }
                        }
                    }
                }
            }
        }
    }
}

const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Queued => "Waiting",
        Stage::Observing => "Observing",
        Stage::Judging => "Judging",
        Stage::Bundling => "Bundling",
        Stage::Rendering => "Rendering",
        Stage::Packing => "Packing",
        Stage::Done => "Done",
    }
}

fn slowest(document: &Report) -> Markup {
    let mut checks: Vec<_> = document.checks.iter().collect();
    checks.sort_by(|a, b| b.wall_us.cmp(&a.wall_us).then_with(|| a.id.cmp(&b.id)));
    checks.truncate(SLOWEST_MAX);
    let largest = checks.first().map_or(0, |check| check.wall_us);
    html! {
        @if largest > 0 {
            table.bars {
                caption { "Rules that took longest" }
                tbody {
                    @for check in checks {
                        tr {
                            th scope="row" { code { (check.id) } }
                            td.draw { (super::chart::horizontal(super::chart::share(as_f64(check.wall_us), as_f64(largest)))) }
                            td.num { (number::text(Unit::Milliseconds, as_f64(check.wall_us) / 1000.0)) }
                        }
                    }
                }
            }
        }
    }
}
