//! The threads that own the connections. A question is a closure sent to one of them; what becomes of its value is
//! another closure, which puts it into a channel that an async task or a blocking thread waits on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::{Reader, StoreError, Writer};

/// Connections that read: more than two gained nothing on two cores, and readers never wait for the writer.
pub(super) const READERS: usize = 2;
/// Questions that may wait for a thread; the next one is told that the database is busy.
const QUESTIONS_WAITING_MAX: usize = 4096;

type Question<C> = Box<dyn FnOnce(&C) + Send>;

#[derive(Debug)]
pub(super) struct Threads {
    /// `None` once they are told to end.
    queues: Option<Queues>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Queues {
    writer: SyncSender<Question<Writer>>,
    readers: SyncSender<Question<Reader>>,
}

impl Threads {
    pub(super) fn start(writer: Writer, readers: Vec<Reader>) -> Result<Self, StoreError> {
        let (to_writer, questions) = sync_channel(QUESTIONS_WAITING_MAX);
        let mut threads = vec![spawn("store-writer", writer, Arc::new(Mutex::new(questions)))?];
        let (to_readers, questions) = sync_channel(QUESTIONS_WAITING_MAX);
        let questions = Arc::new(Mutex::new(questions));
        for reader in readers {
            threads.push(spawn("store-reader", reader, Arc::clone(&questions))?);
        }
        Ok(Self { queues: Some(Queues { writer: to_writer, readers: to_readers }), threads })
    }

    /// Sends a question to the thread that writes. Its value goes to `answer`, on that thread.
    pub(super) fn ask_writer<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Writer) -> T + Send + 'static,
        answer: impl FnOnce(T) + Send + 'static,
    ) -> Result<(), StoreError> {
        ask(self.queues.as_ref().map(|queues| &queues.writer), question, answer)
    }

    /// Sends a question to the threads that read.
    pub(super) fn ask_reader<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> T + Send + 'static,
        answer: impl FnOnce(T) + Send + 'static,
    ) -> Result<(), StoreError> {
        ask(self.queues.as_ref().map(|queues| &queues.readers), question, answer)
    }
}

fn ask<C: 'static, T: Send + 'static>(
    queue: Option<&SyncSender<Question<C>>>,
    question: impl FnOnce(&C) -> T + Send + 'static,
    answer: impl FnOnce(T) + Send + 'static,
) -> Result<(), StoreError> {
    let question: Question<C> = Box::new(move |connection| answer(question(connection)));
    match queue.ok_or(StoreError::Stopped)?.try_send(question) {
        Ok(()) => Ok(()),
        Err(TrySendError::Full(_)) => Err(StoreError::Busy),
        Err(TrySendError::Disconnected(_)) => Err(StoreError::Stopped),
    }
}

fn spawn<C: Send + 'static>(
    name: &str,
    connection: C,
    questions: Arc<Mutex<Receiver<Question<C>>>>,
) -> Result<JoinHandle<()>, StoreError> {
    let answer_all = move || {
        loop {
            // The lock is held while waiting, so one idle thread waits for a question and the rest for the lock.
            let next = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(question) = next else { return };
            // A panic drops the answer's channel and rolls the transaction back; the thread lives on.
            let _ = catch_unwind(AssertUnwindSafe(|| question(&connection)));
        }
    };
    thread::Builder::new().name(name.to_owned()).spawn(answer_all).map_err(StoreError::Thread)
}

impl Drop for Threads {
    /// Lets what was asked happen, then closes the connections, the last of which folds the journal into the database.
    fn drop(&mut self) {
        self.queues = None;
        for thread in self.threads.drain(..) {
            // The last clone may die on one of these threads, inside a question.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}
