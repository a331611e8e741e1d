//! The words of which names of secrets, and names of what only describes them, are made.

use super::super::pseudonym::Class;

/// Kinds of weak names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weak {
    /// A `key` of no known kind: hashes under it are shown.
    Key,
    /// A session, signature or the like: a long hash under it is masked too.
    Session,
    /// `secret_id` of an approle: a UUID under it is masked.
    SecretId,
    /// A code that is used once: a few digits under it are masked, too.
    Code,
    /// A number that somebody knows by heart: four digits under it are masked, too.
    Pin,
    /// A word that means a secret or something else: what looks chosen is masked.
    Chosen,
    /// A user and a password: only the second half of such a pair is masked.
    Pair,
}

impl Weak {
    /// Whether a secret under such a name may be short.
    pub(super) fn is_short(self) -> bool {
        matches!(self, Self::Code | Self::Pin | Self::Chosen)
    }
}

/// Words that name a password wherever they stand inside a word.
#[rustfmt::skip]
pub(super) const PASSWORD_PARTS: &[&str] = &[
    "password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "contrasen", "contrase\u{f1}", "senha",
    "wachtwoord", "motdepasse", "lozinka", "\u{43f}\u{430}\u{440}\u{43e}\u{43b}", "\u{5bc6}\u{7801}",
    "\u{53e3}\u{4ee4}", "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}", "\u{be44}\u{bc00}\u{bc88}\u{d638}",
    "\u{41f}\u{430}\u{440}\u{43e}\u{43b}", "passord", "\u{5bc6}\u{78bc}",
];
/// Words that name a password when they are the first or the last word.
pub(super) const PASSWORD_WORDS: &[&str] =
    &["pass", "pwd", "pw", "psk", "mdp", "heslo", "haslo", "has\u{142}o", "pincode", "passkey", "authtok"];
/// Words ending in `pass` that are none.
#[rustfmt::skip]
pub(super) const NOT_PASS: &[&str] = &[
    "bypass", "compass", "trespass", "encompass", "lowpass", "highpass", "bandpass", "allpass", "multipass",
    "onepass", "proxypass", "overpass", "surpass", "fastcgipass",
];
/// A last word that says the value describes something about the secret, or something else altogether.
#[rustfmt::skip]
pub(super) const LAST_DENIED: &[&str] = &[
    "hasher", "hashers", "project", "subject", "body", "file", "files", "filename", "path", "paths", "dir", "directory", "folder", "name", "names", "id", "ids", "type",
    "types", "kind", "count", "counts", "size", "len", "length", "min", "max", "minimum", "maximum", "expiry",
    "expires", "expired", "expiration", "exp", "ttl", "timeout", "lifetime", "duration", "url", "urls", "uri", "uris",
    "endpoint", "endpoints", "host", "port", "address", "enabled", "disabled", "required", "optional", "policy",
    "policies", "algorithm", "algo", "alg", "version", "versions", "ref", "refs", "reference", "format", "field",
    "fields", "header", "headers", "prefix", "suffix", "user", "username", "users", "mode", "modes", "age", "index",
    "hint", "prompt", "failure", "failures", "failed", "total", "issued", "seconds", "secs", "sec", "millis", "ms",
    "us", "ns", "minutes", "hours", "days", "bytes", "bits", "per", "interval", "retention", "attempts", "tries",
    "retries", "owner", "group", "status", "state", "class", "source", "src", "provider", "providers", "store",
    "manager", "board", "limit", "limits", "location", "alias", "arn", "audience", "issuer", "issuers", "scope",
    "scopes", "selector", "separator", "pattern", "regex", "encryption", "hashes", "usage", "ring", "fingerprint",
    "ciphers", "cipher", "method", "methods", "process", "helper", "command", "cmd", "rotation", "rotated", "created",
    "updated", "at", "on", "date", "time", "timestamp", "changed", "change", "validation", "validator", "valid",
    "invalid", "strength", "complexity", "history", "reset", "authentication", "auth", "login", "logins", "service",
    "services", "support", "supported", "agent", "exchange", "generator", "generation", "cache", "cached", "table",
    "column", "columns", "label", "labels", "description", "title", "text", "msg", "message", "error", "errors",
    "code", "pubkey", "cert", "certs", "certificate", "certificates", "ca", "exists", "missing", "set", "list", "map",
    "tickets", "ticket", "number", "num", "page", "link", "links", "docs", "doc", "curve", "bit", "stdin", "fd",
    "env", "var", "variable", "iterations", "rounds", "cost", "check", "checks", "action", "event", "events", "rule",
    "rules", "config", "conf", "configuration", "request", "requests", "response", "responses", "only", "first",
    "last", "next", "old", "wait", "delay", "rate", "hits", "misses", "ms2", "bucket", "window", "burst", "budget",
    "used", "remaining", "available", "allowed", "quota", "hashing", "changes", "resets", "prompts", "module", "pam",
    "quality", "manager2", "dialog", "input", "form", "screen", "plugin", "transport", "storage", "engine", "backend",
    "driver", "database", "db", "domain", "realm", "region", "zone", "identity",
];
/// Last words of [`LAST_DENIED`] that do not clear a password (`password_old`, `root_password_text`).
pub(super) const LAST_DENIED_NOT_FOR_PASSWORDS: &[&str] =
    &["old", "first", "last", "next", "text", "set", "list", "db", "database", "auth"];
