//! What secrets are called in other languages than English.
//!
//! Words that mean nothing but a password name one wherever they end a name. Words that mean other things as well name one
//! when a word beside them says so, or when the value looks chosen.

use super::super::bytes::{WordSet, find};
use super::super::pseudonym::Class;
use super::name::Verdict;
use super::vocabulary::Weak;

/// Words behind the noun that belong to a name, and bytes of one of them.
const WORDS_MAX: usize = 3;
const WORD_BYTES_MAX: usize = 32;

/// Parts of these words, for the table of triggers: such as are rare in logs, wherever in a word they stand.
#[rustfmt::skip]
pub(super) const STEMS: &[&str] = &[
    "\u{15f}ifre", "\u{15e}ifre", "\u{161}ifra", "\u{41f}\u{410}\u{420}\u{41e}\u{41b}",
    "\u{433}\u{430}\u{441}\u{43b}", "\u{413}\u{430}\u{441}\u{43b}", "\u{43b}\u{43e}\u{437}\u{438}",
    "\u{441}\u{435}\u{43a}\u{440}\u{435}\u{442}", "\u{421}\u{435}\u{43a}\u{440}\u{435}\u{442}",
    "\u{43a}\u{43b}\u{44e}\u{447}", "\u{41a}\u{43b}\u{44e}\u{447}", "\u{43f}\u{438}\u{43d}", "\u{41f}\u{418}\u{41d}",
    "\u{41f}\u{438}\u{43d}", "\u{5bc6}\u{94a5}", "\u{5bc6}\u{9470}", "\u{79c1}\u{94a5}", "\u{4ee4}\u{724c}",
    "\u{6697}\u{8a3c}", "\u{79d8}\u{5bc6}\u{9375}", "\u{30b7}\u{30fc}\u{30af}\u{30ec}\u{30c3}\u{30c8}",
    "\u{30a2}\u{30af}\u{30bb}\u{30b9}\u{30ad}\u{30fc}", "\u{30d1}\u{30b9}\u{30d5}", "\u{5408}\u{8a00}\u{8449}",
    "\u{c554}\u{d638}", "\u{be44}\u{bc00}\u{d0a4}", "\u{c561}\u{c138}\u{c2a4}", "\u{3ba}\u{3c9}\u{3b4}\u{3b9}\u{3ba}",
    "\u{3c3}\u{3c5}\u{3bd}\u{3b8}\u{3b7}\u{3bc}", "\u{5e1}\u{5d9}\u{5e1}\u{5de}", "\u{643}\u{644}\u{645}\u{629}",
    "\u{6af}\u{630}\u{631}\u{648}", "\u{e23}\u{e2b}\u{e31}\u{e2a}\u{e1c}", "\u{92a}\u{93e}\u{938}\u{935}",
    "\u{fc}ssel", "\u{f6}sen", "\u{1ead}t kh", "\u{1ead}t_kh", "\u{ed}\u{10d}", "\u{17e}odi", "\u{119}pu", "pin=",
    "pin:", "pin\"", "mnis", "chia", "paro", "segr", "kret", "seno", "sifr", "clav", "nosi", "jels", "deor", "chave",
    "kata ", "zapo",
];

