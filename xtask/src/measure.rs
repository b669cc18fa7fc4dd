//! Running one program and measuring it.
//!
//! The kernel sums up peak memory and bytes read over all children that a process has waited for, and never forgets
//! one. So each measurement is made by a fresh process: this program again, with the command `measure`.

use crate::error::Error;
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a run of a program took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Usage {
    /// From start to end.
    pub wall_seconds: f64,
    /// Largest resident set of any process of the run that was waited for. A daemon (ntfs-3g) is not among them.
    pub peak_memory_bytes: u64,
    /// Bytes asked of read(2) and its like, loading of the program included; page cache or not.
    pub read_bytes: u64,
    /// Exit code; none if a signal ended it.
    pub exit_code: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

/// The command `measure`: runs the program given and prints its [`Usage`].
///
/// # Errors
/// The program does not start, or the kernel does not answer.
pub fn run_here(command: &[OsString]) -> Result<(), Error> {
    let program = command.first().cloned().unwrap_or_default();
    let read_before = read_bytes_so_far()?;
    let start = Instant::now();
    let output = Command::new(&program)
        .args(command.iter().skip(1))
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Start {
            program: program.to_string_lossy().into_owned(),
            source,
        })?;
    let wall_seconds = start.elapsed().as_secs_f64();
    let usage = Usage {
        wall_seconds,
        peak_memory_bytes: u64::try_from(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss()).unwrap_or(0) << 10,
        // What this process itself reads in between is the output of the program and /proc: next to nothing.
        read_bytes: read_bytes_so_far()?.saturating_sub(read_before + output.stdout.len() as u64),
        exit_code: output.status.code(),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    let text = serde_json::to_string(&usage).map_err(|e| Error::Answer {
        what: "the measurement",
        found: e.to_string(),
    })?;
    println!("{text}");
    Ok(())
}

/// Runs a program in a measuring process.
///
/// # Errors
/// As [`run_here`]. That the program fails is no error here: see [`Usage::exit_code`].
pub fn run(command: &[OsString]) -> Result<Usage, Error> {
    let me = std::env::current_exe().map_err(|source| Error::Start {
        program: "xtask".to_owned(),
        source,
    })?;
    let mut all = vec![me.into_os_string(), "measure".into(), "--".into()];
    all.extend_from_slice(command);
    let text = output_of(&all)?;
    serde_json::from_str(&text).map_err(|_| Error::Answer {
        what: "the measurement",
        found: text,
    })
}

/// Standard output of a program that has to succeed.
///
/// # Errors
/// [`Error::Start`], [`Error::Failed`].
pub fn output_of(command: &[OsString]) -> Result<String, Error> {
    let program = command.first().cloned().unwrap_or_default();
    let name = program.to_string_lossy().into_owned();
    let output = Command::new(&program)
        .args(command.iter().skip(1))
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Start {
            program: name.clone(),
            source,
        })?;
    if !output.status.success() {
        return Err(Error::Failed {
            program: name,
            status: output.status,
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `rchar` of this process and of the children it has waited for.
fn read_bytes_so_far() -> Result<u64, Error> {
    let path = "/proc/self/io";
    let text = std::fs::read_to_string(path).map_err(|source| Error::File {
        path: path.into(),
        source,
    })?;
    let value = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    value.and_then(|v| v.parse().ok()).ok_or(Error::Answer {
        what: "/proc/self/io",
        found: text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_reads_is_counted_once_it_ended() {
        let before = read_bytes_so_far().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(5_000_000).unwrap();
        output_of(&["cksum".into(), file.path().into()]).unwrap();
        let read = read_bytes_so_far().unwrap() - before;
        assert!((5_000_000..5_500_000).contains(&read), "{read}");
    }
}
