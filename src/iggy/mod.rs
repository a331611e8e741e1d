//! What Iggy's files and answers mean: the layout of a data directory by release, segments, indexes, offsets, state,
//! configuration and HTTP answers.
//!
//! Pure: bytes and names go in, values come out; nothing here opens a file. Decoders take the bytes piece by piece and
//! say where and why they stop. Invariants: a layout that is not known is said to be unknown and never judged by the
//! rules of another; no type in here keeps a secret of the server's in clear, but the one that a login answers with.

pub mod answers;
pub mod audit;
pub mod config;
pub mod connectors;
pub mod edge_audit;
mod index;
mod layout;
pub mod log_line;
pub mod metrics;
mod offset;
pub mod quantity;
pub mod release;
mod segment;
mod state;

pub use index::{EDGE_ENTRY_BYTES, ENTRY_BYTES, EdgeIndexEntry, IndexDecoder, IndexEntry};
pub use layout::{Layout, LogFile, Packing, Partition, Role, Rotation};
pub use offset::{ConsumerOffset, OffsetError};
pub use segment::{
    Checksums, Corruption, CorruptionKind, HEADER_BYTES, MESSAGE_BYTES_MAX, Message, MessageHeader, SegmentDecoder,
    Tail,
};
pub use state::{StateError, StateInfo};
