//! Help for the tests of this crate: a sparse file as a device, and tools by other people as judges.

// Each test program uses a part of this; in all of it a failure is to fail the test.
#![allow(dead_code, clippy::unwrap_used)]

pub mod tree;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use winrefit_disk::{Device, DiskError, Operation, ReadAt, SectorSize};
use winrefit_ntfs::check::{CheckOptions, PartitionPlace, check};

/// Set in surroundings where every judge must be there.
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

/// Says that a part of a test is left out, or fails where nothing may be.
pub fn skip(why: &str) {
    assert!(std::env::var_os(REQUIRE).is_none(), "{REQUIRE} is set, but {why}");
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

/// A sparse file that is a device and goes away with its owner.
pub struct Image {
    // Held for its destructor.
    _directory: tempfile::TempDir,
    path: PathBuf,
    file: File,
    size: u64,
    sector_size: SectorSize,
}

impl Image {
    /// A file of `size` zero bytes.
    pub fn new(size: u64, sector_size: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("volume.img");
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .unwrap();
        file.set_len(size).unwrap();
        Self {
            _directory: directory,
            path,
            file,
            size,
            sector_size: SectorSize::from_bytes(sector_size.into()).unwrap(),
        }
    }

    /// Where the file is.
    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The directory the file is in.
    pub fn directory(&self) -> &std::path::Path {
        self._directory.path()
    }
}

impl ReadAt for Image {
    fn size(&self) -> u64 {
        self.size
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let length = buf.len();
        let failed = |error| DiskError::io(Operation::Read, offset, length, error);
        self.file.read_exact_at(buf, offset).map_err(failed)
    }
}

impl Device for Image {
    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        assert!(offset + data.len() as u64 <= self.size, "write behind the end");
        assert_eq!(
            (offset | data.len() as u64) % self.sector_size.bytes(),
            0,
            "not whole sectors"
        );
        let failed = |error| DiskError::io(Operation::Write, offset, data.len(), error);
        self.file.write_all_at(data, offset).map_err(failed)
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

/// The checker of the crate rust-fs-ntfs, which compares records, run lists, $Bitmap and $MFTMirr, finds nothing.
/// Not asked on 4096-byte sectors, where it expects update sequences of that stride; NTFS and ntfs-3g have 512.
pub fn assert_other_checker_finds_nothing(image: &Image) {
    if image.sector_size == SectorSize::B4096 {
        return;
    }
    let mut io = fs_ntfs::block_io::PathIo::open_ro(image.path.as_ref()).unwrap();
    let report = fs_ntfs::fsck::check_io(&mut io).unwrap();
    assert_eq!(report.findings, [], "{}", image.path());
    assert!(
        !report.dirty && report.clusters_scanned > 0 && report.records_scanned >= 19,
        "{report:?}"
    );
}

/// Our own checker, told where the partition is, finds no problem of any severity.
pub fn assert_our_checker_finds_nothing(image: &Image, hidden_sectors: u64) {
    let sector_size = image.sector_size.bytes();
    let options = CheckOptions {
        partition: Some(PartitionPlace {
            start_lba: hidden_sectors,
            sectors: image.size / sector_size,
            sector_size: sector_size as u32,
        }),
        problems_max: 5,
        ..CheckOptions::default()
    };
    let report = check(image, &options).unwrap();
    assert!(
        report.problems_total == 0,
        "{}: {:#?}",
        image.path(),
        report.problems
    );
    assert_eq!(
        (
            report.leaked_clusters,
            report.unmarked_clusters,
            report.bad_clusters
        ),
        (0, 0, 0)
    );
}
