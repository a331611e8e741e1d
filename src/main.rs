//! snapvisor: parse the command line, run the command, print the error chain, exit with its code.

fn main() -> std::process::ExitCode {
    snapvisor::cli::main()
}
