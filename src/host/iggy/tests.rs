//! Finding Iggy on recorded trees.

use std::path::Path;
use std::sync::Arc;

use super::super::scene::{ContactPeers, IggyRequest, Request};
use super::super::{FileKind, Host, Metadata};
use super::*;
use crate::domain::gap::GapReason;
use crate::domain::time::Timestamp;
use crate::evidence::Evidence;
use crate::evidence::iggy::{Doubt, FoundBy, IggyPlace, Standing};
use crate::evidence::processes::{PROCESSES, Process, Processes};
use crate::evidence::units::{IGGY_UNITS, UnitFile};
use crate::iggy::Layout;

const PID: u32 = 812;

/// A recorded tree with one server, to be changed before it is looked at.
struct Tree {
    directory: tempfile::TempDir,
    metadata: serde_json::Map<String, serde_json::Value>,
    gaps: serde_json::Map<String, serde_json::Value>,
    request: IggyRequest,
    processes: Vec<Process>,
    units: Vec<UnitFile>,
}

impl Tree {
    fn bare() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            metadata: serde_json::Map::new(),
            gaps: serde_json::Map::new(),
            request: IggyRequest::default(),
            processes: Vec::new(),
            units: Vec::new(),
        }
    }

    fn with_server() -> Self {
        let mut tree = Self::bare();
        tree.processes =
            vec![Process { pid: PID, name: "iggy-server".into(), uid: 1000, state: 'S', ..Process::default() }];
        for (link, target) in [
            ("proc/812/exe", "/opt/iggy/iggy-server"),
            ("proc/812/cwd", "/opt/iggy"),
            ("proc/812/root", "/"),
            ("proc/812/ns/mnt", "mnt:[1]"),
            ("proc/self/ns/mnt", "mnt:[1]"),
        ] {
            tree.link(link, target);
        }
        tree.call("iggy-environment-812", r#"{"ok":{"names":[],"root_account":"unstated"}}"#);
        tree.owned("/proc/812/exe", 1000, FileKind::File);
        tree
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        let at = self.directory.path().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        at
    }

    fn link(&self, path: &str, target: &str) {
        let at = self.at(path);
        let _ = std::fs::remove_file(&at);
        std::os::unix::fs::symlink(target, at).unwrap();
    }

    fn call(&self, name: &str, json: &str) {
        std::fs::write(self.at(&format!(".snapvisor/calls/{name}.json")), json).unwrap();
    }

    fn data(&mut self, path: &str, uid: u32, names: &[&str]) {
        for name in names {
            std::fs::create_dir_all(self.at(&format!("{path}/{name}"))).unwrap();
        }
        self.owned(path, uid, FileKind::Directory);
    }

    fn owned(&mut self, path: &str, uid: u32, kind: FileKind) {
        let metadata = Metadata {
            kind,
            mode: 0o750,
            uid,
            gid: uid,
            size_bytes: 0,
            allocated_bytes: 0,
            modified_unix: 0,
            device: 1,
            inode: self.metadata.len() as u64,
        };
        self.metadata.insert(path.to_owned(), serde_json::to_value(metadata).unwrap());
    }

    fn scene(&self) -> Scene {
        let notes = serde_json::json!({ "metadata": self.metadata, "gaps": self.gaps });
        std::fs::write(self.at(".snapvisor/notes.json"), notes.to_string()).unwrap();
        let host = Arc::new(Host::recorded(self.directory.path()).unwrap());
        let request = Request {
            window_ms: 0,
            deadline_s: 60,
            ca_files: Vec::new(),
            iggy: self.request.clone(),
            contact_peers: ContactPeers::Never,
        };
        let mut evidence = Evidence::default();
        evidence.put(PROCESSES, Ok(Processes { processes: self.processes.clone(), ..Processes::default() }));
        evidence.put(IGGY_UNITS, Ok(self.units.clone()));
        let mut scene = Scene { host, request, evidence, now: Timestamp::from_unix(0) };
        let processes = process::processes(&scene);
        scene.evidence.put(IGGY_PROCESSES, processes);
        let server = server(&scene);
        scene.evidence.put(IGGY_PROCESS, server);
        scene
    }

    fn place(&self) -> Observed<IggyPlace> {
        place::place(&self.scene())
    }
}

const V0_8: &[&str] = &["state", "streams", "runtime"];

#[test]
fn a_server_is_found_by_its_process_and_its_working_directory() {
    let mut tree = Tree::with_server();
    tree.data("/opt/iggy/local_data", 1000, V0_8);
    std::fs::write(tree.at("opt/iggy/local_data/runtime/current_config.toml"), "").unwrap();
    let place = tree.place().unwrap();
    assert_eq!(place.found, FoundBy::Process);
    let (data_dir, directory) = place.believed().unwrap();
    assert_eq!((data_dir, directory.layout, directory.owner_uid), ("/opt/iggy/local_data", Layout::V0_8, 1000));
    assert_eq!(place.pid, Some(PID));
    assert_eq!(place.config_file.as_deref(), Some("/opt/iggy/local_data/runtime/current_config.toml"));
}

