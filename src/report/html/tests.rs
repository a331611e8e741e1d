//! The page keeps its promises, whatever a host says.

use super::*;
use crate::report::fixtures;

fn pages() -> Vec<(&'static str, String)> {
    [
        ("all-pass", fixtures::all_pass()),
        ("mixed", fixtures::mixed()),
        ("everything", fixtures::everything()),
        ("empty", fixtures::empty()),
        ("hostile", fixtures::hostile()),
    ]
    .map(|(name, document)| (name, render(&fixtures::redacted(document))))
    .into()
}

/// The tags of a page: what stands between `<` and `>` outside the style, the script and the data block.
fn tags(page: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        tags.push(tag);
        rest = &rest[end..];
        for raw in ["style", "script"] {
            if tag == raw || tag.starts_with(&format!("{raw} ")) {
                rest = &rest[rest.find(&format!("</{raw}>")).unwrap()..];
            }
        }
    }
    tags
}

#[test]
fn a_page_has_one_style_and_one_script_and_names_their_digests() {
    for (name, page) in pages() {
        let between = |open: &str, close: &str| {
            assert_eq!(page.matches(open).count(), 1, "{name}: {open}");
            let start = page.find(open).unwrap() + open.len();
            page[start..start + page[start..].find(close).unwrap()].to_owned()
        };
        let style = assets::digest(&between("<style>", "</style>"));
        let script = assets::digest(&between("<script>", "</script>"));
        assert!(page.contains(&format!("script-src 'sha256-{script}'; style-src 'sha256-{style}'; ")), "{name}");
        assert_eq!(page.matches("<script").count(), 2, "{name}: the script and the data block");
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "));
    }
}

/// The attributes of a tag, as names and values, with quotes or without.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_at(rest.find(['=', ' ']).unwrap_or(rest.len()));
        let (value, after) = match after.strip_prefix('=') {
            Some(quoted) if quoted.starts_with('"') => quoted[1..].split_once('"').unwrap(),
            Some(plain) => plain.split_at(plain.find(' ').unwrap_or(plain.len())),
            None => ("", after),
        };
        found.push((name, value));
        rest = after.trim_start();
    }
    found
}

#[test]
fn no_attribute_holds_an_address_a_style_or_a_handler() {
    const OURS: &str = "aria-hidden aria-label aria-labelledby aria-pressed autocomplete charset checked class content d \
        data-c data-copy data-id data-l data-log data-s data-v datetime height hidden href http-equiv \
        id lang method name placeholder preserveAspectRatio role scope spellcheck tabindex type viewBox width x y html";
    for (name, page) in pages() {
        for tag in tags(&page).into_iter().filter(|tag| !tag.starts_with('/')) {
            let element = tag.split(' ').next().unwrap();
            for (attribute, value) in attributes(&tag[element.len()..]) {
                assert!(OURS.split_whitespace().any(|name| name == attribute), "{name}: {attribute} in <{tag}>");
                // A digest may hold any letters.
                let policy = attribute == "content" && value.starts_with("default-src ");
                assert!(policy || !value.contains("http") && !value.contains("//"), "{name}: <{tag}>");
                assert!(attribute != "href" || value.starts_with('#'), "{name}: <{tag}>");
            }
        }
    }
}

