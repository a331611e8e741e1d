//! System calls that no safe crate wraps. The one room with `unsafe`.
