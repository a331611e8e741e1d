//! Triggers: one table of everything worth a second look.
//!
//! Each trigger is a short pattern. [`Buckets`] say at which positions one may begin. There the first four bytes are looked
//! up without case: a bitmap of their hashes says whether any pattern begins with them, and a list of each hash leads to
//! the few that do. The patterns of three bytes have tables of their own; those of two stand there with everything that
//! may follow them.

use std::sync::OnceLock;

use super::super::bytes::eight;
use super::buckets::{Buckets, Halves, Window};
use super::{hashes, languages, programs, tokens};

/// Bits of a hash.
const HASH_BITS: u32 = 15;
const HASHES: usize = 1 << HASH_BITS;

/// What a pattern announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// Part of a name that may be that of a secret.
    Stem,
    /// A token of this place in the table.
    Token(usize),
    /// `BEGIN` of a PEM block.
    Pem,
    /// Base 64 of `-----BEGIN `.
    PemBase64,
    /// `://`, and how many bytes that is.
    Url(usize),
    /// `%3A%2F%2F`
    NestedUrl,
    /// A password verifier of this place in the table.
    Crypt(usize),
    /// A password verifier with a named scheme.
    Named(usize),
    /// A program of this place in the table.
    Command(usize),
    /// `Bearer `
    Bearer,
    /// `Basic `
    Basic,
    /// A JSON web token.
    Jwt,
    /// `:AA` of a Telegram bot's token.
    Telegram,
    /// `-us` of a Mailchimp key.
    Mailchimp,
    /// `pat` of an Airtable token.
    Airtable,
    /// `IDENTIFIED BY`
    Identified,
    /// `INSERT INTO`
    Insert,
    /// `$krb5asrep$` and its kin.
    Kerberos,
    /// `proctitle=` of the audit log.
    Proctitle,
    /// `argc=` of the audit log.
    Execve,
    /// `data` of a Kubernetes secret.
    Data,
    /// `SetCredential=`
    SetCredential,
    /// `cifs` of a mount.
    Mount,
    /// A function that takes a secret, whose name holds no stem.
    Call,
    /// `login=user:secret`
    Login,
    /// `createUser`, a user of SNMP and its keys.
    SnmpUser,
    /// A verb of a protocol that holds no stem, in any case and in capitals: `IDENTIFY`, `LOGIN`.
    Verb,
    CapitalVerb,
    /// Base 64 of `Password:`
    Asked,
    /// `log in with`, `sign in as`
    SignedIn,
    /// `<<<`
    HereString,
    /// `kty` of a JSON web key.
    WebKey,
    /// `Private-Lines:`
    Putty,
    /// A letter that is written as an escape of JSON.
    Escaped,
    /// A scheme of passwords in files of users.
    Scheme,
    /// What stands in lines with hashes of Samba's.
    Samba,
    /// `rs: $1` of the parameters of a statement of SQL.
    Parameters,
    /// `y-----` of `KEY-----`
    PemEnd,
    /// The sign of a shell's prompt.
    Prompt,
}

/// Parts of names, any case. A name without one of these is never looked at.
const STEMS: &[&str] = &[
    "pass",
    "pwd",
    "psk",
    "_pw",
    "-pw",
    ".pw",
    "pw=",
    "pw:",
    "pw\"",
    "pw':",
    "pw = ",
    "ndpw",
    "otpw",
    "erpw",
    "secr",
    "toke",
    "key",
    "cred",
    "auth",
    "cook",
    "sess",
    "sid",
    "sig",
    "encr",
    "seed",
    "otp",
    "community",
    "jwt",
    "bearer",
    "hmac",
    "salt",
    "pepper",
    "_pat",
    "private",
    "_sas",
    "_dek",
    "_kek",
    "assertion",
    "verifier",
    "mnemonic",
    "kennw",
    "contrase",
    "senha",
    "wachtw",
    "motde",
    "mdp",
    "heslo",
    "haslo",
    "has\u{142}o",
    "lozinka",
    "_pin",
    "code=",
    "code:",
    "code\"",
    "code =",
    "_code ",
    "pincode",
    "codes",
    "phrase",
    "license",
    "unseal",
    "\u{43f}\u{430}\u{440}\u{43e}\u{43b}",
    "\u{41f}\u{430}\u{440}\u{43e}\u{43b}",
    "\u{5bc6}\u{7801}",
    "\u{53e3}\u{4ee4}",
    "\u{30d1}\u{30b9}\u{30ef}",
    "\u{be44}\u{bc00}\u{bc88}",
    "de_passe",
    "\u{5bc6}\u{78bc}",
];