#[test]
fn a_hostile_host_makes_no_element_and_hides_no_character() {
    const OURS: &str = "!DOCTYPE a article b bdi body br button caption code dd details dialog div dl dt figcaption \
        figure form g h1 h2 h3 h4 head header html i input kbd label li main mark meta nav noscript p path pre rect script search \
        section small span strong style summary svg table tbody td th thead time title tr ul";
    let page = render(&fixtures::redacted(fixtures::hostile()));
    for tag in tags(&page) {
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
        assert!(OURS.split_whitespace().any(|known| known == name), "<{tag}>");
    }
    assert!(!page.contains(crate::report::visible::is_hidden));
    let text = page.split("<script id").next().unwrap();
    assert!(text.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"));
    assert!(text.contains("\\u{202e}gnp.exe"));
}

#[test]
fn a_page_without_room_says_what_it_left_out_in_its_account_and_in_its_copy_of_the_document() {
    let document = fixtures::redacted(fixtures::mixed());
    let whole = render(&document);
    assert!(!whole.contains("lines on the page"));
    let page = render_with(&document, 20_000);
    let account = page.find("Cut off by a limit").unwrap();
    assert!(page[account..].contains("iggy-server, lines on the page: "));
    let copy: Document<String> = serde_json::from_str(&data::unpacked(&page)).unwrap();
    let cut: u64 =
        copy.truncated.iter().filter(|cut| cut.of.as_str() == "lines on the page").map(|cut| cut.dropped).sum();
    assert!(cut > 300, "{cut} lines were cut");
    assert_eq!(copy.truncated.len(), document.truncated.len() + 2);
}

#[test]
fn an_unredacted_report_says_so_first() {
    let page = render(&fixtures::redacted({
        let mut document = fixtures::mixed();
        document.redaction.state = crate::domain::snapshot::Redaction::Unredacted;
        document
    }));
    let header = page.find("<header class=top>").unwrap();
    assert!(page[header..].starts_with("<header class=top><p class=banner><strong>Not redacted.</strong>"));
}

#[test]
fn a_report_that_was_refused_in_clear_says_so() {
    use crate::domain::snapshot::Redaction;
    let refused = "<strong>Redacted all the same.</strong>";
    for (asked, given, says) in [
        (Redaction::Unredacted, Redaction::Masked, true),
        (Redaction::Unredacted, Redaction::Unredacted, false),
        (Redaction::Masked, Redaction::Masked, false),
    ] {
        let mut document = fixtures::mixed();
        document.snapshot.options.redaction = asked;
        document.redaction.state = given;
        assert_eq!(render(&fixtures::redacted(document)).contains(refused), says, "{asked:?} {given:?}");
    }
}

#[test]
fn every_check_stands_once_in_the_strip_and_once_among_all_checks() {
    let document = fixtures::mixed();
    let page = render(&fixtures::redacted(document.clone()));
    for check in &document.checks {
        let id = glyph::anchor("", check.id.as_str());
        assert_eq!(page.matches(&format!(" id=c-{id} ")).count(), 1, "{id}");
        assert_eq!(page.matches(&format!(" id=f-{id} ")).count(), usize::from(check.needs_attention()), "{id}");
    }
    assert_eq!(page.matches("<a class=\"m ").count(), document.checks.len());
}

/// A page as the golden files hold it: one element a line, style and script left out.
fn readable(page: &str) -> String {
    let without = page.replace(assets::style(), "").replace(assets::script(), "").replace(assets::policy(), "");
    let mut lines = without.replace("><", ">\n<");
    lines.push('\n');
    lines
}

/// Compares with a golden file, or writes it when `UPDATE_GOLDEN` is set.
fn golden(name: &str, now: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, now).unwrap();
    }
    let was = std::fs::read_to_string(&path).unwrap();
    let differs = was.lines().zip(now.lines()).enumerate().find(|(_, (was, now))| was != now);
    if let Some((at, (was, now))) = differs {
        panic!("{name}, line {}:\n- {was}\n+ {now}\nUPDATE_GOLDEN=1 writes it anew", at + 1);
    }
    assert_eq!(was.len(), now.len(), "{name}: one is longer; UPDATE_GOLDEN=1 writes it anew");
}

#[test]
fn pages_and_documents_are_the_golden_ones() {
    for (name, document) in [
        ("all-pass", fixtures::all_pass()),
        ("mixed", fixtures::short()),
        ("empty", fixtures::empty()),
        ("hostile", fixtures::short_and_hostile()),
    ] {
        let document = fixtures::redacted(document);
        golden(&format!("{name}.html"), &readable(&render(&document)));
        let mut json = serde_json::to_string_pretty(&document).unwrap();
        json.push('\n');
        golden(&format!("{name}.json"), &json);
    }
}

#[test]
fn style_and_script_stay_within_their_budget() {
    const CODE_BYTES_MAX: usize = 40 * 1024;
    const FONT_BYTES_MAX: usize = 45 * 1024;
    let (fonts, style): (Vec<&str>, Vec<&str>) =
        assets::style().lines().partition(|line| line.starts_with("@font-face"));
    let bytes = |lines: Vec<&str>| lines.iter().map(|line| line.len() + 1).sum::<usize>();
    let (code, fonts) = (bytes(style) + assets::script().len(), bytes(fonts));
    assert!(code <= CODE_BYTES_MAX && fonts <= FONT_BYTES_MAX, "{code} bytes of code, {fonts} of fonts");
}

#[test]
#[ignore = "writes the pages that `make test-browser` opens, to the directory that REPORT_OUT names"]
fn write_the_fixtures() {
    let out = std::path::PathBuf::from(std::env::var("REPORT_OUT").unwrap());
    std::fs::create_dir_all(&out).unwrap();
    let failed = crate::report::minimal(
        fixtures::empty().snapshot,
        "It did not answer within 540 s.".to_owned(),
        Some("Look at its journal.".to_owned()),
    );
    for (name, document) in [
        ("all-pass", fixtures::all_pass()),
        ("mixed", fixtures::mixed()),
        ("everything", fixtures::everything()),
        ("empty", fixtures::empty()),
        ("hostile", fixtures::hostile()),
        ("failed", failed),
        ("findings-100", fixtures::many_findings(100)),
        ("lines-50000", fixtures::many_lines(2000)),
    ] {
        let document = fixtures::redacted(document);
        std::fs::write(out.join(format!("{name}.html")), render(&document)).unwrap();
        crate::report::json::write(&document, std::fs::File::create(out.join(format!("{name}.json"))).unwrap())
            .unwrap();
    }
    if let Ok(path) = std::env::var("REPORT_JSON") {
        let document = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        std::fs::write(out.join("given.html"), render(&fixtures::redacted(document))).unwrap();
    }
    let (before, after) = (fixtures::redacted(fixtures::day_before()), fixtures::redacted(fixtures::mixed()));
    std::fs::write(out.join("diff.html"), comparison(&crate::report::diff::compare(&before, &after))).unwrap();
}
