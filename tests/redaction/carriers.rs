//! Carriers: ways in which a secret stands in a file, a log, an environment, a command line.

use snapvisor::redact::Carrier;

use super::template::Random;

/// A text around a secret.
pub struct Case {
    pub carrier: Carrier,
    pub before: String,
    /// The secret as it is written there.
    pub secret: String,
    pub after: String,
}

fn case(carrier: Carrier, before: impl Into<String>, secret: impl Into<String>, after: impl Into<String>) -> Case {
    Case { carrier, before: before.into(), secret: secret.into(), after: after.into() }
}

/// Names of secrets; they are written in several styles.
pub const NAMES: &[&str] = &[
    "password",
    "db password",
    "root password",
    "passwd",
    "passphrase",
    "client secret",
    "secret",
    "api key",
    "secret key",
    "access token",
    "auth token",
    "token",
    "private key",
    "encryption key",
    "signing key",
    "jwt secret",
    "webhook secret",
    "master key",
    "admin credentials",
    "shared secret",
    "smtp password",
    "bot token",
    "license key",
    "session secret",
];

pub fn snake(name: &str) -> String {
    name.replace(' ', "_")
}

pub fn upper(name: &str) -> String {
    snake(name).to_uppercase()
}

pub fn kebab(name: &str) -> String {
    name.replace(' ', "-")
}

pub fn camel(name: &str) -> String {
    let mut out = String::new();
    for (at, word) in name.split(' ').enumerate() {
        let mut characters = word.chars();
        let first = characters.next().expect("a word");
        if at == 0 {
            out.push(first);
        } else {
            out.extend(first.to_uppercase());
        }
        out.extend(characters);
    }
    out
}

pub fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a string");
    quoted[1..quoted.len() - 1].to_owned()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A value that a carrier without quotes can hold.
fn is_plain(secret: &str) -> bool {
    !secret.contains([' ', '"', '\'', '#', '\\', '`', ';', '<', '>', '&', '|', '$'])
}

