//! Other people's tools, as judges and as makers of volumes; and the fixtures of the folder `shared`.
//!
//! A test without its tool skips visibly, or fails where [`REQUIRE`] is set.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Set to `1` in surroundings where every tool and fixture must be there.
const REQUIRE: &str = "WINREFIT_REQUIRE_ORACLES";

/// A tool, or `None`, with a notice, if it is not installed.
pub fn oracle(name: &str) -> Option<Command> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&paths).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = places
        .map(|place: PathBuf| place.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        skip(&format!("{name} is not installed"));
    }
    found.map(|path| {
        let mut command = Command::new(path);
        command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
        command
    })
}

/// Whether nothing may be left out.
pub fn is_required() -> bool {
    std::env::var_os(REQUIRE).is_some_and(|value| value == "1")
}

/// Says that a part of a test is left out, or fails where nothing may be.
pub fn skip(why: &str) {
    assert!(!is_required(), "{REQUIRE} is set, but {why}");
    eprintln!("SKIPPED: {why}");
}

/// What a tool printed; it has to succeed.
pub fn run(command: &mut Command) -> String {
    let (success, printed) = try_run(command);
    assert!(success, "{command:?} failed:\n{printed}");
    printed
}

/// Whether a tool succeeded, and what it printed.
pub fn try_run(command: &mut Command) -> (bool, String) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&printed).into_owned(),
    )
}

/// A shared fixture, unpacked, or `None`, with a notice, if it is not there.
pub fn fixture(name: &str) -> Option<Vec<u8>> {
    let shared = std::env::var_os("WINREFIT_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join("fixtures").join(name);
    if !path.is_file() {
        skip(&format!("the fixture {} is not there", path.display()));
        return None;
    }
    let output = oracle("xz")?.arg("-dkc").arg(&path).output().unwrap();
    assert!(output.status.success(), "cannot unpack {}", path.display());
    Some(output.stdout)
}
