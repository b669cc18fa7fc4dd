//! Large volumes for measuring the checker.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::tree::noise;
use std::fs::File;
use std::os::unix::fs::FileExt;
use winrefit_disk::{Device, DiskError, ReadAt, SectorSize};
use winrefit_ntfs::check::{CheckLevel, CheckOptions, check};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};

/// A file that stays.
struct Sparse(File, u64);

impl ReadAt for Sparse {
    fn size(&self) -> u64 {
        self.1
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.0.read_exact_at(buf, offset).unwrap();
        Ok(())
    }
}

impl Device for Sparse {
    fn sector_size(&self) -> SectorSize {
        SectorSize::B512
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.0.write_all_at(data, offset).unwrap();
        Ok(())
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

/// Directories of 2 to 2,000 files, names like those of a Windows, one file in eight in clusters.
fn fill(builder: &mut VolumeBuilder, files: usize) {
    let (mut made, mut directory) = (0, 0);
    while made < files {
        let count = [2, 9, 25, 40, 120, 2000][directory % 6].min(files - made);
        for index in 0..count {
            let name = format!(
                "part {}/directory-{directory:06}/component_{index:04x}.{}.manifest",
                directory % 97,
                directory * 7919 % 10_007
            );
            let length = if (made + index).is_multiple_of(8) {
                5000
            } else {
                100
            };
            let content = FileData::Bytes(noise(made as u64, length));
            builder.add_file(&name, 0x20, content).unwrap();
        }
        made += count;
        directory += 1;
    }
}

/// Makes the volume of the figures in docs/checker.md: `WINREFIT_LARGE_VOLUME=FILE[,FILES]`.
#[test]
#[ignore = "makes a volume of some gigabytes"]
fn make_a_large_volume() {
    let Ok(wanted) = std::env::var("WINREFIT_LARGE_VOLUME") else {
        return;
    };
    let (path, files) = wanted.split_once(',').unwrap_or((&wanted, "500000"));
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.set_len(16 << 30).unwrap();
    let mut builder = VolumeBuilder::new(FormatOptions::new((16 << 30) / 512)).unwrap();
    fill(&mut builder, files.parse().unwrap());
    let mut device = Sparse(file, 16 << 30);
    builder.write_to(&mut device).unwrap();
    assert_clean(&device);
}

fn assert_clean(device: &Sparse) {
    for level in [CheckLevel::Quick, CheckLevel::Full] {
        let options = CheckOptions {
            level,
            ..CheckOptions::default()
        };
        let report = check(device, &options).unwrap();
        assert_eq!(report.problems, [], "{level:?}");
    }
}

/// Enough for several threads and for requests that span several directories.
#[test]
fn a_volume_of_many_directories_is_clean() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(16 << 30).unwrap();
    let mut builder = VolumeBuilder::new(FormatOptions::new((16 << 30) / 512)).unwrap();
    fill(&mut builder, 20_000);
    let mut device = Sparse(file, 16 << 30);
    builder.write_to(&mut device).unwrap();
    assert_clean(&device);
}