/// Words that a name of a password ends in.
#[rustfmt::skip]
const PASSWORDS: &[&str] = &[
    "zugangscode", "zugangsdaten", "zugangskennung", "zugangswort", "l\u{f6}senord", "losenord", "kodeord",
    "jelsz\u{f3}", "jelszo", "parol\u{103}", "\u{15f}ifre", "\u{15e}ifre", "zaporka", "nenosiri", "slapta\u{17e}odis", "m\u{1ead}t kh\u{1ea9}u",
    "m\u{1ead}t_kh\u{1ea9}u", "kata sandi", "kata_sandi", "\u{41f}\u{410}\u{420}\u{41e}\u{41b}\u{42c}", "\u{433}\u{430}\u{441}\u{43b}\u{43e}",
    "\u{413}\u{430}\u{441}\u{43b}\u{43e}", "\u{43b}\u{43e}\u{437}\u{438}\u{43d}\u{43a}\u{430}",
    "\u{30d1}\u{30b9}\u{30d5}\u{30ec}\u{30fc}\u{30ba}", "\u{5408}\u{8a00}\u{8449}", "\u{c554}\u{d638}",
    "\u{3ba}\u{3c9}\u{3b4}\u{3b9}\u{3ba}\u{3cc}\u{3c2}", "\u{3c3}\u{3c5}\u{3bd}\u{3b8}\u{3b7}\u{3bc}\u{3b1}\u{3c4}\u{3b9}\u{3ba}\u{3cc}",
    "\u{5e1}\u{5d9}\u{5e1}\u{5de}\u{5d4}", "\u{5e1}\u{5d9}\u{5e1}\u{5de}\u{5d0}",
    "\u{643}\u{644}\u{645}\u{629} \u{627}\u{644}\u{645}\u{631}\u{648}\u{631}", "\u{643}\u{644}\u{645}\u{629}_\u{627}\u{644}\u{645}\u{631}\u{648}\u{631}",
    "\u{643}\u{644}\u{645}\u{629} \u{627}\u{644}\u{633}\u{631}", "\u{643}\u{644}\u{645}\u{629}_\u{627}\u{644}\u{633}\u{631}",
    "\u{6af}\u{630}\u{631}\u{648}\u{627}\u{698}\u{647}", "\u{e23}\u{e2b}\u{e31}\u{e2a}\u{e1c}\u{e48}\u{e32}\u{e19}",
    "\u{92a}\u{93e}\u{938}\u{935}\u{930}\u{94d}\u{921}",
];
/// Words that end a name of a number that somebody knows by heart.
#[rustfmt::skip]
const PINS: &[&str] = &[
    "\u{43f}\u{438}\u{43d}", "\u{41f}\u{418}\u{41d}", "\u{43f}\u{438}\u{43d}-\u{43a}\u{43e}\u{434}", "\u{41f}\u{418}\u{41d}-\u{43a}\u{43e}\u{434}",
    "\u{41f}\u{438}\u{43d}-\u{43a}\u{43e}\u{434}", "\u{6697}\u{8a3c}\u{756a}\u{53f7}",
];
/// Words that end a name, and mean a secret or something else.
#[rustfmt::skip]
const MAYBE: &[&str] = &[
    "geheimnis", "clave", "parola", "parola chiave", "parola_chiave", "parool", "segreto", "segredo", "sekret", "sifre", "\u{161}ifra",
    "\u{441}\u{435}\u{43a}\u{440}\u{435}\u{442}", "\u{421}\u{435}\u{43a}\u{440}\u{435}\u{442}", "\u{5bc6}\u{94a5}", "\u{5bc6}\u{9470}",
    "\u{79c1}\u{94a5}", "\u{4ee4}\u{724c}", "\u{79d8}\u{5bc6}\u{9375}", "\u{30b7}\u{30fc}\u{30af}\u{30ec}\u{30c3}\u{30c8}",
    "\u{30a2}\u{30af}\u{30bb}\u{30b9}\u{30ad}\u{30fc}", "\u{be44}\u{bc00}\u{d0a4}", "\u{c561}\u{c138}\u{c2a4}\u{d0a4}", "\u{c561}\u{c138}\u{c2a4} \u{d0a4}",
    "\u{c561}\u{c138}\u{c2a4}_\u{d0a4}",
];
/// What a key is called, or a code.
#[rustfmt::skip]
const NOUNS: [&str; 15] = [
    "clave", "cl\u{e9}", "chave", "chiave", "klucz", "kl\u{ed}\u{10d}", "schl\u{fc}ssel", "parola",
    "\u{43a}\u{43b}\u{44e}\u{447}", "\u{41a}\u{43b}\u{44e}\u{447}", "\u{43a}\u{43e}\u{434}",
    "m\u{1ead}t", "kata", "\u{643}\u{644}\u{645}\u{629}", "\u{c561}\u{c138}\u{c2a4}",
];
/// The same, to be asked of a whole name.
const NOUN: WordSet<15> = WordSet::of(NOUNS);
/// What makes a key a secret: parts of the words beside it.
#[rustfmt::skip]
const SECRET: &[&str] = &[
    "secret", "secr\u{e8}t", "segret", "acce", "acc\u{e8}s", "aces", "tajn", "dost\u{119}pu", "dostepu", "geheim", "zugriff",
    "zugang", "gizli", "titkos", "hemlig", "privad", "privat", "priv\u{e9}", "api", "ordine", "prywatn",
    "\u{441}\u{435}\u{43a}\u{440}\u{435}\u{442}", "\u{421}\u{435}\u{43a}\u{440}\u{435}\u{442}", "\u{434}\u{43e}\u{441}\u{442}\u{443}\u{43f}",
];

