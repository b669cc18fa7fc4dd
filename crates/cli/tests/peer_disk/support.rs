//! The binary, other people's tools, and sparse images of which only the data is ever read.

use rustix::fs::{SeekFrom, seek};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BLOCK_BYTES: u64 = 4096;

/// Whether missing tools fail a test rather than skip it.
pub fn required() -> bool {
    std::env::var_os("WINREFIT_REQUIRE_ORACLES").is_some_and(|value| value == "1")
}

/// Runs a tool that has to succeed. `None`, with a visible note, if it is not installed.
pub fn tool_ok(name: &str, arguments: &[&str]) -> Option<String> {
    let output = match Command::new(name).args(arguments).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required() => {
            eprintln!("SKIPPED: {name} is not installed");
            return None;
        }
        Err(error) => panic!("{name} is required here: {error}"),
    };
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?} failed:\n{text}");
    Some(text)
}

/// Attaches an image as a loop device; `None`, with a visible note, where that cannot be done.
pub fn attach(image: &Path, options: &[&str]) -> Option<PathBuf> {
    let image = image.to_str().unwrap();
    let arguments = [&["--find", "--show"], options, &[image]].concat();
    let output = Command::new("losetup").args(arguments).output();
    match output {
        Ok(output) if output.status.success() => {
            Some(String::from_utf8(output.stdout).unwrap().trim().into())
        }
        other => {
            assert!(!required() || !is_root(), "losetup: {other:?}");
            eprintln!("SKIPPED: no loop device to be had (root?)");
            None
        }
    }
}

/// Detaches a loop device.
pub fn detach(device: &Path) {
    tool_ok("losetup", &["--detach", device.to_str().unwrap()]);
}

/// Whether the test may do what only root may.
pub fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout == b"0\n")
}

/// A file or folder shared between checkouts; `None`, with a visible note, where it is not there.
pub fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WINREFIT_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join(name);
    if !path.exists() {
        eprintln!("SKIPPED: no shared {name}");
        return None;
    }
    Some(path)
}

/// Runs winrefit.
pub fn winrefit(arguments: &[&str]) -> Output {
    // What people read is looked at in English, whatever the machine speaks.
    Command::new(env!("CARGO_BIN_EXE_winrefit"))
        .env("LC_ALL", "C")
        .args(arguments)
        .output()
        .unwrap()
}

/// Runs winrefit, demands the exit code, and returns its report.
pub fn report(exit_code: i32, arguments: &[&str]) -> Value {
    let output = winrefit(&[arguments, &["--format", "json"]].concat());
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(
        output.status.code(),
        Some(exit_code),
        "{arguments:?}\n{text}\n{errors}"
    );
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["schema"], "winrefit.report/1");
    report
}

/// The entry of a partition in a report.
pub fn partition(report: &Value, number: u64) -> &Value {
    let all = report["disk"]["partitions"].as_array().unwrap();
    all.iter().find(|p| p["number"] == number).unwrap()
}

/// The bytes that a partition of 512-byte sectors covers.
pub fn range_of(partition: &Value) -> Range<u64> {
    let start = partition["start_lba"].as_u64().unwrap() * 512;
    start..start + partition["sectors"].as_u64().unwrap() * 512
}

/// Ranges of a sparse file that hold data, cut to `within`.
fn data_ranges(file: &File, within: Range<u64>) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let mut at = within.start;
    while at < within.end {
        // ENXIO: no data behind `at`.
        let Ok(start) = seek(file, SeekFrom::Data(at)) else {
            break;
        };
        if start >= within.end {
            break;
        }
        at = seek(file, SeekFrom::Hole(start)).unwrap();
        ranges.push(start..at.min(within.end));
    }
    ranges
}

/// A hash of all sectors that are not zero, with their places. Which blocks are holes makes no difference.
pub fn hash_of(image: &Path) -> String {
    let size = image.metadata().unwrap().len();
    hash_of_ranges(image, std::iter::once(0..size))
}

/// The same of some ranges of an image, with the size of the image.
pub fn hash_of_ranges(image: &Path, ranges: impl IntoIterator<Item = Range<u64>>) -> String {
    let file = File::open(image).unwrap();
    let mut hash = Sha256::new();
    hash.update(file.metadata().unwrap().len().to_le_bytes());
    for range in ranges.into_iter().flat_map(|range| data_ranges(&file, range)) {
        assert!(range.start.is_multiple_of(512), "extents begin on sectors");
        for_each_block(&file, range, |at, block| {
            // Sector by sector: a block of data may begin anywhere, and holes move its edges.
            for (index, sector) in block.chunks(512).enumerate() {
                if sector.iter().any(|&byte| byte != 0) {
                    hash.update((at + index as u64 * 512).to_le_bytes());
                    hash.update(sector);
                }
            }
        });
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies a volume out of an image into a sparse file.
pub fn extract(image: &Path, range: Range<u64>, to: &Path) {
    let (from, to) = (File::open(image).unwrap(), File::create(to).unwrap());
    to.set_len(range.end - range.start).unwrap();
    for data in data_ranges(&from, range.clone()) {
        for_each_block(&from, data, |at, block| {
            if block.iter().any(|&byte| byte != 0) {
                to.write_all_at(block, at - range.start).unwrap();
            }
        });
    }
}

fn for_each_block(file: &File, range: Range<u64>, mut each: impl FnMut(u64, &[u8])) {
    let mut buffer = vec![0; 256 * BLOCK_BYTES as usize];
    let mut at = range.start;
    while at < range.end {
        let length = buffer.len().min((range.end - at) as usize);
        let block = &mut buffer[..length];
        file.read_exact_at(block, at).unwrap();
        each(at, block);
        at += length as u64;
    }
}

/// Puts the bytes of a volume into an image.
pub fn insert(image: &Path, at: u64, bytes: &[u8]) {
    File::options()
        .write(true)
        .open(image)
        .unwrap()
        .write_all_at(bytes, at)
        .unwrap();
}

/// Every tool that checks a volume has to accept this one.
pub fn assert_tools_accept(volume: &Path) {
    let path = volume.to_str().unwrap();
    if let Some(text) = tool_ok("ntfsfix", &["-n", path]) {
        assert!(!text.contains("rror"), "{text}");
    }
    if let Some(text) = tool_ok("ntfsresize", &["-i", "-f", path]) {
        assert!(!text.contains("ERROR"), "{text}");
    }
    tool_ok("7zz", &["t", path]);
    tool_ok("fsstat", &["-f", "ntfs", path]);
}

/// A mounted volume; unmounted when dropped.
struct Mount(tempfile::TempDir);

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Path and content hash of every file of a volume, as ntfs-3g reads it.
pub fn files_of(volume: &Path) -> Option<String> {
    let folder = Mount(tempfile::tempdir().unwrap());
    let at = folder.0.path().to_str().unwrap();
    tool_ok("ntfs-3g", &["-o", "ro", volume.to_str().unwrap(), at])?;
    let script = "cd \"$1\" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum";
    let list = tool_ok("bash", &["-o", "pipefail", "-c", script, "bash", at])?;
    assert!(list.lines().count() >= 2, "no files?\n{list}");
    Some(list)
}