/// Patterns that stand for themselves, any case.
const MARKS: &[(&str, Trigger)] = &[
    ("begin", Trigger::Pem),
    ("ls0tls1crudjti", Trigger::PemBase64),
    ("://", Trigger::Url(3)),
    (":\\/\\/", Trigger::Url(5)),
    ("%3a%2f%2f", Trigger::NestedUrl),
    ("bearer ", Trigger::Bearer),
    ("bearer%20", Trigger::Bearer),
    ("basic ", Trigger::Basic),
    ("eyj", Trigger::Jwt),
    (":aa", Trigger::Telegram),
    ("-us", Trigger::Mailchimp),
    ("pat", Trigger::Airtable),
    ("identified", Trigger::Identified),
    ("proctitle=", Trigger::Proctitle),
    ("argc=", Trigger::Execve),
    ("data", Trigger::Data),
    ("stringdata", Trigger::Data),
    ("setcredential", Trigger::SetCredential),
    ("cifs", Trigger::Mount),
    ("insert into", Trigger::Insert),
    ("$krb5", Trigger::Kerberos),
    // The ends of `login(`, `getConnection(`, `login=`, `createUser `: their first letters stand in every log.
    ("gin(", Trigger::Call),
    ("ion(", Trigger::Call),
    ("gin=", Trigger::Login),
    ("teuser ", Trigger::SnmpUser),
    ("<<<", Trigger::HereString),
    ("kty\"", Trigger::WebKey),
    ("private-lines:", Trigger::Putty),
    ("\\u006", Trigger::Escaped),
    ("\\u007", Trigger::Escaped),
    // What stands least often in other texts: parts of `:LCT-5F3A1B2C:`, of the hash of no password, of
    // `parameters: $1`, of `PRIVATE KEY-----`.
    (":lct-", Trigger::Samba),
    ("d3b435b", Trigger::Samba),
    ("rs: $1", Trigger::Parameters),
    ("y-----", Trigger::PemEnd),
    ("$ ", Trigger::Prompt),
    ("~# ", Trigger::Prompt),
    ("]# ", Trigger::Prompt),
    // Parts of functions that connect: `connect(`, `mysqli(`, `simple_bind_s(`, `__construct(`, `Sequelize(`.
    ("ect(", Trigger::Call),
    ("pdo(", Trigger::Call),
    ("sqli(", Trigger::Call),
    ("d_s(", Trigger::Call),
    ("le_bind", Trigger::Call),
    ("dap_bind", Trigger::Call),
    ("uct(", Trigger::Call),
    ("quelize(", Trigger::Call),
    ("ftp(", Trigger::Call),
    ("ser(", Trigger::Call),
    ("ntify ", Trigger::Verb),
    ("in with ", Trigger::SignedIn),
    ("in as ", Trigger::SignedIn),
    ("pw is ", Trigger::Stem),
    ("ogin \"", Trigger::Verb),
    ("pin ", Trigger::Stem),
    ("c3dvcmq6", Trigger::Asked),
];

/// Groups of buckets for the patterns of one kind.
const GROUPS: usize = 2;

/// The table.
pub(super) struct Probe {
    /// Of the patterns that may begin anywhere, and of those that begin a word.
    pub(super) anywhere: Buckets<GROUPS>,
    pub(super) at_words: Buckets<GROUPS>,
    /// By four bytes, and by three.
    fours: Table,
    threes: Table,
    patterns: Vec<(&'static [u8], Trigger)>,
}

impl Trigger {
    /// Whether its parser takes nothing that begins amid letters and digits, except behind an escape.
    pub(super) fn begins_a_word(self) -> bool {
        match self {
            // What begins with a sign is told from what stands before it.
            Self::Token(place) => tokens::TOKENS[place].prefix.starts_with(|first: char| first.is_ascii_alphanumeric()),
            Self::Command(_) => true,
            _ => false,
        }
    }

