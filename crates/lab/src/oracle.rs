//! Tools by other people as judges of what the lab writes. A missing tool skips its part, visibly.

use std::process::{Command, Stdio};

/// A file that goes away with its owner.
pub struct TempFile {
    // Held for its destructor.
    _directory: tempfile::TempDir,
    path: String,
}

impl TempFile {
    /// A file of this name and content in a directory of its own.
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap().to_owned();
        Self {
            _directory: directory,
            path,
        }
    }

    /// The file's path.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// What a successful run prints; a failing one fails the test. `None`, with a notice, if the tool is not installed.
pub fn run(tool: &str, arguments: &[&str]) -> Option<String> {
    let output = match Command::new(tool).args(arguments).stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: {tool} is not installed");
            return None;
        }
        Err(error) => panic!("{tool}: {error}"),
    };
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{tool} {arguments:?}: {printed}{complaints}"
    );
    Some(printed)
}
