//! What the black-box tests share: the program, records as producers send them, waiting for a condition.

// Every test program uses a part of it.
#![allow(dead_code)]

pub mod families;
pub mod program;
pub mod records;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Asks again and again until there is an answer. The limit is for what never comes, not for what takes its time.
pub fn wait_for<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited {} s in vain for {what}", limit.as_secs());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Tells this use from every other, in this run and in any.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    format!("{name}-{}-{:x}-{}", std::process::id(), now.as_millis(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A directory of its own for a test, removed with this value.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new(name: &str) -> Directory {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique(name));
        std::fs::create_dir_all(&path).expect("a directory under target/tmp");
        Directory(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, content).expect("a file that can be written");
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What a failed test leaves is worth keeping.
        if !thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
