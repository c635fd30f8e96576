//! A Kafka that a test may stop: nobody else's records are on it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::program::run_other;
use crate::common::unique;

/// A broker of a test's own, ended and forgotten with this value.
pub struct OwnKafka {
    directory: String,
    pub address: String,
}

impl OwnKafka {
    pub fn start() -> OwnKafka {
        OwnKafka::start_with(&[])
    }

    /// A broker that its clients reach through another address than its own.
    pub fn behind(advertised: &str) -> OwnKafka {
        OwnKafka::start_with(&["--advertise", advertised])
    }

    fn start_with(options: &[&str]) -> OwnKafka {
        let directory = format!("{}/{}", env!("CARGO_TARGET_TMPDIR"), unique("own-kafka"));
        let mut kafka = OwnKafka { directory, address: String::new() };
        let said = kafka.command("up", options);
        said.lines().last().expect("an address").clone_into(&mut kafka.address);
        kafka
    }

    /// SIGTERM, and its orderly end.
    pub fn stop(&self) {
        self.command("down", &[]);
    }

    /// The same data on the same port.
    pub fn start_again(&self) {
        self.command("up", &[]);
    }

    /// The broker's log, since it was started last.
    pub fn said(&self) -> String {
        std::fs::read_to_string(Path::new(&self.directory).join("kafka.log")).expect("the broker's log")
    }

    fn command(&self, name: &str, options: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("dev/kafka");
        let mut command = Command::new(script);
        command.args([name, "--dir", &self.directory]).args(options).stdin(Stdio::null());
        run_other(&mut command).ok()
    }
}

impl Drop for OwnKafka {
    fn drop(&mut self) {
        // A failed test leaves its broker's log.
        let options: &[&str] = if std::thread::panicking() { &[] } else { &["--wipe"] };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("dev/kafka");
        let _ =
            Command::new(script).args(["down", "--dir", &self.directory]).args(options).stderr(Stdio::null()).status();
    }
}
