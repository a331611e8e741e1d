//! Calls that open a connection: the secret stands behind a user among their arguments, `connect("db", "root", "…")`.
//!
//! Where the function or its first argument says what it connects to, the place tells which argument is the secret;
//! otherwise its look does.

use super::super::bytes::ends_in;
use super::super::shape;
use super::super::span::Form;
use super::named::{Keyed, Name};
use super::plausible::{Ends, is_chosen};
use super::value;

/// Arguments of a call, and bytes of all of them.
const ARGUMENTS_MAX: usize = 8;
const CALL_BYTES_MAX: usize = 512;
/// Bytes of the shortest secret.
const TEXT_BYTES_MIN: usize = 4;
/// Brackets within brackets in one argument.
const NESTED_MAX: usize = 3;
/// Bytes before the name of a function in which the name of its object stands.
const OBJECT_BYTES_MAX: usize = 24;

/// What functions end in that connect, log in or make a user.
const ENDINGS: &[&[u8]] = &[
    b"connect",
    b"connection",
    b"pdo",
    b"mysqli",
    b"__construct",
    b"bind",
    b"bind_s",
    b"login",
    b"auth",
    b"sequelize",
    b"ftp",
    b"begin",
    b"_pw_set",
    b"createuser",
    b"adduser",
    b"create_user",
    b"add_user",
];
/// Parts of names of what is connected to with a host, a user and a secret; and of what is with a user and a secret alone.
const HOSTS: &[&[u8]] = &[b"mysql", b"mariadb", b"pdo", b"dbi", b"pgsql", b"psycopg", b"ftp", b"odbc", b"sqlsrv"];
const USERS: &[&[u8]] = &[b"oracle", b"oci_", b"wifi", b"wlan", b"bind", b"_pw_set"];
/// What a source of data begins with.
const SOURCES: &[&[u8]] = &[
    b"mysql:",
    b"pgsql:",
    b"postgres",
    b"sqlsrv:",
    b"oci:",
    b"odbc:",
    b"dbi:",
    b"DBI:",
    b"jdbc:",
    b"ldap",
    b"mongodb",
    b"firebird:",
    b"dblib:",
    b"sybase:",
    b"informix:",
    b"ibm:",
    b"amqp",
];

impl Keyed<'_> {
    /// Masks the secret among the arguments that begin at `inside`, of the function whose name stands between two positions.
    #[inline(never)]
    pub(super) fn connection(&mut self, (start, end): (usize, usize), inside: usize) -> Option<usize> {
        let bytes = self.bytes;
        let ends = |word: &&[u8]| ends_in(&bytes[start..end], word);
        if !ENDINGS.iter().any(ends) {
            return None;
        }
        let (texts, count) = texts(bytes, inside);
        let texts = &texts[..count];
        if texts.iter().all(|text| text.is_none_or(|(from, to)| to - from < TEXT_BYTES_MIN)) {
            return None;
        }
        let object = &bytes[start.saturating_sub(OBJECT_BYTES_MAX)..end];
        let object = &object[object.iter().rposition(|byte| b" \t\n=".contains(byte)).map_or(0, |at| at + 1)..];
        let called = |list: &[&[u8]]| {
            list.iter().any(|word| object.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
        };
        let source = texts
            .first()
            .copied()
            .flatten()
            .is_some_and(|(from, to)| SOURCES.iter().any(|source| bytes[from..to].starts_with(source)));
        // `mysql_real_connect(&handle, …)`, `ldap_bind($link, …)`
        let handle = [b"real_connect".as_slice(), b"ldap_bind"].iter().any(ends);
        let handle = usize::from(handle && texts.first().is_some_and(Option::is_none));
        let place = if source || called(HOSTS) { Some(2 + handle) } else { called(USERS).then_some(1 + handle) };
        let told = place.and_then(|place| texts.get(place).copied().flatten());
        let told = told.filter(|(from, to)| !bytes[*from..*to].iter().any(u8::is_ascii_whitespace));
        let chosen = || {
            let looks = |(from, to): &(usize, usize)| looks_chosen(&bytes[*from..*to]);
            // One argument alone is a secret where a client authenticates.
            let whole = matches!(bytes[start..end], [b'a', b'u', b't', b'h'] | [.., b'.', b'a', b'u', b't', b'h']);
            let from = usize::from(!whole || count > 1);
            texts.iter().skip(from).copied().flatten().find(looks)
        };
        // Where one alone looks like a secret, the function has its arguments in another order.
        let looks = |(from, to): &(usize, usize)| looks_chosen(&bytes[*from..*to]);
        let mut looking = texts.iter().skip(1).copied().flatten().filter(looks);
        let only = looking.next().filter(|_| looking.next().is_none());
        let (from, to) = only.or(told).or_else(chosen)?;
        self.push(Name::secret(start), from, to, Form::Raw, Ends::Marked)
    }
}