#[test]
fn its_environment_counts_before_its_configuration_and_that_before_the_default() {
    let mut tree = Tree::with_server();
    tree.data("/a", 0, V0_8);
    tree.data("/b", 0, V0_8);
    std::fs::write(tree.at("etc/iggy.toml"), "[system]\npath = \"/b\"\n").unwrap();
    let config = r#"{"ok":{"names":[],"config_path":"/etc/iggy.toml","root_account":"own"}}"#;
    tree.call("iggy-environment-812", config);
    assert_eq!(tree.place().unwrap().believed().unwrap().0, "/b");
    let both = r#"{"ok":{"names":[],"system_path":"/a","config_path":"/etc/iggy.toml","root_account":"own"}}"#;
    tree.call("iggy-environment-812", both);
    assert_eq!(tree.place().unwrap().believed().unwrap().0, "/a");
}

#[test]
fn a_server_in_a_container_is_seen_through_its_own_root() {
    let mut tree = Tree::with_server();
    tree.link("proc/812/ns/mnt", "mnt:[2]");
    tree.link("proc/812/cwd", "/app");
    let _ = std::fs::remove_file(tree.at("proc/812/root"));
    tree.data("/proc/812/root/app/local_data", 1000, V0_8);
    let place = tree.place().unwrap();
    assert_eq!(place.named.as_deref(), Some("/app/local_data"));
    assert_eq!(place.believed().unwrap().0, "/proc/812/root/app/local_data");
}

#[test]
fn nobody_gets_a_folder_that_neither_they_nor_root_own() {
    let doubt = |change: &dyn Fn(&mut Tree)| {
        let mut tree = Tree::with_server();
        tree.data("/opt/iggy/local_data", 1000, V0_8);
        change(&mut tree);
        let place = tree.place().unwrap();
        assert!(place.believed().is_none() && place.below("state/info").is_err());
        place.standing
    };
    let foreign = |tree: &mut Tree| tree.owned("/opt/iggy/local_data", 1001, FileKind::Directory);
    assert_eq!(doubt(&foreign), Standing::Doubted(Doubt::ForeignDirectory { owner_uid: 1001, uid: 1000 }));
    let program = |tree: &mut Tree| tree.owned("/proc/812/exe", 33, FileKind::File);
    assert_eq!(doubt(&program), Standing::Doubted(Doubt::ForeignExecutable { owner_uid: 33, uid: 1000 }));
    let unknown = |tree: &mut Tree| std::fs::remove_dir(tree.at("opt/iggy/local_data/state")).unwrap();
    assert_eq!(doubt(&unknown), Standing::Doubted(Doubt::UnknownLayout));
    let file = |tree: &mut Tree| tree.owned("/opt/iggy/local_data", 1000, FileKind::File);
    assert_eq!(doubt(&file), Standing::Doubted(Doubt::NotADirectory));
}

#[test]
fn roots_own_server_over_anothers_data_is_believed_and_anothers_program_is_not() {
    let mut tree = Tree::with_server();
    tree.processes[0].uid = 0;
    tree.data("/opt/iggy/local_data", 1001, V0_8);
    let doubt = Doubt::ForeignExecutable { owner_uid: 1000, uid: 0 };
    assert_eq!(tree.place().unwrap().standing, Standing::Doubted(doubt));
    tree.owned("/proc/812/exe", 0, FileKind::File);
    assert!(tree.place().unwrap().believed().is_some());
}

#[test]
fn a_server_whose_file_was_renamed_is_still_one() {
    for (exe, is_one) in [
        ("/opt/iggy/iggy-server", true),
        ("/opt/iggy/iggy-server (deleted)", true),
        ("/opt/iggy/iggy-server.old", true),
        ("/opt/iggy/iggy-server-0.8.0", true),
        ("/opt/iggy/iggy-server2", false),
        ("/usr/bin/python3.11", false),
    ] {
        let tree = Tree::with_server();
        tree.link("proc/812/exe", exe);
        assert_eq!(process::processes(&tree.scene()).unwrap().len(), usize::from(is_one), "{exe}");
    }
}

#[test]
fn what_may_be_hidden_is_not_called_absent() {
    let reason = |tree: &Tree, visibility| {
        let mut scene = tree.scene();
        scene.evidence.put(PROCESSES, Ok(Processes { visibility, ..Processes::default() }));
        let gaps = [place::place(&scene).unwrap_err(), server(&scene).unwrap_err()];
        gaps.map(|gap| gap.reason)
    };
    let mut tree = Tree::bare();
    assert_eq!(reason(&tree, Visibility::All), [GapReason::Absent; 2]);
    assert_eq!(reason(&tree, Visibility::OwnOnly), [GapReason::Denied; 2]);
    tree.owned("/var/lib/iggy", 1000, FileKind::Directory);
    let closed = Gap::denied("/var/lib/iggy may not be read", "CAP_DAC_READ_SEARCH, or run as root");
    tree.gaps.insert("/var/lib/iggy".to_owned(), serde_json::to_value(closed).unwrap());
    assert_eq!(reason(&tree, Visibility::All), [GapReason::Denied, GapReason::Absent], "a folder that is closed to us");
}

