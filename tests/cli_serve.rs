//! The real binary as a server: its first start, its end, and the commands that work beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot start the program has failed")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

/// Lines of standard output that a start prints at most.
const GREETING_LINES_MAX: usize = 50;

fn snapvisor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapvisor"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// A running server; it is killed when the test is over, whatever came of it.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start(data_dir: &Path) -> Self {
        let mut child = snapvisor()
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(data_dir.with_extension("log")).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").expect(&line).to_owned();
        Self { child, stdout, address }
    }

    /// Ends it as an operator would, and gives its exit code and the rest of what it printed.
    fn end(mut self) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert!(rest.lines().count() < GREETING_LINES_MAX, "{rest}");
        (self.child.wait().unwrap().code(), rest)
    }

    fn status(&self, path: &str, key: &str) -> u16 {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        agent.get(format!("{}{path}", self.address)).header("ld-api-key", key).call().unwrap().status().as_u16()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `end` both fail, which is right.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    snapvisor().args(arguments).arg("--data-dir").arg(data_dir).output().unwrap()
}

fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(data_dir: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(run(data_dir, &[arguments, &["-o", "json"]].concat()))).unwrap()
}

fn refusal(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn bootstrap(data_dir: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(data_dir.join("bootstrap.json")).unwrap()).unwrap()
}

#[test]
fn the_first_start_leaves_a_key_in_a_file_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let server = Server::start(&data_dir);
    let file = data_dir.join("bootstrap.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&data_dir).unwrap().permissions().mode() & 0o777, 0o700);
    let made = bootstrap(&data_dir);
    let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
    let expected =
        ["api_key", "tenant_id", "division_id", "environment_id", "deployment_id", "node_id", "supervisor_url"];
    assert_eq!(keys, expected);
    assert_eq!(made["supervisor_url"], *server.address);
    let token = made["api_key"].as_str().unwrap().to_owned();
    assert_eq!(server.status("/tenants", &token), 200);
    let (code, printed) = server.end();
    assert_eq!(code, Some(0));
    assert!(printed.contains(file.to_str().unwrap()), "{printed}");
    let log = fs::read_to_string(data_dir.with_extension("log")).unwrap();
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    let database = fs::read(data_dir.join("snapvisor.db")).unwrap();
    for (place, bytes) in [("output", printed.into_bytes()), ("log", log.into_bytes()), ("database", database)] {
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "the {place} holds the key");
    }
    let later = Server::start(&data_dir);
    assert_eq!(later.status("/tenants", &token), 200);
    assert_eq!(later.end(), (Some(0), String::new()));
}

#[test]
fn the_command_that_the_first_start_prints_works_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::start(&directory.path().join("it's a test"));
    let mut line = String::new();
    while !line.contains("curl") {
        line.clear();
        assert_ne!(server.stdout.read_line(&mut line).unwrap(), 0, "no command was printed");
    }
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    let tenants: Value = serde_json::from_str(&stdout(output)).unwrap();
    assert_eq!(tenants[0]["name"], "default");
}

#[test]
fn two_servers_do_not_share_a_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let output = run(directory.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let expected = format!(
        "error: another snapvisor (process {}) already serves {}\n",
        server.child.id(),
        directory.path().display()
    );
    assert_eq!(refusal(output, 3), expected);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let output = run(directory.path(), &["serve", "--listen", &address]);
    let expected = format!("error: cannot listen on {address}: Address already in use (os error 98)\n");
    assert_eq!(refusal(output, 3), expected);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is written before the address is ours");
}

#[test]
fn a_start_that_cannot_be_right_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let everywhere = run(directory.path(), &["serve", "--listen", "0.0.0.0:0"]);
    let said = refusal(everywhere, 2);
    assert!(said.starts_with("error: `listen` is 0.0.0.0:0, which stands for every address"), "{said}");
    let file = directory.path().join("snapvisor.toml");
    fs::write(&file, "[snapshot]\ndeadline = 5\n").unwrap();
    let unknown = run(directory.path(), &["serve", "--config", file.to_str().unwrap()]);
    let expected = format!(
        "error: {}:2: `snapshot.deadline` is not a setting; `snapvisor config show` lists them\n",
        file.display()
    );
    assert_eq!(refusal(unknown, 2), expected);
}

