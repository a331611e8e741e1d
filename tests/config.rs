//! The four layers of the configuration, and what is refused with its place.

#![expect(clippy::unwrap_used, reason = "a test that cannot write its file has failed")]

use std::fs;
use std::path::PathBuf;

use snapvisor::config::{Config, Flag, Loaded, Origin, Sources, load};

/// A file with this text and what stands above it.
struct Layers {
    _directory: tempfile::TempDir,
    sources: Sources,
}

impl Layers {
    fn of_file(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("snapvisor.toml");
        fs::write(&file, text).unwrap();
        Self { sources: Sources { file: Some(file), ..Sources::default() }, _directory: directory }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flag(mut self, name: &'static str, key: &'static str, value: &str) -> Self {
        self.sources.flags.push(Flag { name, key, value: value.to_owned() });
        self
    }

    fn load(&self) -> Loaded {
        load(&self.sources).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The error without the directory, which is another each time.
    fn refusal(&self) -> String {
        let error = load(&self.sources).expect_err("it should have been refused").to_string();
        let directory = self.sources.file.as_ref().unwrap().parent().unwrap().display().to_string();
        error.replace(&format!("{directory}/"), "")
    }
}

fn origin(loaded: &Loaded, path: &str) -> String {
    let setting = loaded.settings.iter().find(|setting| setting.path == path).unwrap();
    let text = setting.origin.to_string();
    text.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.settings.iter().all(|setting| setting.origin == Origin::Default));
}

#[test]
fn the_later_layer_wins_and_each_value_knows_its_layer() {
    let layers = Layers::of_file(
        "data_dir = \"/file\"\nlisten = \"127.0.0.1:1\"\n[snapshot]\ndeadline_s = 100\nsampling_ms = 200\n",
    )
    .variable("SNAPVISOR_LISTEN", "127.0.0.1:2")
    .variable("SNAPVISOR_SNAPSHOT_DEADLINE_S", "300")
    .variable("HOME", "/root")
    .flag("--listen", "listen", "127.0.0.1:3");
    let loaded = layers.load();
    assert_eq!(loaded.config.listen.port(), 3);
    assert_eq!(loaded.config.data_dir, PathBuf::from("/file"));
    assert_eq!(loaded.config.snapshot.deadline_s, 300);
    assert_eq!(loaded.config.snapshot.sampling_ms, 200);
    for (path, from) in [
        ("listen", "--listen"),
        ("data_dir", "snapvisor.toml:1"),
        ("snapshot.deadline_s", "SNAPVISOR_SNAPSHOT_DEADLINE_S"),
        ("snapshot.sampling_ms", "snapvisor.toml:5"),
        ("archive.max_bytes", "default"),
    ] {
        assert_eq!(origin(&loaded, path), from, "{path}");
    }
}

#[test]
fn every_section_can_be_set_in_a_file() {
    let layers = Layers::of_file(
        r#"
listen = "0.0.0.0:9000"
public_url = "https://snap.example.com/"
trusted_proxies = ["10.0.0.0/8", "192.0.2.7"]
log_format = "json"
log_file = "/var/log/snapvisor.log"
iggy = { data_dir = "/srv/iggy", http_url = "http://127.0.0.1:3000" }
snapshot.memory_max_bytes = "128 MiB"
archive.reserve_bytes = 0
[bundle]
payloads = "none"
[limits]
requests_per_minute = 0
body_bytes = 2048
[checks."mem.swap"]
swappiness_pass_max = 60
[redaction]
keys = ["vault-word"]
[[redaction.patterns]]
name = "ticket"
regex = "T-[0-9]{8}"
[plans.archive-forever]
snapshots_max = 100
retention_days = 3650
"#,
    );
    let loaded = layers.load();
    let config = &loaded.config;
    assert_eq!(config.public_url.as_ref().unwrap().as_str(), "https://snap.example.com");
    assert_eq!(
        config.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["10.0.0.0/8", "192.0.2.7/32"]
    );
    assert_eq!(config.iggy.data_dir, Some(PathBuf::from("/srv/iggy")));
    assert_eq!(config.snapshot.memory_max_bytes, 128 << 20);
    assert_eq!(config.archive.reserve(1 << 40), 0);
    assert_eq!(config.checks.value("mem.swap", "swappiness_pass_max"), Some(60.0));
    assert_eq!(config.redaction.keys, ["vault-word"]);
    assert_eq!(config.redaction.patterns[0].name, "ticket");
    assert_eq!(config.plan("archive-forever").unwrap().retention_days, 3650);
    assert_eq!(config.all_plans().len(), 4);
    assert_eq!(origin(&loaded, "checks.\"mem.swap\".swappiness_pass_max"), "snapvisor.toml:16");
}

#[test]
fn what_is_refused_is_named_with_file_line_and_key() {
    for (text, message) in [
        ("lisen = 1", "snapvisor.toml:1: `lisen` is not a setting; `snapvisor config show` lists them"),
        (
            "\n\n[iggy]\ndata-dir = \"/a\"",
            "snapvisor.toml:4: `iggy.data-dir` is not a setting; `snapvisor config show` lists them",
        ),
        ("iggy.data_dir = \"srv\"", "snapvisor.toml:1: `iggy.data_dir` must be an absolute path"),
        (
            "[snapshot]\ndeadline_s = 571",
            "snapvisor.toml:2: `snapshot.deadline_s` must be a whole number of seconds from 1 to 570",
        ),
        (
            "[archive]\nlink_ttl_s = 3601",
            "snapvisor.toml:2: `archive.link_ttl_s` must be a whole number of seconds from 1 to 3600",
        ),
        (
            "[archive]\nlink_ttl_s = 0",
            "snapvisor.toml:2: `archive.link_ttl_s` must be a whole number of seconds from 1 to 3600",
        ),
        (
            "[snapshot]\nallow_unredacted = \"no\"",
            "snapvisor.toml:2: `snapshot.allow_unredacted` must be true or false",
        ),
        ("[bundle]\npayloads = \"some\"", "snapvisor.toml:2: `bundle.payloads` must be one of all, none"),
        ("snapshot = 5", "snapvisor.toml:1: `snapshot` must be a table"),
        ("[snapshot]\ndeadline_s = 1\n", "default: `snapshot.sampling_ms` must be shorter than `snapshot.deadline_s`"),
        (
            "[checks.\"disk.nothing\"]",
            "snapvisor.toml:1: `checks.\"disk.nothing\"` is refused: there is no check `disk.nothing`; `snapvisor checks` lists them",
        ),
        (
            "[checks.\"mem.swap\"]\nenabled = true\nswappiness_pass_max = 500",
            "snapvisor.toml:3: `checks.\"mem.swap\".swappiness_pass_max` is refused: check `mem.swap`: `swappiness_pass_max` must be a number from 0 to 200",
        ),
        (
            "[checks.\"mem.swap\"]\nenabled = \"no\"",
            "snapvisor.toml:2: `checks.\"mem.swap\".enabled` must be a number, a list of files, or true or false for `enabled`",
        ),
        ("checks.x = 1", "snapvisor.toml:1: `checks.x` must be a table"),
        (
            "[plans.pro]\nsnapshots_max = 1\nretention_days = 1",
            "snapvisor.toml:1: `plans.pro` is a built-in plan; choose another name for a plan of your own",
        ),
        ("[plans.own]\nsnapshots_max = 1", "snapvisor.toml:1: `plans.own` has no `retention_days`"),
        (
            "[plans.own]\nsnapshots_max = 0\nretention_days = 1",
            "snapvisor.toml:2: `plans.own.snapshots_max` must be a whole number of snapshots from 1 to 10000",
        ),
        (
            "[plans.own]\nsnapshots_max = 1\nretention_days = 1\nx = 1",
            "snapvisor.toml:4: `plans.own.x` is not a setting of a plan; it has snapshots_max, retention_days",
        ),
        ("[plans.\"a b\"]", "snapvisor.toml:1: `plans.\"a b\"` must be named with letters, digits, `-` and `_`"),
        (
            "[redaction]\nkeyz = []",
            "snapvisor.toml:2: `redaction.keyz` is refused: unknown field `keyz`, expected one of `keys`, `literals_file`, `patterns`, `allow_keys`, `allow_values`",
        ),
        (
            "[redaction]\nkeys = [\"--\"]",
            "snapvisor.toml:2: `redaction.keys` is refused: an entry holds no letter or digit",
        ),
        (
            "[redaction]\n[[redaction.patterns]]\nname = \"t\"\nregex = \"(\"",
            "snapvisor.toml:2: `redaction.patterns` is refused: the pattern `t` is not valid: unclosed group",
        ),
        (
            "[checks.mem.swap]\nenabled = false",
            "snapvisor.toml:1: `checks.mem` is refused: there is no check `mem`; `snapvisor checks` lists them; an id stands in quotes: [checks.\"mem.swap\"]",
        ),
        (
            "[snapshot]\nmemory_max_bytes = \"1 GB\"",
            "snapvisor.toml:2: `snapshot.memory_max_bytes` must be a size from 64 MiB to 64 GiB: a number of bytes, or a text such as \"64 MiB\"",
        ),
        (
            "[archive]\nmax_bytes = -1",
            "snapvisor.toml:2: `archive.max_bytes` must be a size: a number of bytes, or a text such as \"64 MiB\"",
        ),
        ("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"", "snapvisor.toml:2: `listen`: duplicate key"),
        ("a = [", "snapvisor.toml:1: `a`: unclosed array, expected `]`"),
    ] {
        assert_eq!(Layers::of_file(text).refusal(), message, "{text}");
    }
}

#[test]
fn a_bad_variable_or_flag_is_named() {
    let bad = Layers::of_file("").variable("SNAPVISOR_SNAPSHOT_DEADLINE_S", "soon");
    assert_eq!(
        bad.refusal(),
        "SNAPVISOR_SNAPSHOT_DEADLINE_S: `snapshot.deadline_s` must be a whole number of seconds from 1 to 570"
    );
    let unknown = Layers::of_file("").variable("SNAPVISOR_IGGY_DATADIR", "/srv");
    assert_eq!(
        unknown.refusal(),
        "environment: `SNAPVISOR_IGGY_DATADIR` is not a setting; `snapvisor config show` lists them"
    );
    let table = Layers::of_file("").variable("SNAPVISOR_CHECKS_MEM_SWAP_ENABLED", "false");
    assert_eq!(
        table.refusal(),
        "environment: `SNAPVISOR_CHECKS_MEM_SWAP_ENABLED` is not a setting: [checks] stands in the configuration file alone"
    );
    let flag = Layers::of_file("").flag("--listen", "listen", "nowhere");
    assert_eq!(
        flag.refusal(),
        "--listen: `listen` must be an IP address and a port, such as 127.0.0.1:8787 or [::1]:8787"
    );
    let kubernetes = Layers::of_file("")
        .variable("SNAPVISOR_SERVICE_HOST", "10.0.0.1")
        .variable("SNAPVISOR_PORT", "tcp://10.0.0.1:80");
    kubernetes.load();
}

#[test]
fn an_empty_variable_unsets_what_the_file_set() {
    let layers = Layers::of_file("log_file = \"/var/log/a.log\"").variable("SNAPVISOR_LOG_FILE", "");
    assert_eq!(layers.load().config.log_file, None);
}

#[test]
fn listening_on_every_address_needs_a_public_url_to_serve() {
    for listen in ["0.0.0.0:8787", "[::]:8787"] {
        let without = Layers::of_file("").flag("--listen", "listen", listen);
        let error = without.load().for_serving().expect_err("links would lead nowhere").to_string();
        assert!(error.contains("`public_url` is not set"), "{error}");
        let with = without.flag("--public-url", "public_url", "https://snap.example.com");
        with.load().for_serving().unwrap();
    }
    Layers::of_file("").flag("--listen", "listen", "192.0.2.1:80").load().for_serving().unwrap();
}

#[test]
fn a_file_that_is_not_utf8_names_the_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("snapvisor.toml");
    fs::write(&file, b"# a\n# b\xff\n").unwrap();
    let error = load(&Sources { file: Some(file.clone()), ..Sources::default() }).unwrap_err().to_string();
    assert_eq!(error, format!("{}:2: this is not UTF-8", file.display()));
}

#[test]
fn a_named_file_must_exist_and_the_system_file_need_not() {
    let missing = PathBuf::from("/nonexistent/snapvisor.toml");
    let named = Sources { file: Some(missing.clone()), ..Sources::default() };
    assert_eq!(
        load(&named).unwrap_err().to_string(),
        "the configuration file /nonexistent/snapvisor.toml cannot be read"
    );
    let system = Sources { system_file: Some(missing), ..Sources::default() };
    assert_eq!(load(&system).unwrap().file, None);
}
