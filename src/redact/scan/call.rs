//! Calls in source code whose arguments are secrets: `setPassword("…")`, `new Credentials("bob", "…")`,
//! `auth=("bob", "…")`.

use super::super::bytes::{ByteSet, begins_with, ends_in};
use super::super::shape::Kinds;
use super::super::span::Form;
use super::name::Verdict;
use super::named::{Keyed, Name};
use super::plausible::Ends;
use super::surroundings::{GAP_MAX, unwrapped};
use super::value;

/// Arguments of a call, and bytes of all of them.
const ARGUMENTS_MAX: usize = 4;
const CALL_BYTES_MAX: usize = 512;
/// Brackets within brackets in one argument.
const NESTED_MAX: i32 = 4;

/// What functions that take a user and a secret end in; what they are given need not look like a secret.
const PAIRS: &[&[u8]] =
    &[b"credentials", b"credential", b"authentication", b"basicauth", b"basic_auth", b"getconnection"];
/// And those that are given other things as well.
const PAIRS_OF_ANY: &[&[u8]] = &[b"auth", b"login", b"authenticate", b"signin", b"sign_in", b"logon", b"basic"];
/// What a function that is given one secret begins with.
const SETTERS: &[&[u8]] = &[b"set", b"with", b"use", b"change", b"update", b"reset", b"add"];

/// What a method that is called like what it sets begins with.
const NAMED: &[&[u8]] = &[
    b"pass", b"secret", b"token", b"api", b"access", b"auth", b"bearer", b"client", b"private", b"pwd", b"cred", b"db",
];

const IDENTIFIER: ByteSet = ByteSet::alphanumeric_and(b"_");

/// Where an argument stands; of one that is no text in quotes nothing is known.
type Argument = Option<(usize, usize)>;

impl Keyed<'_> {
    /// Masks the secret among the arguments that begin at `inside`, of the function whose name stands between two positions.
    pub(super) fn call(&mut self, name: (usize, usize), inside: usize) -> Option<usize> {
        self.credential(name, inside).or_else(|| self.connection(name, inside))
    }

    #[inline(never)]
    fn credential(&mut self, (start, end): (usize, usize), inside: usize) -> Option<usize> {
        let bytes = self.bytes;
        let path = &bytes[start..end];
        let function = memchr::memrchr(b'.', path).map_or(path, |dot| &path[dot + 1..]);
        let method = function.len() < path.len() || start > 0 && matches!(bytes[start - 1], b'.' | b'>');
        let ends = |list: &[&[u8]]| list.iter().any(|word| ends_in(function, word));
        let (pair, any) = (ends(PAIRS), ends(PAIRS_OF_ANY));
        // `ApiToken("…")`, `Secret::new("…")`: a type that is called what it holds.
        let held = !method && bytes[start].is_ascii_uppercase() && holds_text(bytes, inside);
        let mut strong = || matches!(self.memory.verdicts.of(function, self.rules), Verdict::Strong(_));
        let sets = function.len() > 5 && SETTERS.iter().any(|setter| begins_with(function, setter));
        let named = method && NAMED.iter().any(|word| begins_with(function, word));
        let keyed = is_keyed(path);
        let one = (sets || named || held) && strong() || function.eq_ignore_ascii_case(b"bearer_auth") || keyed;
        if !(pair || any || one) {
            return None;
        }
        let arguments = Arguments::of(bytes, inside)?;
        let last = if keyed { 0 } else { arguments.count.checked_sub(1)? };
        let (from, to) = arguments.at[last].or_else(|| arguments.at[1].filter(|_| last > 0))?;
        let text = &bytes[from..to];
        let kinds = Kinds::of(text);
        let mixed = text.len() >= 4 && kinds.digit > 0 && kinds.letters() > 0;
        let fits = if last == 0 { one && (sets || mixed && (!held || text.len() >= 6)) } else { pair || mixed };
        if !fits || text.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        self.push(Name::secret(start), from, to, Form::Raw, Ends::Marked)
    }

    /// Masks the second of two texts in brackets: `auth=("bob", "…")`.
    pub(super) fn second(&mut self, name: Name, from: usize) -> Option<usize> {
        let text = &self.bytes[name.start..name.end];
        let named = [b"auth".as_slice(), b"credentials", b"creds", b"login"].iter().any(|word| ends_in(text, word));
        if !named || !matches!(self.bytes.get(from), Some(b'(' | b'[')) {
            return None;
        }
        let arguments = Arguments::of(self.bytes, from + 1)?;
        let [Some(_), Some((start, end))] = arguments.at[..arguments.count] else { return None };
        let kinds = Kinds::of(&self.bytes[start..end]);
        let mixed = kinds.digit > 0 && kinds.letters() > 0 && end - start >= 4;
        (mixed || ends_in(text, b"auth"))
            .then(|| self.push(Name::secret(name.start), start, end, Form::Raw, Ends::Marked))?
    }
}