#[test]
fn a_revoked_key_is_refused_at_its_next_request() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let made = json(directory.path(), &["key", "add", "ci", "--allow", "deployment:read", "--days", "1"]);
    let token = made["token"].as_str().unwrap();
    assert_eq!(server.status("/tenants", token), 200);
    let id = made["id"].to_string();
    assert_eq!(stdout(run(directory.path(), &["key", "remove", &id])), format!("removed key {id}\n"));
    assert_eq!(server.status("/tenants", token), 401);
}

#[test]
fn what_is_made_is_listed_and_what_is_full_is_not_removed_silently() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path();
    drop(Server::start(data_dir));
    let id = |arguments: &[&str]| json(data_dir, arguments)["id"].to_string();
    let tenant = id(&["tenant", "add", "acme", "--plan", "basic"]);
    let which = refusal(run(data_dir, &["division", "add", "payments"]), 2);
    assert!(which.starts_with("error: which tenant? Give --tenant ID; there are "), "{which}");
    let division = id(&["division", "add", "payments", "--tenant", &tenant]);
    let environment = id(&["environment", "add", "production", "--division", &division]);
    let deployment = id(&["deployment", "add", "events", "--environment", &environment]);
    let node = id(&["node", "add", "iggy-01", "--kind", "local", "--deployment", &deployment]);
    let role = id(&["role", "add", "operator", "--tenant", &tenant, "--allow", "deployment:manage"]);
    let table = stdout(run(data_dir, &["node", "list", "--deployment", &deployment]));
    let mut lines = table.lines();
    assert_eq!(lines.next().unwrap().split_whitespace().collect::<Vec<_>>(), ["ID", "NAME", "KIND", "DEPLOYMENT"]);
    assert_eq!(lines.next().unwrap().split_whitespace().collect::<Vec<_>>(), [&node, "iggy-01", "local", &deployment]);
    let roles = json(data_dir, &["role", "list", "--tenant", &tenant]);
    let operator = roles.as_array().unwrap().iter().find(|found| found["name"] == "operator").unwrap();
    assert_eq!(operator["permissions"]["environment"], serde_json::json!(["deployment:manage", "deployment:read"]));
    let refused = refusal(run(data_dir, &["deployment", "remove", &deployment]), 4);
    assert_eq!(refused, "error: 1 node would go with it; say --yes to remove all of it\n");
    let removed = stdout(run(data_dir, &["deployment", "remove", &deployment, "--yes"]));
    assert_eq!(removed, format!("removed deployment {deployment}\n"));
    assert_eq!(json(data_dir, &["deployment", "list", "--environment", &environment]), serde_json::json!([]));
    stdout(run(data_dir, &["role", "remove", &role]));
    assert_eq!(refusal(run(data_dir, &["role", "remove", &role]), 4), "error: no such role\n");
    let plan = stdout(run(data_dir, &["tenant", "set-plan", &tenant, "pro"]));
    assert_eq!(plan, format!("tenant {tenant} is on plan pro\n"));
    let unknown = refusal(run(data_dir, &["tenant", "set-plan", &tenant, "gold"]), 4);
    assert_eq!(unknown, "error: no plan is named \"gold\"; there are basic, pro, enterprise\n");
}

