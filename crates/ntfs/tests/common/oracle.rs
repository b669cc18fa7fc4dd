//! Tools of other people. A test without its tool is skipped visibly, or fails where the tools are required.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The path of a tool, or `None` (said on stderr) if it is not installed.
///
/// # Panics
/// If `WINREFIT_REQUIRE_ORACLES` is `1` and the tool is not installed.
pub fn oracle(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        let required = std::env::var("WINREFIT_REQUIRE_ORACLES").is_ok_and(|value| value == "1");
        assert!(!required, "{name} is required and not installed");
        eprintln!("skipped: {name} is not installed");
    }
    found
}

/// Runs a tool quietly; whether it succeeded.
pub fn run(tool: &Path, arguments: &[&str]) -> bool {
    let status = Command::new(tool)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
