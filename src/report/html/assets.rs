//! The page's one style and one script, and the policy that names their digests.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "assets/report"]
struct Files;

/// Family, weight and file of each font.
const FONTS: [(&str, u16, &str); 3] = [
    ("Snapvisor Sans", 400, "fonts/sans-400.woff2"),
    ("Snapvisor Sans", 600, "fonts/sans-600.woff2"),
    ("Snapvisor Mono", 400, "fonts/mono-400.woff2"),
];

/// The parts of the style, in order.
const STYLES: [&str; 3] = ["page.css", "parts.css", "print.css"];

/// The parts of the script, in order; together one function scope.
const SCRIPTS: [&str; 4] = ["base.js", "search.js", "logs.js", "keys.js"];

static STYLE: LazyLock<String> = LazyLock::new(|| {
    let mut style = String::new();
    for (family, weight, path) in FONTS {
        let data = STANDARD.encode(file(path));
        let _ = writeln!(
            style,
            "@font-face{{font-family:\"{family}\";font-weight:{weight};src:url(data:font/woff2;base64,{data}) format(\"woff2\")}}"
        );
    }
    style.extend(STYLES.map(|path| packed(&text(path))));
    style
});

static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let mut script = String::from("(()=>{\"use strict\";\n");
    script.extend(SCRIPTS.map(|path| tight(&text(path))));
    script.push_str("})();");
    script
});

static POLICY: LazyLock<String> = LazyLock::new(|| policy_with(&format!("'sha256-{}'", digest(&SCRIPT))));

fn policy_with(script: &str) -> String {
    format!(
        "default-src 'none'; script-src {script}; style-src 'sha256-{}'; font-src data:; img-src data:; \
         connect-src 'none'; base-uri 'none'; form-action 'none'",
        digest(&STYLE)
    )
}

/// A script without the blanks that only people read. What stands between double quotes and in a template stays as it is,
/// and so do lines with an expression or more than one template in them.
fn tight(script: &str) -> String {
    const BLANKS: &[(&str, &str)] = &[
        (" = ", "="),
        (" => ", "=>"),
        ("; ", ";"),
        (", ", ","),
        (" {", "{"),
        ("{ ", "{"),
        (" }", "}"),
        ("} ", "}"),
        (" && ", "&&"),
        (" || ", "||"),
        (" === ", "==="),
        (" !== ", "!=="),
        (" < ", "<"),
        (" ? ", "?"),
        (" : ", ":"),
        (": ", ":"),
        (" > ", ">"),
        (" <= ", "<="),
        (" >= ", ">="),
        (" + ", "+"),
        (" - ", "-"),
        (" * ", "*"),
        (" % ", "%"),
        (" += ", "+="),
        (" ?? ", "??"),
        ("if (", "if("),
        ("for (", "for("),
        ("return [", "return["),
    ];
    let code = |part: &str| BLANKS.iter().fold(part.to_owned(), |part, (from, to)| part.replace(from, to));
    let quoted = |line: &str| {
        let parts = line.split('"').enumerate();
        let parts = parts.map(|(at, part)| if at % 2 == 0 { code(part) } else { part.to_owned() });
        parts.collect::<Vec<_>>().join("\"")
    };
    let line = |line: &str| {
        let short = match line.split('`').collect::<Vec<_>>()[..] {
            _ if line.contains(['\'', '/', '\\']) => line.to_owned(),
            [line] => quoted(line),
            [before, template, after] => format!("{}`{template}`{}", quoted(before), quoted(after)),
            _ => line.to_owned(),
        };
        // After these no statement can end, so none can begin in the wrong place.
        short.clone() + if short.ends_with([';', '{', ',', '(', '[']) { "" } else { "\n" }
    };
    script.lines().map(line).collect()
}

/// A style without the blanks that only people read. Our sheets have no string in which these pairs stand.
fn packed(style: &str) -> String {
    [
        (": ", ":"),
        ("; ", ";"),
        (", ", ","),
        (" {", "{"),
        ("{ ", "{"),
        (";\n", ";"),
        ("{\n", "{"),
        (",\n", ","),
        (";}", "}"),
        (" }", "}"),
        ("}\n", "}"),
        (" > ", ">"),
    ]
    .iter()
    .fold(style.to_owned(), |style, (from, to)| style.replace(from, to))
}

/// The style sheet, fonts included.
pub(super) fn style() -> &'static str {
    &STYLE
}

/// The script.
pub(super) fn script() -> &'static str {
    &SCRIPT
}

/// The Content-Security-Policy.
pub(super) fn policy() -> &'static str {
    &POLICY
}

/// The policy of a page that has no script.
pub(super) fn policy_without_script() -> String {
    policy_with("'none'")
}

fn file(path: &str) -> Vec<u8> {
    Files::get(path).expect("the file is embedded").data.into_owned()
}

/// A source without its indentation and its whole-line comments: what a page has no use for. Ours have no text that spans
/// lines.
fn text(path: &str) -> String {
    let source = String::from_utf8(file(path)).expect("the sources are UTF-8");
    let lines = source
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("/*"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The digest as CSP writes it.
pub(super) fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}
