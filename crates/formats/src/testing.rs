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
