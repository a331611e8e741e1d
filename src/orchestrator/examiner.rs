//! Who looks at a node. The real one starts a child process; tests have their own.

use std::future::Future;
use std::pin::Pin;
use std::thread;

use tokio::sync::{oneshot, watch};

use super::hub::{ProgressSender, Stop};
use crate::domain::causes::chain;
use crate::domain::progress::Progress;
use crate::examine::child::{self, Cancel};
use crate::examine::{self, Job, Summary};

/// The answer of an examination: what it found, or a sentence that says why there is no archive; redacted text.
pub type Examination = Pin<Box<dyn Future<Output = Result<Summary, String>> + Send>>;

/// Looks at a node.
pub trait Examiner: std::fmt::Debug + Send + Sync + 'static {
    /// Writes the archive of `job` at `job.archive`. It should end soon once `stop` says so; if it does not, or is not
    /// over at its deadline, nobody waits for it any longer, and what it writes then is thrown away.
    fn examine(&self, job: Job, progress: ProgressSender, stop: watch::Receiver<Stop>) -> Examination;

    /// Writes at `job.archive` an archive that says why there is no other. Blocks.
    ///
    /// # Errors
    /// Not even that can be written; a sentence says why.
    fn write_minimal(&self, job: &Job, reason: &str) -> Result<Summary, String>;
}

/// Examines this host in a child process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChildExaminer;

impl Examiner for ChildExaminer {
    fn examine(&self, job: Job, progress: ProgressSender, mut stop: watch::Receiver<Stop>) -> Examination {
        Box::pin(async move {
            let cancel = Cancel::default();
            let (answer, mut answered) = oneshot::channel();
            let asked = cancel.clone();
            // A thread of its own: it waits for minutes, and the runtime's blocking threads are for short work.
            let work = move || {
                let mut tell = |now: Progress| progress.tell(now);
                let _ = answer.send(child::run(&job, &asked, &mut tell));
            };
            thread::Builder::new()
                .name("examine".into())
                .spawn(work)
                .map_err(|error| format!("no thread could be started to examine this node: {error}"))?;
            // Dropped at its deadline, this future still ends the child.
            let _end = CancelOnDrop(cancel.clone());
            loop {
                tokio::select! {
                    result = &mut answered => {
                        let result = result.map_err(|_| "the thread that examined this node ended".to_owned())?;
                        return result.map_err(|error| chain(&error));
                    }
                    changed = stop.changed() => {
                        if changed.is_err() || *stop.borrow() != Stop::No {
                            cancel.cancel();
                            let result = answered.await.map_err(|_| "it was cancelled".to_owned())?;
                            return result.map_err(|error| chain(&error));
                        }
                    }
                }
            }
        })
    }

    fn write_minimal(&self, job: &Job, reason: &str) -> Result<Summary, String> {
        examine::write_minimal(&job.label, job.options, reason, &job.archive).map_err(|error| chain(&error))
    }
}

struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
