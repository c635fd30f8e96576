//! The `zoner` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    zoner::cli::main()
}
