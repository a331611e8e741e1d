//! The server's log.

use super::{Fault, fails, warns};
use crate::Outcome;
use crate::planting::Planting;
use crate::volume;

pub(super) const FAULTS: &[Fault] = &[
    warns("logs.runtime", "error storm", |planting| {
        planting.names("120");
        let lines: Vec<String> = (0..120)
            .map(|number| format!("ERROR shard-1 server::tcp: connection {number} was reset while a batch was read"))
            .collect();
        write(planting, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    }),
    fails("logs.runtime", "a panic", |planting| {
        planting.names("panicked at");
        write(planting, &["ERROR shard-1 thread 'shard-1' panicked at core/server/src/shard/mod.rs:211:17:"])
    }),
    fails("logs.runtime", "a write found no space", |planting| {
        planting.names("No space left on device");
        write(planting, &["ERROR shard-0 server::streaming: Failed to append: No space left on device (os error 28)"])
    }),
    fails("sec.secrets", "generated root password in the log", |planting| {
        planting.names("the generated root password");
        write(planting, &["WARN shard-0 server::bootstrap: Generated root user password: q8ZtW2hLm4vK9sXe"])
    }),
];

fn write(planting: &mut Planting<'_>, lines: &[&str]) -> Outcome<()> {
    let path = planting.lab.data.join("logs/iggy-server.log");
    // Kept first, so that it comes back as it was.
    planting.write(&path, b"")?;
    volume::log(&planting.lab.data, lines)
}
