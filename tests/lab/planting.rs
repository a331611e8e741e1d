//! Planting a fault: each change with what takes it back.

use std::fmt::Display;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use toml::Table;

use crate::lab::{Lab, Server, Spec};
use crate::ledger::{self, Undo};
use crate::volume;
use crate::{Outcome, run};

type TakeBack = Box<dyn FnOnce(&mut Lab) -> Outcome<()>>;

/// A fault under way.
pub(crate) struct Planting<'a> {
    pub(crate) lab: &'a mut Lab,
    /// What its finding must name.
    pub(crate) names: Vec<String>,
    /// Length of the sampling window, if it needs a longer one.
    pub(crate) window_ms: Option<u64>,
    /// Settings of snapvisor's own that it needs.
    pub(crate) settings: Vec<(&'static str, String)>,
    undo: Vec<TakeBack>,
    server: ServerAfter,
}

/// What becomes of the server when the fault is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServerAfter {
    /// It was left alone, and runs on.
    Kept,
    /// A healthy one takes its place.
    Replaced,
}

impl<'a> Planting<'a> {
    pub(crate) fn new(lab: &'a mut Lab) -> Self {
        Self {
            lab,
            names: Vec::new(),
            window_ms: None,
            settings: Vec::new(),
            undo: Vec::new(),
            server: ServerAfter::Kept,
        }
    }

    /// Takes everything back, the newest change first; the errors of all that failed. A server that was changed ends
    /// before that and a healthy one starts after it, so that it finds everything as it was.
    pub(crate) fn take_back(self) -> Outcome<()> {
        let Self { lab, undo, server, .. } = self;
        if server == ServerAfter::Replaced {
            lab.server.stop();
        }
        let mut failed: Vec<String> =
            undo.into_iter().rev().filter_map(|undo| undo(lab).err()).map(|error| error.to_string()).collect();
        if server == ServerAfter::Replaced {
            let spec = lab.healthy.clone();
            failed.extend(lab.restart(&spec).err().map(|error| error.to_string()));
        }
        if failed.is_empty() { Ok(()) } else { Err(failed.join("; ").into()) }
    }

    /// The finding must name this.
    pub(crate) fn names(&mut self, text: impl Display) {
        self.names.push(text.to_string());
    }

    pub(crate) fn later(&mut self, undo: impl FnOnce(&mut Lab) -> Outcome<()> + 'static) {
        self.undo.push(Box::new(undo));
    }

    /// Runs a command line, and another to take it back.
    pub(crate) fn run(&mut self, line: &str, undo: &str) -> Outcome<()> {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let done = |words: &[String]| run(&words[0], &words[1..].iter().map(String::as_str).collect::<Vec<_>>());
        done(&words(line))?;
        let undo = words(undo);
        self.later(move |_| done(&undo));
        Ok(())
    }

    /// Gives a file other content; its owner, its mode and the time of its last change come back with the old one.
    pub(crate) fn write(&mut self, path: &Path, content: &[u8]) -> Outcome<()> {
        self.keep(path)?;
        fs::write(path, content)?;
        Ok(())
    }

    /// Removes a file, to be brought back.
    pub(crate) fn remove(&mut self, path: &Path) -> Outcome<()> {
        self.keep(path)?;
        Ok(fs::remove_file(path)?)
    }

    /// Brings a file back to what it is now.
    fn keep(&mut self, path: &Path) -> Outcome<()> {
        let kept = path.to_owned();
        if !path.exists() {
            self.later(move |_| Ok(fs::remove_file(kept)?));
            return Ok(());
        }
        let (content, metadata) = (fs::read(path)?, fs::metadata(path)?);
        self.later(move |_| {
            fs::write(&kept, content)?;
            chown(&kept, Some(metadata.uid()), Some(metadata.gid()))?;
            fs::set_permissions(&kept, metadata.permissions())?;
            Ok(fs::File::options().write(true).open(&kept)?.set_modified(metadata.modified()?)?)
        });
        Ok(())
    }

    pub(crate) fn mode(&mut self, path: &Path, mode: u32) -> Outcome<()> {
        let (kept, old) = (path.to_owned(), fs::metadata(path)?.permissions());
        fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
        self.later(move |_| Ok(fs::set_permissions(kept, old)?));
        Ok(())
    }

    pub(crate) fn owner(&mut self, path: &Path, uid: u32) -> Outcome<()> {
        let (kept, old) = (path.to_owned(), fs::metadata(path)?.uid());
        chown(path, Some(uid), None)?;
        self.later(move |_| Ok(chown(kept, Some(old), None)?));
        Ok(())
    }

    /// Sets a value of the kernel's that holds for the whole machine.
    pub(crate) fn kernel(&mut self, path: &str, value: &str) -> Outcome<()> {
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        // Of several words the one in brackets is set.
        let old = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or(&*text, |(chosen, _)| chosen);
        let old = old.trim().to_owned();
        ledger::note(&Undo::Write { path: path.to_owned(), value: old.clone() })?;
        fs::write(path, value).map_err(|error| format!("{path} = {value}: {error}"))?;
        let path = path.to_owned();
        self.later(move |_| Ok(fs::write(path, old)?));
        Ok(())
    }

    /// Changes what the server says of its configuration, without its knowledge.
    pub(crate) fn config(&mut self, change: impl FnOnce(&mut Table)) -> Outcome<()> {
        let path = volume::config_path(&self.lab.data);
        let mut config: Table = fs::read_to_string(&path)?.parse()?;
        change(&mut config);
        self.write(&path, toml::to_string(&config)?.as_bytes())
    }

    /// Starts the server anew, in another way if `change` says so.
    pub(crate) fn restart(&mut self, change: impl FnOnce(&mut Spec)) -> Outcome<()> {
        let mut spec = self.lab.healthy.clone();
        change(&mut spec);
        self.heal_server();
        self.lab.restart(&spec)
    }

    /// Gives the server a command; it is replaced by a healthy one afterwards.
    pub(crate) fn tell(&mut self, command: &str) -> Outcome<()> {
        self.heal_server();
        self.lab.server.tell(command)
    }

    /// The server is replaced by a healthy one afterwards.
    pub(crate) fn heal_server(&mut self) {
        self.server = ServerAfter::Replaced;
    }

    /// A process besides the server, ended afterwards.
    pub(crate) fn beside(&mut self, mut server: Server) {
        self.later(move |_| {
            server.stop();
            Ok(())
        });
    }

    pub(crate) fn pid(&self) -> u32 {
        self.lab.server.pid()
    }

    /// A path on the disk with Iggy's data.
    pub(crate) fn on_disk(&self, name: &str) -> PathBuf {
        self.lab.disk.join(name)
    }

    /// A new folder below the lab's own, for a mount.
    pub(crate) fn mount_point(&mut self, name: &str) -> Outcome<PathBuf> {
        let path = self.lab.folder.join(name);
        fs::create_dir(&path)?;
        let kept = path.clone();
        self.later(move |_| Ok(fs::remove_dir(kept)?));
        Ok(path)
    }
}