/// Words of [`LAST_DENIED`] that say whose a secret is when they name the child of a table of secrets.
#[rustfmt::skip]
pub(super) const OWNERS: &[&str] = &[
    "agent", "service", "services", "user", "users", "owner", "domain", "database", "db", "backend", "storage",
    "engine", "plugin", "driver", "provider", "realm", "region", "zone", "host", "board", "manager", "store",
    "bucket", "cache", "process", "helper", "exchange", "issuer", "login", "old", "next", "first", "last", "set", "on",
];
/// Further last words that say what the child of a table of secrets is.
#[rustfmt::skip]
pub(super) const CHILDREN_DENIED: &[&str] = &[
    "key", "keys", "integrity", "resolved", "checksum", "digest", "hash", "sha", "md", "image", "tag", "tags", "example",
    "examples", "placeholder", "comment", "icon", "color", "colour", "schema", "package", "revision", "commit", "license",
    "licence", "homepage", "repository", "repo", "template", "added", "removed", "deprecated", "since", "href", "salt",
    "iv", "aud", "iss", "sub", "iat", "nbf", "kid", "uuid", "uid", "gid", "guid", "objectid", "width", "height",
    "content", "challenge", "identifier",
];
/// A first word (of the last part of a dotted name) that says the value is no secret.
#[rustfmt::skip]
pub(super) const FIRST_DENIED: &[&str] = &[
    "public", "pub", "max", "min", "num", "partition", "partitioning", "primary", "foreign", "cache", "sort",
    "routing", "idempotency", "message", "next", "continuation", "page", "keyboard", "author", "no", "skip", "is",
    "has", "use", "allow", "disable", "enable", "require", "requires", "total", "avg", "used", "remaining", "prompt",
    "completion", "input", "output", "reasoning", "unique", "composite", "candidate", "natural", "surrogate",
    "search", "group", "range", "hash", "object", "map", "dict", "row", "column", "index", "lookup", "dedup", "shard",
    "registry", "trusted", "authorized", "known", "host", "supported", "count", "n", "nb",
];
/// Those of [`FIRST_DENIED`] that clear a password as well.
#[rustfmt::skip]
pub(super) const FIRST_DENIED_FOR_PASSWORDS: &[&str] = &[
    "no", "skip", "is", "has", "use", "allow", "disable", "enable", "require", "requires", "min", "max", "num",
    "show", "hide", "forgot", "permit", "count", "supported", "label", "lbl",
];
/// Words before `code` that make it a secret.
#[rustfmt::skip]
pub(super) const CODE_OWNERS: &[&str] = &[
    "unlock", "access", "activation", "pairing", "recovery", "security", "auth", "login", "mfa", "otp", "sms", "invite",
    "secret", "verification", "door", "pin", "alarm", "backup", "pass", "reset", "setup", "enrollment", "redeem", "voucher",
];
/// Where what a name names is used, behind it.
#[rustfmt::skip]
pub(super) const ENVIRONMENTS: &[&str] =
    &["prod", "production", "live", "stage", "staging", "qa", "uat", "dev", "development", "test", "sandbox", "preprod"];
