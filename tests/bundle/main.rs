//! Bundles of real, hostile and huge data directories, opened by every unzip tool at hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod directory;
mod hostile;
mod huge;
mod limits;
mod real;
mod secrets;
mod tools;
