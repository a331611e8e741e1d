//! The table of keys as `docs/configuration.md` shows it.

use std::fmt::Write as _;

use super::keys::{KEYS, Key};
use super::kind::{BYTES_MAX, Kind, size};

const HEAD: &str = "\
# Configuration

Every setting has a default; nothing needs to be configured to begin. Later layers win:

1. the defaults below;
2. a TOML file: the one named by `--config`, else `/etc/snapvisor/snapvisor.toml` if it exists;
3. environment variables: `SNAPVISOR_` and the key's path in capitals, `iggy.data_dir` is `SNAPVISOR_IGGY_DATA_DIR`
   (an empty one unsets what may be unset; lists are separated by commas);
4. flags of the command line.

The tables `[checks.\"ID\"]`, `[redaction]` and `[plans.NAME]` have names that are not in this list, so they stand in the
file alone: no environment variable and no flag sets them.

An unknown key, or a value that is out of range, is an error that names the file, the line and the key: a typo never
passes silently. `snapvisor config show` prints the effective values and where each came from; its output is a
configuration file itself.

Sizes are numbers of bytes, or text with a unit: `\"64 KiB\"`, `\"256 MiB\"`, `\"2 GiB\"`.

```toml
# /etc/snapvisor/snapvisor.toml
listen = \"0.0.0.0:8787\"
public_url = \"https://snapvisor.example.com\"
data_dir = \"/var/lib/snapvisor\"

[iggy]
credential_file = \"/etc/snapvisor/iggy-token\"

[snapshot]
allow_unredacted = false
```
";

const TAIL: &str = "
## `[checks.\"ID\"]`

One table for each check whose thresholds differ from the catalogue's, or that is switched off. `snapvisor checks
explain ID` lists a check's settings, their defaults and ranges. A report shows which thresholds were changed
and which checks are switched off.

```toml
[checks.\"mem.swap\"]
swappiness_pass_max = 60

[checks.\"cpu.clocksource\"]
enabled = false

[checks.\"tls.chain\"]
ca_files = [\"/etc/ssl/own-root.pem\"]
```

## `[redaction]`

Rules of your own, added to the built-in ones, which cannot be switched off.

| key | meaning |
| --- | --- |
| `keys` | names of keys whose values are secret, whatever their case and separators |
| `literals_file` | a file of further secrets, one a line, masked wherever they stand |
| `patterns` | a list of `{ name, regex }`; the whole match is masked, or its group `secret` if it has one |
| `allow_keys` | names of keys whose values are shown although they look secret |
| `allow_values` | values that are never masked |

```toml
[redaction]
keys = [\"pin_code\"]

[[redaction.patterns]]
name = \"ticket\"
regex = \"TICKET-(?P<secret>[0-9]{8})\"
```

## `[plans.NAME]`

A plan of your own beside `basic` (3 snapshots, 7 days), `pro` (5, 14) and `enterprise` (20, 90), which cannot be
redefined. Give it to a tenant with `snapvisor tenant set-plan`.

```toml
[plans.audit]
snapshots_max = 50
retention_days = 365
```
";

/// The text of `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    let mut section = None;
    for key in KEYS {
        if section != Some(key.section()) {
            section = Some(key.section());
            let heading = match key.section() {
                "" => "The top of the file".to_owned(),
                name => format!("`[{name}]`"),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "\n## {heading}\n\n| key | default | legal values | meaning |\n| --- | --- | --- | --- |"
            );
        }
        let _ = writeln!(text, "| `{}` | {} | {} | {} |", key.name(), default(key), legal(key.kind), key.help);
    }
    text.push_str(TAIL);
    text
}

fn default(key: &Key) -> String {
    match (key.default, key.kind) {
        ("", Kind::Networks) => "none".to_owned(),
        ("", _) => "not set".to_owned(),
        (text, _) => format!("`{text}`"),
    }
}

fn legal(kind: Kind) -> String {
    match kind {
        Kind::Address => "IP address and port".to_owned(),
        Kind::Path | Kind::OptionalPath => "path".to_owned(),
        Kind::AbsolutePath => "absolute path".to_owned(),
        Kind::Url => "`http://` or `https://` URL".to_owned(),
        Kind::Networks => "list of addresses or CIDR blocks".to_owned(),
        Kind::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Integer { min, max, .. } => format!("{min} to {max}"),
        Kind::Bytes { min, max } | Kind::OptionalBytes { min, max } if max == BYTES_MAX => {
            if min == 0 {
                "size".to_owned()
            } else {
                format!("size from {}", size(min))
            }
        }
        Kind::Bytes { min, max } | Kind::OptionalBytes { min, max } => format!("{} to {}", size(min), size(max)),
        Kind::Switch => "`true`, `false`".to_owned(),
    }
}
