//! The table of docs/checker.md: who else finds a planted damage. Printed where `WINREFIT_MATRIX` is set, with
//! `cargo test -p winrefit-ntfs --test 'check_*' -- --nocapture --test-threads 1 | grep '^|'`.

use std::process::Command;
use winrefit_ntfs::check::ProblemCode;

/// Words by which a tool tells of damage.
const COMPLAINTS: &[&str] = &[
    "error",
    "corrupt",
    "fail",
    "inconsist",
    "differ",
    "bad ",
    "invalid",
    "mismatch",
    "warning",
    "wrong",
];
const TOOLS: &[(&str, &[&str])] = &[
    ("ntfsfix", &["-n"]),
    ("ntfsresize", &["-i", "-f"]),
    ("7zz", &["t"]),
];

/// Prints the rows of a volume and of its damaged copies; does nothing where nobody asked.
pub struct Matrix {
    sound: Option<Vec<Verdict>>,
}

/// Whether a tool succeeded, and how many lines of complaint it printed.
type Verdict = (bool, usize);

impl Matrix {
    pub fn new(sound: &[u8]) -> Self {
        let wanted = std::env::var_os("WINREFIT_MATRIX").is_some();
        Self {
            sound: wanted.then(|| verdicts(sound)),
        }
    }

    pub fn row(&self, what: &str, damaged: &[u8], found: &[ProblemCode], due: &[ProblemCode]) {
        let Some(sound) = &self.sound else { return };
        let marks = verdicts(damaged).into_iter().zip(sound).map(|(found, sound)| {
            let is_found = found.0 != sound.0 || found.1 > sound.1;
            if is_found { " X |" } else { " |" }
        });
        let ours = if found == due && !due.is_empty() {
            " X |"
        } else {
            " |"
        };
        let codes: Vec<_> = due.iter().map(|code| format!("`{code}`")).collect();
        let marks: String = marks.collect();
        println!("| {what} | {} |{ours}{marks}", codes.join(", "));
    }
}

fn verdicts(volume: &[u8]) -> Vec<Verdict> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), volume).unwrap();
    let mut verdicts: Vec<Verdict> = TOOLS
        .iter()
        .map(|(tool, arguments)| {
            let output = Command::new(tool)
                .args(*arguments)
                .arg(file.path())
                .env("LC_ALL", "C")
                .output()
                .unwrap_or_else(|error| panic!("{tool}: {error}"));
            let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).to_lowercase();
            let complaints = printed
                .lines()
                .filter(|line| COMPLAINTS.iter().any(|word| line.contains(word)));
            (output.status.success(), complaints.count())
        })
        .collect();
    let path = file.path().to_owned();
    let other = std::panic::catch_unwind(move || {
        let mut io = fs_ntfs::block_io::PathIo::open_ro(&path).unwrap();
        match fs_ntfs::fsck::check_io(&mut io) {
            Ok(report) => (true, report.findings.len() + usize::from(report.dirty)),
            Err(_) => (false, 0),
        }
    });
    verdicts.push(other.unwrap_or((false, 0)));
    verdicts
}
