//! What several modules' tests need.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The content of a file of the shared fixtures, or `None` with a visible note where they are absent.
pub(crate) fn shared(path: &str) -> Option<Vec<u8>> {
    let base = std::env::var_os("WINREFIT_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let content = std::fs::read(base.join(path)).ok();
    if content.is_none() {
        eprintln!("SKIPPED: the fixture {path} is not here");
    }
    content
}

/// Runs an outside tool. `None` with a visible note where it is missing, unless `WINREFIT_REQUIRE_ORACLES` is `1`.
pub(crate) fn run(tool: &str, args: &[&str], input: &str) -> Option<Output> {
    use std::io::Write;
    let mut command = Command::new(tool);
    let spawned = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        let required = std::env::var_os("WINREFIT_REQUIRE_ORACLES").is_some_and(|value| value == "1");
        assert!(!required, "{tool} is required and not installed");
        eprintln!("SKIPPED: {tool} is not installed");
        return None;
    };
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    // A tool that ends early leaves its input unread; what it says is what counts.
    if let Err(error) = written {
        eprintln!("{tool} did not read its input: {error}");
    }
    Some(output)
}

/// As [`run`], for a tool that must succeed; what it printed.
pub(crate) fn printed(tool: &str, args: &[&str], input: &str) -> Option<String> {
    let output = run(tool, args, input)?;
    assert!(output.status.success(), "{tool} {args:?}: {output:?}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// As [`shared`], for a file packed with xz; unpacked.
pub(crate) fn shared_packed(path: &str) -> Option<Vec<u8>> {
    let packed = shared(path)?;
    let mut command = Command::new("xz");
    let spawned = command
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut xz) = spawned else {
        eprintln!("SKIPPED: xz is not installed");
        return None;
    };
    let mut input = xz.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || std::io::Write::write_all(&mut input, &packed).unwrap());
    let output = xz.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert!(output.status.success());
    Some(output.stdout)
}

/// What a Python script prints that needs `module`. `None` with a visible note where no Python has the module, unless
/// `WINREFIT_REQUIRE_ORACLES` is `1`. The interpreter is `WINREFIT_PYTHON`, or else the first in the path or the
/// system's that has the module.
pub(crate) fn python(module: &str, script: &str, args: &[&str]) -> Option<String> {
    let interpreters = match std::env::var("WINREFIT_PYTHON") {
        Ok(named) => vec![named],
        Err(_) => vec!["python3".to_string(), "/usr/bin/python3".to_string()],
    };
    let has_module = |interpreter: &&String| {
        let mut command = Command::new(interpreter);
        let output = command.args(["-c", &format!("import {module}")]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(interpreter) = interpreters.iter().find(has_module) else {
        let required = std::env::var_os("WINREFIT_REQUIRE_ORACLES").is_some_and(|value| value == "1");
        assert!(!required, "Python with {module} is required and not installed");
        eprintln!("SKIPPED: Python with {module} is not installed");
        return None;
    };
    printed(interpreter, &[&["-c", script], args].concat(), "")
}

/// A sequence of numbers that looks random and is the same every time (splitmix64).
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