/// Words before `pin` that make it a contact of a chip or a part of a machine.
#[rustfmt::skip]
pub(super) const NOT_PIN_OWNERS: &[&str] = &[
    "gpio", "led", "reset", "cs", "clk", "clock", "sda", "scl", "tx", "rx", "rst", "irq", "int", "data", "dc", "ss",
    "miso", "mosi", "pwm", "enable", "button", "relay", "power", "analog", "digital", "adc", "input", "output", "bcm",
    "board", "switch", "sensor", "servo", "motor", "bl", "echo", "trigger", "version", "package", "cpu", "thread", "vm",
];
/// Words before `key` that make it a secret.
#[rustfmt::skip]
pub(super) const KEY_OWNERS: &[&str] = &[
    "api", "private", "priv", "encryption", "encrypt", "encryptor", "decryption", "signing", "sign", "access",
    "license", "licence", "shared", "master", "secret", "auth", "authentication", "client", "service", "account",
    "storage", "unseal", "hmac", "session", "server", "preshared", "admin", "subscription", "jwt", "jws", "jwe",
    "aes", "deploy", "deployment", "webhook", "recovery", "activation", "crypt", "crypto", "cookie", "csrf", "gossip",
    "cluster", "tsig", "rndc", "wireguard", "wg", "luks", "backup", "vault", "security", "secure", "instrumentation",
    "integration", "ingest", "ingestion", "write", "developer", "bot", "merchant", "root", "app",
    "application", "bearer", "symmetric", "kek", "dek", "wrapping", "sealing", "seal", "pgp", "gpg", "rsa", "ecdsa",
    "ed25519", "wpa", "hotp", "totp", "relay", "wep", "wifi", "wlan", "ike", "ipsec", "vpn", "tunnel", "radius", "tacacs",
    "dkim", "vapid", "enc", "payment", "link", "pairing",
];
/// Words that are a secret key by themselves.
#[rustfmt::skip]
pub(super) const KEY_WORDS: &[&str] = &[
    "apikey", "apikeys", "secretkey", "accesskey", "privatekey", "privkey", "presharedkey", "accountkey",
    "sharedaccesskey", "masterkey", "authkey", "licensekey", "encryptionkey", "signingkey", "storagekey", "clientkey",
    "sessionkey", "appkey", "sharedkey", "secretaccesskey", "webhookkey", "deploykey", "servicekey", "adminkey",
    "rootkey", "mnemonic", "seedphrase",
];
/// Words that are a credential by themselves when they come last.
#[rustfmt::skip]
pub(super) const STRONG_LAST: &[(&str, Class)] = &[
    ("requirepass", Class::Password), ("masterauth", Class::Password), ("rocommunity", Class::Password),
    ("rwcommunity", Class::Password), ("rocommunity6", Class::Password), ("rwcommunity6", Class::Password),
    ("trapcommunity", Class::Password), ("chapsecret", Class::Password), ("rootpw", Class::Password),
    ("bindpw", Class::Password),
];
/// Weak words that come last, and their kind.
#[rustfmt::skip]
pub(super) const WEAK_LAST: &[(&str, Weak)] = &[
    ("session", Weak::Session), ("sid", Weak::Session), ("sessid", Weak::Session), ("sessionid", Weak::Session),
    ("sig", Weak::Session), ("signature", Weak::Session), ("hmac", Weak::Session), ("encrypt", Weak::Session),
    ("auth", Weak::Session), ("seed", Weak::Session), ("otp", Weak::Code), ("totp", Weak::Code),
    ("community", Weak::Session), ("pat", Weak::Session), ("jwt", Weak::Session), ("bearer", Weak::Session),
    ("salt", Weak::Session), ("pepper", Weak::Session), ("license", Weak::Session), ("apitoken", Weak::Session),
    ("cookie", Weak::Session), ("oauth", Weak::Session), ("private", Weak::Session), ("sas", Weak::Session),
    ("dek", Weak::Session), ("kek", Weak::Session), ("assertion", Weak::Session), ("verifier", Weak::Session),
    ("unseal", Weak::Session), ("key", Weak::Key), ("keys", Weak::Key),
];
/// Names that look secret and are not: systemd's and others' references.
#[rustfmt::skip]
pub(super) const NAMES_DENIED: &[&str] = &[
    "loadcredential", "loadcredentialencrypted", "importcredential", "conditioncredential", "gsskey", "sqlsecret", "compass",
    "hotkey", "hotkeys", "keys", "passwordauthentication", "monkey", "turkey", "tokenize", "secretaries", "secretary",
    "accesstokens", "sec-websocket-key", "passwordeval", "passwdeval", "passeval", "passwordcommand", "passwordcmd",
];
