//! What several commands do: read the configuration, log, wait for a signal, show progress.

use std::fmt::Write;
use std::io::{ErrorKind, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Connection;
use crate::settings::{self, Config};

/// The configuration with the flags of a command on top.
pub fn configuration(connection: &Connection) -> anyhow::Result<Config> {
    let mut config = Config::load(connection.config.as_deref())?;
    if let Some(brokers) = &connection.brokers {
        config.kafka.brokers.clone_from(brokers);
    }
    if let Some(prefix) = &connection.prefix {
        config.topics.prefix.clone_from(prefix);
    }
    config.check()?;
    Ok(config)
}

/// Log lines on standard error; `ZONER_LOG` chooses the level (`info`, `zoner=debug` …).
pub fn start_logging(default_level: &str) {
    let filter = EnvFilter::try_from_env("ZONER_LOG").unwrap_or_else(|_| EnvFilter::new(default_level));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // A second call in one process (tests) keeps the first subscriber.
    let _ = subscriber.try_init();
}

/// `30s`, `1h30m`, `1h 30m`, `1.5h`, or plain seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let span = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => text.parse::<SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok()),
    };
    let forms = "30s, 5m, 1.5h, 1h30m, or plain seconds like 90";
    match span {
        None => Err(format!("expected a length of time: {forms}")),
        Some(span) if span.is_zero() => Err(format!("expected a length of time above zero: {forms}")),
        Some(span) => Ok(span),
    }
}

/// As somebody says it who waits: the two largest units, `3 min 20 s`.
pub fn in_words(wait: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    // Rounded up: what is still to come does not take 0 s.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let largest = UNITS.iter().position(|(length, _)| seconds >= *length).unwrap_or(UNITS.len() - 1);
    let mut rest = seconds;
    let mut words = Vec::new();
    for (length, unit) in UNITS.iter().skip(largest).take(2) {
        let count = rest / length;
        rest %= length;
        if count > 0 || words.is_empty() {
            words.push(format!("{count} {unit}"));
        }
    }
    words.join(" ")
}

/// An address to listen on: `127.0.0.1:9464`, `localhost:0`, `[::1]:9464`.
pub fn listen_address(text: &str) -> Result<String, String> {
    if settings::is_listen_address(text) {
        return Ok(text.to_owned());
    }
    Err("expected HOST:PORT like 127.0.0.1:9464 or localhost:0; port 0 takes a free one".to_owned())
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn signalled() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("listening for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

/// Set by Ctrl-C or SIGTERM.
#[derive(Clone)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// From now on Ctrl-C and SIGTERM set a flag, for a command that has something to finish; the second ends the process.
pub fn stop_flag() -> anyhow::Result<StopFlag> {
    let flag = StopFlag(Arc::new(AtomicBool::new(false)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let set = flag.clone();
    let (listens, listening) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime.block_on(async {
            let handlers = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
            let (Ok(mut interrupt), Ok(mut terminate)) = handlers else { return };
            // Whoever waits for it has gone only if the process ends.
            let _ = listens.send(());
            loop {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                if set.0.swap(true, Ordering::AcqRel) {
                    std::process::exit(130);
                }
            }
        });
    });
    listening.recv().context("listening for Ctrl-C")?;
    Ok(flag)
}

/// A bar on a terminal; nothing otherwise.
pub fn progress(total: u64, unit: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total);
    let template = format!("{{bar:32}} {{percent:>3}} %  {{human_pos}}/{{human_len}} {unit}{{left}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.with_key("left", |state: &ProgressState, into: &mut dyn Write| {
            // Writing to the bar's own line does not fail.
            let _ = into.write_str(&time_left(state.per_sec(), state.eta()));
        }));
    }
    bar
}

/// Behind a bar; nothing before anything has moved.
fn time_left(per_second: f64, left: Duration) -> String {
    if per_second > 0.0 && !left.is_zero() { format!("  {} left", in_words(left)) } else { String::new() }
}

/// Who reads our output has gone (`zoner … | head`): that is no failure.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind_of = |cause: &(dyn std::error::Error + 'static)| {
        let written = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        written.or_else(|| cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind))
    };
    error.chain().any(|cause| kind_of(cause) == Some(ErrorKind::BrokenPipe))
}

pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the asynchronous runtime")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_has_gone_is_recognised_behind_whoever_writes() {
        struct Gone;
        impl std::io::Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let as_json = serde_json::to_writer(Gone, "a line").expect_err("nobody reads");
        assert!(is_closed_pipe(&anyhow::Error::new(as_json).context("writing a scenario")));
        assert!(is_closed_pipe(&anyhow::Error::new(std::io::Error::from(ErrorKind::BrokenPipe))));
        assert!(!is_closed_pipe(&anyhow::anyhow!("something else")));
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, seconds) in
            [("30s", 30.0), ("5m", 300.0), ("1h", 3_600.0), ("1h30m", 5_400.0), ("1h 30m", 5_400.0), ("1.5h", 5_400.0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        assert_eq!(duration(" 2.5 "), Ok(Duration::from_millis(2_500)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
    }

    #[test]
    fn what_is_no_length_of_time_is_answered_with_the_forms_that_are() {
        for text in ["", "0", "0s", "soon", "1x", "-5m", "-1", "NaN", "inf", "1e30"] {
            let refused = duration(text).expect_err(text);
            for form in ["30s", "5m", "1.5h", "1h30m", "plain seconds"] {
                assert!(refused.contains(form), "{text}: {refused}");
            }
            assert_eq!(refused.contains("above zero"), text.starts_with('0'), "{text}: {refused}");
        }
    }

    #[test]
    fn a_wait_is_told_in_its_two_largest_units() {
        for (seconds, words) in [
            (0.0, "0 s"),
            (0.2, "1 s"),
            (59.0, "59 s"),
            (59.9, "1 min"),
            (200.0, "3 min 20 s"),
            (3_600.0, "1 h"),
            (7_506.0, "2 h 5 min"),
            (90_000.0, "1 d 1 h"),
        ] {
            assert_eq!(in_words(Duration::from_secs_f64(seconds)), words);
        }
    }

    #[test]
    fn a_bar_tells_no_time_before_there_is_a_rate() {
        assert_eq!(time_left(0.0, Duration::ZERO), "");
        assert_eq!(time_left(0.0, Duration::MAX), "");
        assert_eq!(time_left(3.0, Duration::from_secs(70)), "  1 min 10 s left");
    }

    #[test]
    fn an_address_has_a_host_by_name_or_number_and_a_port() {
        for text in ["localhost:0", "127.0.0.1:9464", "[::1]:9464", "zoner.internal:80"] {
            assert_eq!(listen_address(text).as_deref(), Ok(text));
        }
        for text in ["", "localhost", ":80", "localhost:", "localhost:99999", "localhost:http", "a b:1", "::1:x"] {
            assert!(listen_address(text).is_err(), "{text}");
        }
    }
}