type Keyed = (&'static str, fn(&str, &str) -> Option<Case>);

/// Carriers of a secret under a name.
#[rustfmt::skip]
pub const KEYED: &[Keyed] = &[
    ("environ", |n, s| Some(case(Carrier::Environ, format!("PATH=/usr/bin\0{}=", upper(n)), s, "\0HOME=/root\0"))),
    ("argv-equals", |n, s| Some(case(Carrier::Argv, format!("server\0--{}=", kebab(n)), s, "\0--verbose\0"))),
    ("argv-flag", |n, s| Some(case(Carrier::Argv, format!("server\0--{}\0", kebab(n)), s, "\0--verbose\0"))),
    ("toml", |n, s| Some(case(Carrier::Toml, format!("[a]\nb = 1\n{} = \"", snake(n)), json(s), "\" # note\nc = 2\n"))),
    ("toml-text", |n, s| Some(case(Carrier::Text, format!("[a]\nb = 1\n{} = \"", snake(n)), json(s), "\"\nc = 2\n"))),
    ("yaml", |n, s| (!s.starts_with(['!', '&', '*', '%', '@', '#']) && !s.contains(": ") && !s.contains(" #")).then(|| case(Carrier::Text, format!("a: 1\n{}: ", camel(n)), s, "\nb: 2\n"))),
    ("yaml-quoted", |n, s| (!s.contains('\'')).then(|| case(Carrier::Text, format!("a:\n  {}: '", kebab(n)), s, "'\n  b: 2\n"))),
    ("yaml-next-line", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("a:\n  {}:\n    ", snake(n)), s, "\n  b: 2\n"))),
    ("json", |n, s| Some(case(Carrier::Text, format!("{{\"a\": 1, \"{}\": \"", camel(n)), json(s), "\", \"b\": 2}"))),
    ("json-pretty", |n, s| Some(case(Carrier::Text, format!("{{\n  \"{}\" : \"", snake(n)), json(s), "\",\n  \"b\": 2\n}"))),
    ("json-in-json", |n, s| Some(case(Carrier::Text, format!("{{\"m\":\"{{\\\"{}\\\":\\\"", snake(n)), json(&json(s)), "\\\",\\\"b\\\":2}\"}"))),
    ("json-thrice", |n, s| Some(case(Carrier::Text, format!("{{\"m\":\"{{\\\"n\\\":\\\"{{\\\\\\\"{}\\\\\\\":\\\\\\\"", snake(n)), json(&json(&json(s))), "\\\\\\\"}\\\"}\"}"))),
    ("ini", |n, s| (!s.contains([';', '#'])).then(|| case(Carrier::Text, format!("[a]\n{} = ", snake(n)), s, "\nb = 2\n"))),
    ("dotenv", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("A=1\nexport {}=", upper(n)), s, "\nB=2\n"))),
    ("dotenv-quoted", |n, s| (!s.contains('\'')).then(|| case(Carrier::Text, format!("A=1\n{}='", upper(n)), s, "'\nB=2\n"))),
    ("unit", |n, s| (!s.contains(['"', '\\', '%'])).then(|| case(Carrier::Text, format!("[Service]\nEnvironment=\"{}=", upper(n)), s, "\" \"B=2\"\nExecStart=/bin/x\n"))),
    ("properties", |n, s| Some(case(Carrier::Text, format!("a.b=1\napp.{}=", n.replace(' ', ".")), s, "\nc=2\n"))),
    ("xml-element", |n, s| Some(case(Carrier::Text, format!("<a><{}>", camel(n)), html(s), format!("</{}></a>", camel(n))))),
    ("xml-pair", |n, s| Some(case(Carrier::Text, format!("<property><name>x.{}</name><value>", n.replace(' ', ".")), html(s), "</value></property>"))),
    ("xml-attribute", |n, s| Some(case(Carrier::Text, format!("<add key=\"{}\" value=\"", camel(n)), html(s), "\"/>"))),
    ("ps-equals", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("root 12 0.0 /usr/bin/server --{}=", kebab(n)), s, " --port 8090\n"))),
    ("ps-flag", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("root 12 0.0 /usr/bin/server --{} ", kebab(n)), s, " --port 8090\n"))),
    ("rust-debug", |n, s| Some(case(Carrier::Text, format!("INFO Config {{ user: \"a\", {}: Some(\"", snake(n)), json(s), "\"), port: 8090 }"))),
    ("logfmt", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("ts=1 level=info {}=", snake(n)), s, " user=bob\n"))),
    ("log-colon", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("2026-08-21T03:40:00Z INFO using {n}: "), s, "\n"))),
    ("kernel-cmdline", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("BOOT_IMAGE=/vmlinuz root=UUID=1 x.{}=", snake(n)), s, " quiet splash\n"))),
    ("k8s-env-json", |n, s| Some(case(Carrier::Text, format!("{{\"name\": \"{}\", \"value\": \"", upper(n)), json(s), "\"}"))),
    ("k8s-env-yaml", |n, s| (!s.contains('\'')).then(|| case(Carrier::Text, format!("env:\n- name: {}\n  value: '", upper(n)), s, "'\n"))),
    ("docker-env", |n, s| Some(case(Carrier::Text, format!("\"Env\":[\"A=1\",\"{}=", upper(n)), json(s), "\",\"B=2\"]"))),
    ("query", |n, s| s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)).then(|| case(Carrier::Text, format!("GET /x?a=1&{}=", snake(n)), s, "&b=2 HTTP/1.1\n"))),
    ("js-object", |n, s| Some(case(Carrier::Text, format!("const c = {{ {}: \"", camel(n)), json(s), "\", b: 2 };"))),
    ("python-dict", |n, s| (!s.contains(['\'', '\\'])).then(|| case(Carrier::Text, format!("{{'a': 1, '{}': '", snake(n)), s, "', 'b': 2}"))),
    ("ruby-arrow", |n, s| Some(case(Carrier::Text, format!("{{ :a => 1, :{} => \"", snake(n)), json(s), "\" }"))),
    ("shell-default", |n, s| is_plain(s).then(|| s.contains('}')).filter(|b| !b).map(|_| case(Carrier::Text, format!("{0}=${{{0}:-", upper(n)), s, "}\n"))),
    ("colour", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("\u{1b}[2mx\u{1b}[0m \u{1b}[3m{}\u{1b}[0m\u{1b}[2m=\u{1b}[0m", snake(n)), s, "\u{1b}[0m done"))),
    ("crlf", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("a=1\r\n{}=", snake(n)), s, "\r\nb=2\r\n"))),
    ("html-escaped", |n, s| Some(case(Carrier::Text, format!("<td>{{&quot;{}&quot;:&quot;", camel(n)), html(&json(s)), "&quot;}</td>"))),
    ("header", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("> X-{}: ", kebab(n)), s, "\r\n> Accept: */*\r\n"))),
    ("tabs", |n, s| is_plain(s).then(|| case(Carrier::Text, format!("\t{}\t=\t", snake(n)), s, "\n"))),
];

type Bare = (&'static str, fn(&str) -> Case);

/// Carriers of a secret without a name.
#[rustfmt::skip]
pub const BARE: &[Bare] = &[
    ("env-innocent", |s| case(Carrier::Environ, "PATH=/bin\0APP_CFG_7=", s, "\0HOME=/root\0")),
    ("log", |s| case(Carrier::Text, "2026-08-21 INFO sent ", s, " to peer\n")),
    ("json-log", |s| case(Carrier::Text, "{\"msg\":\"got ", json(s), " ok\",\"n\":1}")),
    ("argv-positional", |s| case(Carrier::Argv, "run\0", s, "\0now\0")),
    ("yaml-neutral", |s| case(Carrier::Text, "a: 1\nfield_seven: ", s, "\nb: 2\n")),
    ("toml-neutral", |s| case(Carrier::Toml, "a = 1\nfield_seven = \"", json(s), "\"\nb = 2\n")),
    ("escaped-newline", |s| case(Carrier::Text, "{\"m\":\"line\\n", json(s), "\\nnext\"}")),
    ("query", |s| case(Carrier::Text, "GET /x?a=1&f=", s, "&b=2")),
    ("parenthesis", |s| case(Carrier::Text, "call(", s, ") failed")),
    ("path-segment", |s| case(Carrier::Text, "GET /v1/", s, "/status HTTP/1.1")),
];

/// A name for a carrier, at random.
pub fn name(random: &mut Random) -> &'static str {
    random.pick::<&str>(NAMES)
}
