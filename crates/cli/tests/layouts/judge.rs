//! Programs by other people on a repaired disk of the lab.

use crate::support::{attach, detach, extract, tool_ok};
use std::path::{Path, PathBuf};
use winrefit_disk::{DiskFile, SectorSize};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::table::DiskId;

/// Has the partition table and every NTFS volume judged. None of the tools knows that an image has other sectors than of
/// 512 bytes: such a disk is attached as a device that has.
pub fn judge(path: &Path) {
    let observation = observe(&DiskFile::open_read(path).unwrap(), None, Depth::Quick).unwrap();
    let sector_size = observation.sector_size.bytes().to_string();
    let is_file = observation.sector_size == SectorSize::B512;
    // Without root there is no such device, and no judgement.
    let judged = |tool: &str, option: &str, image: &Path| {
        let device = if is_file {
            None
        } else {
            let options = ["--read-only", "--sector-size", &sector_size];
            Some(Attached(attach(image, &options)?))
        };
        let target = device.as_ref().map_or(image, |device| &device.0);
        tool_ok(tool, &[option, target.to_str().unwrap()])
    };
    match observation.table.id {
        DiskId::Gpt(_) => {
            let verdict = judged("sgdisk", "-v", path).unwrap_or("No problems found".to_owned());
            assert!(
                verdict.contains("No problems found"),
                "{}: {verdict}",
                path.display()
            );
        }
        DiskId::Mbr(_) => {
            let verdict = judged("sfdisk", "--verify", path).unwrap_or_default();
            assert!(!verdict.contains("overlap"), "{}: {verdict}", path.display());
        }
    }
    let part = path.with_extension("ntfs");
    for partition in observation.partitions.iter().filter(|p| p.ntfs().is_some()) {
        extract(path, partition.range.start..partition.range.end, &part);
        judged("ntfsfix", "-n", &part);
        std::fs::remove_file(&part).unwrap();
    }
}

/// A loop device while it is used.
struct Attached(PathBuf);

impl Drop for Attached {
    fn drop(&mut self) {
        detach(&self.0);
    }
}