/// What a name says in other languages.
pub(super) fn verdict(name: &[u8]) -> Verdict {
    let name = &name.to_ascii_lowercase()[..];
    let ends = |list: &[&str]| list.iter().any(|word| name.ends_with(word.as_bytes()));
    if ends(PASSWORDS) {
        return Verdict::Strong(Class::Password);
    }
    if ends(PINS) || name == b"pin" {
        return Verdict::Weak(Weak::Pin);
    }
    let holds = |list: &[&str]| list.iter().any(|word| find(name, word.as_bytes()).is_some());
    if ends(MAYBE) || holds(&NOUNS) && holds(SECRET) { Verdict::Weak(Weak::Chosen) } else { Verdict::No }
}

/// The end of a name whose noun stands first: `clave de acceso`, `klucz tajny`.
#[inline(never)]
pub(super) fn name_end(bytes: &[u8], start: usize, end: usize) -> usize {
    if !NOUN.has(&bytes[start..end]) {
        return end;
    }
    let mut at = end;
    for _ in 0..WORDS_MAX {
        if bytes.get(at) != Some(&b' ') {
            return end;
        }
        let word = bytes[at + 1..].iter().take(WORD_BYTES_MAX);
        let length = word.take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80 || **byte == b'\'').count();
        at += 1 + length;
        let rest = &bytes[at..];
        if length > 0 && matches!(rest.strip_prefix(b" ").unwrap_or(rest).first(), Some(b':' | b'=')) {
            return at;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn secrets_are_known_by_their_names_in_other_languages() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("Zugangscode: hunter", "Zugangscode: ‹pw›"),
                ("Zugriffsschl\u{fc}ssel: Kq93wZorb77", "Zugriffsschl\u{fc}ssel: ‹key›"),
                ("clave_secreta=Kq93wZorb77", "clave_secreta=‹key›"),
                ("usuario=bob clave=Kq93wZorb77", "usuario=bob clave=‹key›"),
                ("clave de acceso: Kq93wZorb77", "clave de acceso: ‹key›"),
                ("cl\u{e9} secr\u{e8}te: Kq93wZorb77", "cl\u{e9} secr\u{e8}te: ‹key›"),
                ("chiave segreta: Kq93wZorb77", "chiave segreta: ‹key›"),
                ("L\u{f6}senord: hunter", "L\u{f6}senord: ‹pw›"),
                (
                    "\u{441}\u{435}\u{43a}\u{440}\u{435}\u{442}\u{43d}\u{44b}\u{439} \u{43a}\u{43b}\u{44e}\u{447}: Kq93wZorb77",
                    "\u{441}\u{435}\u{43a}\u{440}\u{435}\u{442}\u{43d}\u{44b}\u{439} \u{43a}\u{43b}\u{44e}\u{447}: ‹key›",
                ),
                ("\u{5bc6}\u{94a5}\u{ff1a}Kq93wZorb77", "\u{5bc6}\u{94a5}\u{ff1a}‹key›"),
                ("m\u{1ead}t kh\u{1ea9}u: hunter", "m\u{1ead}t kh\u{1ea9}u: ‹pw›"),
                ("user=bob pin=482913 ok", "user=bob pin=‹key› ok"),
                ("{\"pin\": 4829}", "{\"pin\": \"‹key›\"}"),
                same("{\"pin\": 13}"),
                same("pin=13 spin=482913 shipping: 482913 pin: high"),
                same("VmPin:\t       0 kB\nVmPin:\t    4096 kB\n"),
                same("chiave=Kq93wZorb77 clave: valor1\ncl\u{e9}: valeur\nparola: nel mezzo"),
                same("Zugangsart: lesen2\nGeheimnis: keines\n"),
                same("\u{5bc6}\u{94a5}\u{957f}\u{5ea6}: 2048"),
                same("SanDisk model: SDSSDH3500G paroled: 482913"),
            ],
        );
    }
}
