//! Volumes for tests that other people's tools made, and what those tools say of ours.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Whether missing tools fail a test rather than skip it.
fn required() -> bool {
    std::env::var_os("WINREFIT_REQUIRE_ORACLES").is_some_and(|value| value == "1")
}

/// Runs a tool. `None`, with a visible note, if it is not installed.
pub fn tool(name: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(name).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required() => {
            eprintln!("SKIPPED: {name} is not installed");
            None
        }
        Err(error) => panic!("{name} is required here: {error}"),
    }
}

/// Runs a tool that has to succeed.
pub fn tool_ok(name: &str, arguments: &[&str]) -> Option<String> {
    let output = tool(name, arguments)?;
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?} failed:\n{text}");
    Some(text)
}

/// A fixture of the shared folder, unpacked; `None`, with a visible note, where the folder is not there.
pub fn fixture(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("WINREFIT_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("fixtures").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: no fixture {name}");
        return None;
    }
    let output = tool("xz", &["-dkc", path.to_str().unwrap()])?;
    assert!(output.status.success());
    Some(output.stdout)
}

/// Every tool that checks a volume has to accept this one.
pub fn assert_tools_accept(image: &Path) {
    let path = image.to_str().unwrap();
    tool_ok("ntfsfix", &["-n", path]);
    if let Some(text) = tool_ok("ntfsresize", &["-i", "-f", path]) {
        assert!(!text.contains("ERROR"), "{text}");
    }
    // 7-Zip opens no volume with sectors other than 512 bytes, not even one that mkntfs has just made.
    let mut sector_size = [0; 2];
    std::fs::File::open(image)
        .unwrap()
        .read_exact_at(&mut sector_size, 0x0B)
        .unwrap();
    if sector_size == 512u16.to_le_bytes() {
        tool_ok("7zz", &["t", path]);
    }
    tool_ok("fsstat", &["-f", "ntfs", path]);
}
