//! A running `zoner run`: started, asked, terminated, killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::installation::Installation;
use crate::common::program::{signal, zoner};
use crate::common::wait_for;

/// Joining, and waiting out what a killed member has left.
const READY: Duration = Duration::from_secs(40);

/// A process of the service. It is killed with this value, unless it was ended before.
pub struct Member {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    address: Option<String>,
}

impl Member {
    /// Starts a process without waiting for anything.
    pub fn spawn(installation: &Installation, options: &[&str]) -> Member {
        let mut arguments = installation.arguments(&["run", "--http", "127.0.0.1:0"]);
        arguments.extend(options.iter().map(ToString::to_string));
        let mut child = zoner()
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the zoner binary");
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let shared = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                shared.lock().expect("the log").push(line);
            }
        });
        Member { child, log, reader: Some(reader), address: None }
    }

    /// Starts a process and waits until its states are complete.
    pub fn start(installation: &Installation, options: &[&str]) -> Member {
        let mut member = Member::spawn(installation, options);
        member.wait_until_ready();
        member
    }

    pub fn wait_until_ready(&mut self) {
        let address = wait_for("a member to say where it listens", READY, || {
            self.assert_alive();
            self.find("metrics http://").and_then(|line| {
                let (_, rest) = line.split_once("metrics http://")?;
                Some(rest.split_once("/metrics")?.0.to_owned())
            })
        });
        self.address = Some(address);
        wait_for("a member to be ready", READY, || {
            self.assert_alive();
            (self.get("/health/ready").0 == 200).then_some(())
        });
    }

    fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().expect("a child") {
            panic!("the member ended ({status}):\n{}", self.said());
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn address(&self) -> &str {
        self.address.as_deref().expect("a member that was waited for")
    }

    /// Everything that it has logged.
    pub fn said(&self) -> String {
        self.log.lock().expect("the log").join("\n")
    }

    fn find(&self, text: &str) -> Option<String> {
        self.log.lock().expect("the log").iter().find(|line| line.contains(text)).cloned()
    }

    /// Status and body of an HTTP answer; status 0 where none came.
    pub fn get(&self, path: &str) -> (u16, String) {
        let request =
            ureq::get(format!("http://{}{path}", self.address())).config().http_status_as_error(false).build();
        match request.call() {
            Ok(mut response) => {
                let body = response.body_mut().with_config().limit(u64::MAX).read_to_string().unwrap_or_default();
                (response.status().as_u16(), body)
            }
            Err(_) => (0, String::new()),
        }
    }

    /// The sum over the series of a metric whose labels contain a text.
    pub fn metric(&self, name: &str, label: &str) -> f64 {
        let (status, body) = self.get("/metrics");
        assert_eq!(status, 200);
        let own = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label)
        };
        body.lines().filter(own).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// SIGKILL: no time to say anything.
    pub fn kill(mut self) {
        self.child.kill().expect("a living member");
        self.child.wait().expect("its end");
    }

    /// SIGTERM, and the end that follows.
    pub fn terminate(mut self) -> ExitStatus {
        signal(self.pid(), "TERM");
        self.wait()
    }

    /// Waits for an end that comes by itself, and for the last line before it.
    pub fn wait(&mut self) -> ExitStatus {
        let status = wait_for("a member to end", Duration::from_secs(20), || self.child.try_wait().expect("a child"));
        if let Some(reader) = self.reader.take() {
            reader.join().expect("everything that it has said");
        }
        status
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if thread::panicking() {
            let said = self.said();
            let tail: Vec<&str> = said.lines().rev().take(25).collect();
            eprintln!("-- the last that member {} said:", self.pid());
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
        // Both fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
