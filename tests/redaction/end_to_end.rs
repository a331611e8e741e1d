//! The whole program on planted secrets, searched by a script that shares nothing with the engine.

use std::process::Command;

#[test]
fn no_secret_of_a_host_is_left_in_an_archive_or_a_masked_file() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/redaction/end_to_end.py");
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/iggy-0.8.0-clean");
    let output = Command::new("python3").args([script, env!("CARGO_BIN_EXE_snapvisor"), data]).output();
    let output = output.expect("python3 is there");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    println!("{told}");
}
