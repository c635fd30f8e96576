//! Running `zoner` and reading what it says.

use std::ffi::OsStr;
use std::process::{Command, Output};

/// The program under test, without anything that the environment might say to it.
pub fn zoner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zoner"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZONER_") {
            command.env_remove(name);
        }
    }
    command
}

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    fn of(output: Output) -> Said {
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output of a command that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "standard error: {}", self.err);
        self.out
    }

    /// Standard error of a command that must have ended with this code.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "standard output: {}\nstandard error: {}", self.out, self.err);
        self.err
    }
}

/// Runs `zoner` with arguments to its end.
pub fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Said {
    Said::of(zoner().args(arguments).output().expect("the zoner binary"))
}

/// Runs any command to its end.
pub fn run_other(command: &mut Command) -> Said {
    Said::of(command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// Sends a signal to a process that this test started.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().expect("kill");
    assert!(status.success(), "process {pid} is gone");
}