/// The arguments of a call.
struct Arguments {
    at: [Argument; ARGUMENTS_MAX],
    count: usize,
}

impl Arguments {
    /// Those that begin at `from`, up to the bracket that ends them.
    fn of(bytes: &[u8], from: usize) -> Option<Self> {
        let to = bytes.len().min(from + CALL_BYTES_MAX);
        let (mut at, mut arguments) = (from, Self { at: [None; ARGUMENTS_MAX], count: 0 });
        while arguments.count < ARGUMENTS_MAX {
            at += bytes[at.min(to)..to].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            // Behind the comma with which a list of lines ends.
            if arguments.count > 0 && matches!(bytes[..to].get(at), Some(b')' | b']')) {
                return Some(arguments);
            }
            let text = unwrapped(bytes, at, to);
            let mut argument = None;
            if let Some((quote, inside)) = value::quote_at(bytes, text).filter(|(_, inside)| *inside < to) {
                let end = value::quoted_end(bytes, inside, to, quote);
                if bytes.get(end + quote.depth) != Some(&quote.mark) {
                    return None;
                }
                argument = Some((inside, end));
                at = end + quote.depth + 1;
            }
            // What is left of an argument: brackets, methods, names.
            let mut open = i32::from(argument.is_some() && text > 0 && bytes[text - 1] == b'(' && text > from);
            loop {
                match bytes.get(at).filter(|_| at < to)? {
                    b'(' | b'[' if open < NESTED_MAX => open += 1,
                    b')' | b']' if open > 0 => open -= 1,
                    b')' | b']' => {
                        arguments.push(argument);
                        return Some(arguments);
                    }
                    b',' if open == 0 => break,
                    b',' | b' ' | b'\n' | b'\r' | b'.' | b':' | b'&' | b'*' | b'$' | b'-' | b'>' => {}
                    byte if IDENTIFIER.has(*byte) => {}
                    _ => return None,
                }
                at += 1;
            }
            arguments.push(argument);
            at += 1;
        }
        None
    }

    fn push(&mut self, argument: Argument) {
        self.at[self.count] = argument;
        self.count += 1;
    }
}

/// Whether a text in quotes is what stands behind a bracket, on its line or the next.
fn holds_text(bytes: &[u8], inside: usize) -> bool {
    let near = &bytes[inside.min(bytes.len())..bytes.len().min(inside + GAP_MAX)];
    let text = near.trim_ascii_start();
    text.iter().take(3).any(|byte| matches!(byte, b'"' | b'\'')) || text.starts_with(b"String::from(")
}

/// Whether the first argument of a function is a key: `hmac.new(b"…", message)`.
fn is_keyed(function: &[u8]) -> bool {
    ends_in(function, b"hmac.new") || function.eq_ignore_ascii_case(b"fernet")
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn functions_that_take_secrets_lose_them() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                (
                    "new UsernamePasswordCredentials(\"a\", \"hunter\")",
                    "new UsernamePasswordCredentials(\"a\", \"‹pw›\")",
                ),
                (
                    "client.get(u).basic_auth(\"u\", Some(\"hunter2\"))",
                    "client.get(u).basic_auth(\"u\", Some(\"‹pw›\"))",
                ),
                (
                    "DriverManager.getConnection(url, \"sa\", \"hunter\")",
                    "DriverManager.getConnection(url, \"sa\", \"‹pw›\")",
                ),
                ("smtp.login(user, \"hunter2\")", "smtp.login(user, \"‹pw›\")"),
                ("requests.get(u, auth=(\"bob\", \"hunter2\"))", "requests.get(u, auth=(\"bob\", \"‹pw›\"))"),
                ("ds.setPassword(\"hunter\");", "ds.setPassword(\"‹pw›\");"),
                ("new Container().withPassword('hunter2')", "new Container().withPassword('‹pw›')"),
                ("builder.password(\"hunter2\")", "builder.password(\"‹pw›\")"),
                same("page.getPassword(\"alias1\")"),
                same("readPassword(\"Password 2: \")"),
                same("router.login(\"title\", \"text\")"),
                same("parseToken(\"x2y\")"),
                ("ApiToken(\n    \"Kq93wZorb77\",\n)", "ApiToken(\n    \"‹pw›\",\n)"),
                ("Credentials::AccessToken(\"Kq93wZorb77\")", "Credentials::AccessToken(\"‹pw›\")"),
                ("Password::new(\"hunter2-9\")", "Password::new(\"‹pw›\")"),
                ("hmac.new(b\"hunter2-9\", text, sha256)", "hmac.new(b\"‹pw›\", text, sha256)"),
                same("hmac.new(key, text.encode('utf-8'), h)"),
                ("c = new NetworkCredential(\"svc1\", \"hunter2\")", "c = new NetworkCredential(\"svc1\", \"‹pw›\")"),
                same("Token(\"name\")"),
            ],
        );
    }
}
