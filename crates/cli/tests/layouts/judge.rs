//! Programs by other people on a repaired disk of the lab.

use crate::support::{extract, tool_ok};
use std::path::Path;
use winrefit_disk::{DiskFile, SectorSize};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::table::DiskId;

/// Has the partition table and every NTFS volume judged. sgdisk, sfdisk and ntfsfix know images with sectors of 512 bytes
/// only.
pub fn judge(path: &Path) {
    let disk = DiskFile::open_read(path).unwrap();
    let observation = observe(&disk, None, Depth::Quick).unwrap();
    if observation.sector_size != SectorSize::B512 {
        return;
    }
    let image = path.to_str().unwrap();
    match observation.table.id {
        DiskId::Gpt(_) => {
            let verdict = tool_ok("sgdisk", &["-v", image]).unwrap_or("No problems found".to_owned());
            assert!(verdict.contains("No problems found"), "{image}: {verdict}");
        }
        DiskId::Mbr(_) => {
            let verdict = tool_ok("sfdisk", &["--verify", image]).unwrap_or_default();
            assert!(!verdict.contains("overlap"), "{image}: {verdict}");
        }
    }
    let part = path.with_extension("ntfs");
    for partition in observation.partitions.iter().filter(|p| p.ntfs().is_some()) {
        extract(path, partition.range.start..partition.range.end, &part);
        tool_ok("ntfsfix", &["-n", part.to_str().unwrap()]);
        std::fs::remove_file(&part).unwrap();
    }
}