    /// Whether case matters.
    fn is_exact(self) -> bool {
        matches!(self, Self::Token(_) | Self::Crypt(_) | Self::Command(_) | Self::CapitalVerb)
    }

    /// Whether this byte may follow a pattern that is shorter than what is looked up.
    pub(super) fn may_go_on(self, byte: u8) -> bool {
        match self {
            Self::Token(place) => tokens::TOKENS[place].body.has(byte),
            Self::Command(_) => matches!(byte, b' ' | b'\t' | b'"' | b'\''),
            Self::Mailchimp => byte.is_ascii_digit(),
            Self::HereString => byte != b'<' && byte != b'\n',
            Self::Jwt | Self::Telegram | Self::Airtable => tokens::Body::Word.has(byte),
            // What follows the last letter of a short stem: the rest of its name, a separator, white space.
            Self::Stem => {
                byte.is_ascii_alphanumeric()
                    || byte >= 0x80
                    || b"_-.=:\"' \t\n\r>)]\\%&,;\x1b\0{<`|/@~?!#".contains(&byte)
            }
            _ => byte > b' ',
        }
    }
}

/// What may stand at the first bytes of a pattern and of what follows it.
fn window(pattern: &[u8], trigger: Trigger) -> Window {
    std::array::from_fn(|place| match pattern.get(place) {
        Some(byte) if trigger.is_exact() => Halves::of([*byte]),
        Some(byte) => Halves::of([byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]),
        None if place == pattern.len() => Halves::of((0..=255).filter(|byte| trigger.may_go_on(*byte))),
        None => Halves::of(0..=255),
    })
}

/// The patterns of each hash.
struct Table {
    /// Whether there are any.
    bits: Box<[u64; HASHES / 64]>,
    starts: Vec<u16>,
    entries: Vec<Entry>,
}

impl Table {
    fn new(pairs: &[(u32, Entry)]) -> Self {
        let mut pairs: Vec<_> = pairs.iter().map(|(head, entry)| (hash(*head), *entry)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut bits = Box::new([0; HASHES / 64]);
        let mut starts = vec![0_u16; HASHES + 1];
        for (slot, _) in &pairs {
            bits[slot / 64] |= 1 << (slot % 64);
            starts[slot + 1] += 1;
        }
        for slot in 0..HASHES {
            starts[slot + 1] += starts[slot];
        }
        Self { bits, starts, entries: pairs.into_iter().map(|(_, entry)| entry).collect() }
    }

    /// Whether there may be patterns of these bytes: 1 or 0.
    #[inline]
    fn has(&self, head: u32) -> u64 {
        let slot = hash(head);
        self.bits[slot / 64] >> (slot % 64) & 1
    }

    /// The patterns of these bytes.
    #[inline]
    fn list(&self, head: u32) -> &[Entry] {
        let slot = hash(head);
        &self.entries[usize::from(self.starts[slot])..usize::from(self.starts[slot + 1])]
    }
}

/// The first four of some bytes and the first three, without case.
#[inline]
fn heads(bytes: u64) -> [u32; 2] {
    let four = u32::try_from(bytes & u64::from(u32::MAX)).expect("32 bits") | 0x2020_2020;
    [four, four & 0x00FF_FFFF]
}

#[inline]
fn hash(head: u32) -> usize {
    (head.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize
}

/// A pattern of one hash: its first eight bytes without case, so that most chance hits cost one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    place: u16,
    /// Whether these are all bytes of the pattern, and none is taken for another without case.
    whole: bool,
    word: u64,
    mask: u64,
}

impl Entry {
    fn new(place: u16, pattern: &[u8], trigger: Trigger) -> Self {
        let (mut word, mut mask) = ([0; 8], [0; 8]);
        let whole = !trigger.is_exact() && pattern.len() <= 8 && pattern.iter().all(u8::is_ascii_alphabetic);
        for (at, byte) in pattern.iter().take(8).enumerate() {
            (word[at], mask[at]) = (byte | 0x20, 0xFF);
        }
        Self { place, whole, word: u64::from_le_bytes(word), mask: u64::from_le_bytes(mask) }
    }