#[test]
fn what_root_owns_is_believed_of_any_user() {
    let mut tree = Tree::with_server();
    tree.owned("/proc/812/exe", 0, FileKind::File);
    tree.data("/opt/iggy/local_data", 0, V0_8);
    assert!(tree.place().unwrap().believed().is_some());
}

#[test]
fn what_may_not_be_seen_is_a_gap_and_no_doubt() {
    let tree = Tree::with_server();
    let denied = r#"{"gap":{"reason":"denied","detail":"no","unlock":"CAP_SYS_PTRACE"}}"#;
    tree.call("iggy-environment-812", denied);
    let gap = Gap::denied("no", "CAP_SYS_PTRACE");
    assert_eq!(tree.place().unwrap().standing, Standing::Unseen(gap));
}

#[test]
fn the_operators_word_counts_before_all_else() {
    let mut tree = Tree::with_server();
    tree.data("/opt/iggy/local_data", 1000, V0_8);
    tree.data("/mine", 7, &["anything"]);
    tree.request.data_dir = Some(Path::new("/mine").to_owned());
    let place = tree.place().unwrap();
    assert_eq!((&place.found, place.believed().unwrap().1.layout), (&FoundBy::Configuration, Layout::Unknown));
    tree.request.data_dir = Some(Path::new("/not/there").to_owned());
    assert!(matches!(tree.place().unwrap().standing, Standing::Unseen(_)));
}

#[test]
fn a_server_that_keeps_its_data_elsewhere_is_another_one() {
    let mut tree = Tree::with_server();
    tree.data("/opt/iggy/local_data", 1000, V0_8);
    tree.data("/mine", 1000, V0_8);
    tree.request.data_dir = Some(Path::new("/mine").to_owned());
    assert_eq!(tree.place().unwrap().pid, None);
    let gap = server(&tree.scene()).unwrap_err();
    assert_eq!(
        gap.detail,
        "no process of iggy-server runs on /mine, which is configured; process 812 serves another directory"
    );
    // The same directory by another path: a link, or a container's volume.
    let same = tree.metadata["/opt/iggy/local_data"].clone();
    tree.metadata.insert("/mine".to_owned(), same);
    assert_eq!(tree.place().unwrap().pid, Some(PID));
    // It may not be seen where it keeps its data: it is the likeliest one.
    tree.owned("/mine", 1000, FileKind::Directory);
    assert_eq!(tree.place().unwrap().pid, None);
    tree.call("iggy-environment-812", r#"{"gap":{"reason":"denied","detail":"no","unlock":"CAP_SYS_PTRACE"}}"#);
    assert_eq!(tree.place().unwrap().pid, Some(PID));
}

#[test]
fn without_a_process_its_unit_or_a_well_known_path_is_a_trace() {
    let mut tree = Tree::bare();
    assert_eq!(tree.place().unwrap_err().reason, crate::domain::gap::GapReason::Absent);
    tree.units = vec![UnitFile {
        name: "iggy-server.service".into(),
        program: Some("/usr/bin/iggy-server".into()),
        system_path: Some("/srv/data".into()),
        ..UnitFile::default()
    }];
    let place = tree.place().unwrap();
    assert_eq!(place.found, FoundBy::Unit("iggy-server.service".into()));
    assert!(place.believed().is_none());
    tree.data("/srv/data", 1000, V0_8);
    assert_eq!(tree.place().unwrap().believed().unwrap().0, "/srv/data");
    tree.units.clear();
    tree.data("/var/lib/iggy", 1000, &["metadata", "streams"]);
    let place = tree.place().unwrap();
    assert_eq!((&place.found, place.believed().unwrap().1.layout), (&FoundBy::WellKnownPath, Layout::Edge));
}

#[test]
fn a_process_is_known_by_its_executable_where_that_can_be_seen() {
    let mut tree = Tree::with_server();
    tree.link("proc/812/exe", "/usr/bin/sleep");
    assert_eq!(tree.scene().evidence.read(IGGY_PROCESSES).unwrap().len(), 0, "only its name says iggy-server");
    tree.link("proc/812/exe", "/opt/iggy/iggy-server (deleted)");
    let scene = tree.scene();
    let executable = scene.evidence.read(IGGY_PROCESSES).unwrap()[0].executable.clone().unwrap();
    assert_eq!(
        (executable.path.as_str(), executable.image),
        ("/opt/iggy/iggy-server", crate::evidence::iggy::Image::Replaced)
    );
    tree.processes[0].name = "sleep".into();
    assert_eq!(tree.scene().evidence.read(IGGY_PROCESSES).unwrap().len(), 0);
}