#[test]
fn a_directory_without_an_appliance_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let said = refusal(run(directory.path(), &["tenant", "list"]), 2);
    assert!(said.contains("is no data directory of an appliance"), "{said}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_snapshot_goes_the_whole_way_from_trigger_to_file() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let server = Server::start(&data_dir);
    let client = |arguments: &[&str]| {
        let mut command = snapvisor();
        command.arg("snapshot").args(arguments).arg("--api-key-file").arg(data_dir.join("bootstrap.json"));
        stdout(command.output().unwrap())
    };
    let made: Value =
        serde_json::from_str(&client(&["create", "--include-iggy", "false", "--wait", "-o", "json"])).unwrap();
    let rows = made["items"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["name"], rows[0]["status"].as_str()), (&made["name"], Some("completed")));
    let file = directory.path().join("node.zip");
    let printed = client(&["download", "latest", "--output", file.to_str().unwrap()]);
    assert_eq!(printed, format!("{}\n", file.display()));
    let mut zip = zip::ZipArchive::new(fs::File::open(&file).unwrap()).unwrap();
    let report: Value = serde_json::from_reader(zip.by_name("report.json").unwrap()).unwrap();
    assert_eq!(report["snapshot"]["ids"]["node"], bootstrap(&data_dir)["node_id"].to_string());
    let id = rows[0]["id"].to_string();
    assert_eq!(client(&["delete", &id]), format!("deleted {id}\n"));
    assert_eq!(client(&["list", "-o", "json"]), "[]\n");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn our_own_children_are_answered_before_the_command_line_is_parsed() {
    let mut child = snapvisor()
        .args(["__probe-mounts", &std::process::id().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"/\0").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
    let examine = snapvisor().arg("__examine").stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&examine.stderr).into_owned();
    assert!(!said.contains("Usage"), "{said}");
}

#[test]
fn a_directory_that_others_use_is_neither_taken_nor_closed() {
    let directory = tempfile::tempdir().unwrap();
    let iggy = directory.path().join("iggy");
    for name in ["state", "streams", "runtime"] {
        fs::create_dir_all(iggy.join(name)).unwrap();
    }
    let home = directory.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("letter"), "").unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).unwrap();
    for (data_dir, says) in [
        (home.clone(), "holds files and no snapvisor.db: the appliance needs a directory of its own"),
        (iggy.clone(), "is in a data directory of Iggy's"),
        (iggy.join("state/snapvisor"), "is in a data directory of Iggy's"),
    ] {
        let problem = refusal(run(&data_dir, &["serve", "--listen", "127.0.0.1:0"]), 2);
        assert!(problem.contains(says), "{problem}");
    }
    assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
    assert_eq!(fs::read_dir(iggy.join("state")).unwrap().count(), 0);
}

#[test]
fn a_plan_is_set_in_the_form_that_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    Server::start(&data_dir).end();
    let tenant = json(&data_dir, &["tenant", "list"])[0]["id"].to_string();
    let set = json(&data_dir, &["tenant", "set-plan", &tenant, "basic"]);
    assert_eq!((set["id"].to_string(), &set["plan"]), (tenant, &Value::from("basic")));
    for command in ["division", "role", "key"] {
        let problem = refusal(run(&data_dir, &[command, "list", "--tenant", "7"]), 4);
        assert_eq!(problem, "error: no such tenant\n", "{command}");
    }
}

#[test]
fn a_second_signal_ends_at_once_what_waits_for_a_client() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::start(&directory.path().join("data"));
    let address = server.address.strip_prefix("http://").unwrap();
    // A request whose body does not come holds the end up, for longer than this test may take.
    let mut client = std::net::TcpStream::connect(address).unwrap();
    let key = bootstrap(&directory.path().join("data"))["api_key"].as_str().unwrap().to_owned();
    let path = format!("/deployments/{}/snapshots", bootstrap(&directory.path().join("data"))["deployment_id"]);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nld-api-key: {key}\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    );
    client.write_all(head.as_bytes()).unwrap();
    // Its handler waits for the body once it says so.
    let mut first = [0; 12];
    client.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 100");
    let pid = rustix::process::Pid::from_child(&server.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let log = directory.path().join("data.log");
    while !fs::read_to_string(&log).unwrap().contains("a second signal ends at once") {
        assert!(server.child.try_wait().unwrap().is_none(), "it did not wait for the request");
        std::thread::yield_now();
    }
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(3));
}