/// Whether a text looks like a secret and not like a name with a number, a measure or an address.
pub(super) fn looks_chosen(text: &[u8]) -> bool {
    let address = memchr::memchr(b'@', text).is_some() && memchr::memchr(b'.', text).is_some();
    is_chosen(text) && !shape::is_label(text) && !shape::is_measure(text) && !address
}

/// The arguments that begin at `from`, as far as they can be read: where each that is a text in quotes stands.
fn texts(bytes: &[u8], from: usize) -> ([Option<(usize, usize)>; ARGUMENTS_MAX], usize) {
    let to = bytes.len().min(from + CALL_BYTES_MAX);
    let (mut texts, mut count, mut at) = ([None; ARGUMENTS_MAX], 0, from);
    while count < ARGUMENTS_MAX {
        at += bytes[at.min(to)..to].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let prefixed = matches!(bytes.get(at), Some(b'b' | b'u' | b'r' | b'@'));
        if let Some((quote, inside)) = value::quote_at(bytes, at + usize::from(prefixed)).filter(|(_, at)| *at < to) {
            let end = value::quoted_end(bytes, inside, to, quote);
            if bytes[..to].get(end + quote.depth) != Some(&quote.mark) {
                break;
            }
            at = end + quote.depth + 1;
            let behind = bytes[at..to].iter().find(|byte| !byte.is_ascii_whitespace());
            texts[count] = matches!(behind, Some(b',' | b')')).then_some((inside, end));
        }
        count += 1;
        // What is left of an argument.
        let mut open = 0;
        loop {
            match bytes.get(at).filter(|_| at < to) {
                Some(b'(' | b'[' | b'{') if open == NESTED_MAX => return (texts, count),
                Some(b'(' | b'[' | b'{') => open += 1,
                Some(b')' | b']' | b'}') if open > 0 => open -= 1,
                Some(b',') if open == 0 => break,
                None | Some(b')' | b']' | b'}' | b';') => return (texts, count),
                Some(_) => {}
            }
            at += 1;
        }
        at += 1;
    }
    (texts, count)
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn calls_that_connect_lose_their_secret() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("connect(\"db\",\"root\",\"Kq93wZorb77\")", "connect(\"db\",\"root\",\"‹pw›\")"),
                ("new PDO(\"mysql:host=x\", \"root\", \"hunter\");", "new PDO(\"mysql:host=x\", \"root\", \"‹pw›\");"),
                ("mysqli_connect('h','u','hunter', 'db')", "mysqli_connect('h','u','‹pw›', 'db')"),
                (
                    "DBI->connect(\"dbi:Pg:dbname=x\", \"u\", \"hunter\", {a=>1})",
                    "DBI->connect(\"dbi:Pg:dbname=x\", \"u\", \"‹pw›\", {a=>1})",
                ),
                ("cx_Oracle.connect('scott', 'hunter', 'h/x')", "cx_Oracle.connect('scott', '‹pw›', 'h/x')"),
                ("ssh.connect('10.0.0.1', 22, 'root', 'Kq93wZorb77')", "ssh.connect('10.0.0.1', 22, 'root', '‹pw›')"),
                (
                    "mysql_real_connect(&db, \"h\", \"u\", \"Kq93wZorb77\", 0)",
                    "mysql_real_connect(&db, \"h\", \"u\", \"‹pw›\", 0)",
                ),
                ("ldap.simple_bind_s('cn=a,dc=x', 'hunter')", "ldap.simple_bind_s('cn=a,dc=x', '‹pw›')"),
                (
                    "smtp.PlainAuth(\"\", \"a@b.c\", \"Kq93wZorb77\", \"b.c\")",
                    "smtp.PlainAuth(\"\", \"a@b.c\", \"‹pw›\", \"b.c\")",
                ),
                ("WiFi.begin(\"home\", \"hunter22\");", "WiFi.begin(\"home\", \"‹pw›\");"),
                ("redis.auth('Kq93wZorb77')", "redis.auth('‹pw›')"),
                same("connect(\"tcp\", \"10.0.0.1\", \"eth0\")"),
                same("graph.connect(\"node1\", \"node2\", \"edge77\")"),
                same("signal.connect('clicked', 'on_click', 'handler2')"),
                same("new PDO(\"mysql:host=x\", $user, $pass)"),
                same("mysqli_connect($h, $u, $p)"),
                same("mysqli_connect('localhost', 'root', '')"),
                ("ldap_bind($ds, 'cn=a,dc=x', 'hunter')", "ldap_bind($ds, 'cn=a,dc=x', '‹pw›')"),
                same("_encode_auth('username%3Apassword')"),
                same("socket.bind('0.0.0.0', 'port8080')"),
            ],
        );
    }
}
