//! What others say of disks on which the power went in the middle of the work: ntfsfix, ntfsresize, sgdisk.

use super::common::tools::{oracle, run, try_run};
use super::matrix::Matrix;
use std::io::Write;
use tempfile::NamedTempFile;
use winrefit_disk::{ByteRange, ReadAt, SectorSize};
use winrefit_repair::observe::{Depth, observe};

/// States of each log that are shown to them: each takes some processes.
const SHOWN: usize = 2;

fn file(disk: &dyn ReadAt, range: ByteRange) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&disk.read_vec(range.start, range.len() as usize).unwrap())
        .unwrap();
    file
}

const TOOLS: [&str; 3] = ["ntfsfix", "ntfsresize", "sgdisk"];

/// Has some states judged that our own checker finds clean. How many: some, wherever one of the tools can be asked.
pub fn judge(matrix: &Matrix, name: &str, sector_size: SectorSize) -> usize {
    if sector_size != SectorSize::B512 {
        // They take files for disks with sectors of 512 bytes.
        return 0;
    }
    let clean = &matrix.clean;
    let step = clean.len().div_ceil(SHOWN).max(1);
    let mut judged = 0;
    for state in clean.iter().step_by(step) {
        let disk = matrix.disk(state);
        let mut is_judged = false;
        let observation = observe(&disk, None, Depth::Quick).unwrap();
        for partition in &observation.partitions {
            let Some(ntfs) = partition.ntfs() else { continue };
            // Before the table says so, a volume that has shrunk ends before its partition does. ntfsfix looks for the
            // backup boot sector at the end of what it is given; it lies behind the volume.
            let length = (ntfs.geometry.total_sectors + 1) * u64::from(ntfs.geometry.sector_size);
            let start = partition.range.start;
            let volume = file(
                &disk,
                ByteRange::new(start, partition.range.end.min(start + length)),
            );
            if let Some(mut ntfsfix) = oracle("ntfsfix") {
                let (good, said) = try_run(ntfsfix.arg("-n").arg(volume.path()));
                assert!(good, "{name}, partition {}: {said}", partition.number);
                is_judged = true;
            }
            if let Some(mut ntfsresize) = oracle("ntfsresize") {
                run(ntfsresize.args(["-i", "-f", "-P"]).arg(volume.path()));
                is_judged = true;
            }
        }
        let is_gpt = observation.table.id.style() == "gpt" && observation.table.is_whole();
        if let Some(mut sgdisk) = oracle("sgdisk").filter(|_| is_gpt) {
            let whole = file(&disk, ByteRange::new(0, disk.size()));
            let said = run(sgdisk.arg("-v").arg(whole.path()));
            assert!(said.contains("No problems found"), "{name}: {said}");
            is_judged = true;
        }
        judged += usize::from(is_judged);
    }
    let has_tool = TOOLS.iter().any(|tool| oracle(tool).is_some());
    assert!(
        judged > 0 || !has_tool,
        "{name}: none of {} clean states was judged by another tool",
        clean.len()
    );
    judged
}
