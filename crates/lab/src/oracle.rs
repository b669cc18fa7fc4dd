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

/// Set where no judge may be missing.
const REQUIRE: &str = "WINREFIT_REQUIRE_ORACLES";

/// Says that a part of a test is left out, or fails where nothing may be.
pub fn skip(why: &str) {
    assert!(std::env::var_os(REQUIRE).is_none(), "{REQUIRE} is set, but {why}");
    eprintln!("SKIPPED: {why}");
}

/// What a successful run prints; a failing one fails the test. `None`, with a notice, if the tool is not installed.
pub fn run(tool: &str, arguments: &[&str]) -> Option<String> {
    // Users who are not root have no sbin in their path, but may run what is there.
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&paths).chain(["/usr/sbin".into(), "/sbin".into()]);
    let mut programs = places.map(|place| place.join(tool));
    let Some(program) = programs.find(|path| path.is_file()) else {
        skip(&format!("{tool} is not installed"));
        return None;
    };
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{tool}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{tool} {arguments:?}: {printed}{complaints}"
    );
    Some(printed)
}

/// What a Python program prints that needs these modules; a failing one fails the test. `None`, with a notice, where no
/// Python has them. The interpreter is `WINREFIT_PYTHON`, or else the first in the path or the system's that has them.
#[allow(dead_code)] // Not every test that includes this file has a use for it.
pub fn python(modules: &[&str], program: &str, arguments: &[&str]) -> Option<String> {
    let interpreters = match std::env::var("WINREFIT_PYTHON") {
        Ok(named) => vec![named],
        Err(_) => vec!["python3".to_owned(), "/usr/bin/python3".to_owned()],
    };
    let imports = format!("import {}", modules.join(", "));
    let has_modules = |interpreter: &&String| {
        let output = Command::new(interpreter).args(["-c", &imports]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(interpreter) = interpreters.iter().find(has_modules) else {
        skip(&format!("no Python has the modules {}", modules.join(", ")));
        return None;
    };
    let program = format!("import sys\n{program}");
    run(interpreter, &[&["-c", &program], arguments].concat())
}