    #[inline]
    fn fits(self, text: u64) -> bool {
        (text | 0x2020_2020_2020_2020) & self.mask == self.word & self.mask
    }
}

impl Probe {
    /// The table of all triggers.
    pub(super) fn get() -> &'static Self {
        static PROBE: OnceLock<Probe> = OnceLock::new();
        PROBE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut patterns: Vec<(&'static [u8], Trigger)> = Vec::new();
        patterns.extend(STEMS.iter().chain(languages::STEMS).map(|stem| (stem.as_bytes(), Trigger::Stem)));
        patterns.extend(MARKS.iter().map(|(mark, trigger)| (mark.as_bytes(), *trigger)));
        patterns.push((b"LOGIN ", Trigger::CapitalVerb));
        patterns
            .extend(tokens::TOKENS.iter().enumerate().map(|(at, token)| (token.prefix.as_bytes(), Trigger::Token(at))));
        patterns
            .extend(hashes::CRYPT.iter().enumerate().map(|(at, (prefix, _))| (prefix.as_bytes(), Trigger::Crypt(at))));
        patterns.extend(hashes::NAMED.iter().enumerate().map(|(at, prefix)| (prefix.as_bytes(), Trigger::Named(at))));
        patterns.extend(hashes::SCHEMES.iter().map(|scheme| (scheme.as_bytes(), Trigger::Scheme)));
        patterns.extend(programs::names().map(|(at, name)| (name.as_bytes(), Trigger::Command(at))));
        let (mut fours, mut threes) = (Vec::new(), Vec::new());
        for (place, (pattern, trigger)) in patterns.iter().enumerate() {
            let place = u16::try_from(place).expect("there are fewer than 65,536 patterns");
            let entry = Entry::new(place, pattern, *trigger);
            match pattern.len() {
                ..3 => threes.extend(continued(pattern, *trigger).map(|word| (heads(eight(&word))[1], entry))),
                3 => threes.push((heads(eight(pattern))[1], entry)),
                _ => fours.push((heads(eight(pattern))[0], entry)),
            }
        }
        let (at_words, anywhere): (Vec<_>, Vec<_>) =
            patterns.iter().copied().partition(|(_, trigger)| trigger.begins_a_word());
        let windows = |patterns: Vec<(&[u8], Trigger)>| {
            Buckets::new(patterns.into_iter().map(|(pattern, trigger)| window(pattern, trigger)).collect())
        };
        Self {
            anywhere: windows(anywhere),
            at_words: windows(at_words),
            fours: Table::new(&fours),
            threes: Table::new(&threes),
            patterns,
        }
    }

    /// Whether a pattern may begin with the first of these bytes.
    #[inline]
    pub(super) fn may_begin(&self, bytes: u64) -> bool {
        let [four, three] = heads(bytes);
        self.fours.has(four) | self.threes.has(three) == 1
    }

    /// The triggers whose patterns stand at `at`.
    pub(super) fn triggers<'a>(&'a self, bytes: &'a [u8], at: usize) -> impl Iterator<Item = (Trigger, usize)> + 'a {
        let begins = eight(&bytes[at.min(bytes.len())..]);
        let [four, three] = heads(begins);
        let entries = self.fours.list(four).iter().chain(self.threes.list(three));
        entries.filter(move |entry| entry.fits(begins)).filter_map(move |entry| {
            let (pattern, trigger) = self.patterns[usize::from(entry.place)];
            if entry.whole {
                return Some((trigger, pattern.len()));
            }
            let text = bytes.get(at..at + pattern.len())?;
            (if trigger.is_exact() { text == pattern } else { text.eq_ignore_ascii_case(pattern) })
                .then_some((trigger, pattern.len()))
        })
    }
}

/// Three bytes and a zero: the ways in which a pattern of two bytes may go on.
fn continued(pattern: &[u8], trigger: Trigger) -> impl Iterator<Item = [u8; 4]> {
    let &[a, b] = pattern else { unreachable!("no pattern is shorter than two bytes") };
    (0..=255).filter(move |byte| trigger.may_go_on(*byte)).map(move |c| [a, b, c, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sparse_enough_to_be_fast() {
        let probe = Probe::get();
        for table in [&probe.fours, &probe.threes] {
            let set = table.bits.iter().map(|word| word.count_ones()).sum::<u32>();
            assert!((50..1000).contains(&set), "{set}");
        }
    }
}
