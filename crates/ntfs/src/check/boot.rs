//! The boot sector, its backup, and the volume's place in its partition.

use super::CheckOptions;
use super::codes::ProblemCode;
use super::problem::Problem;
use super::report::Findings;
use crate::boot::{BOOT_SECTOR_BYTES, BootSector};
use crate::bytes::take;
use crate::error::NtfsError;
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Fields that are 0 on NTFS, as offset and length: reserved sectors, number of FATs, root entries, 16-bit total
/// sectors, sectors per FAT, 32-bit total sectors. Windows and ntfs-3g mount no volume that has them set.
const ZERO_FIELDS: [(usize, usize); 6] = [(0x0E, 2), (0x10, 1), (0x11, 2), (0x13, 2), (0x16, 2), (0x20, 4)];

pub(crate) fn check<R: ReadAt>(
    volume: &Volume<R>,
    options: &CheckOptions,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    let boot = volume.boot();
    for (offset, length) in ZERO_FIELDS {
        let field = take(boot.bytes(), offset, length).unwrap_or_default();
        if field.iter().any(|&byte| byte != 0) {
            findings.push(Problem::new(ProblemCode::BootSectorField).at(offset as u64));
        }
    }
    let first_lcn = volume
        .mft_runs()
        .0
        .first()
        .and_then(|run| run.lcn)
        .map(|lcn| lcn.0);
    if let Some(first) = first_lcn.filter(|&first| first != boot.mft_lcn().0) {
        findings.push(Problem::new(ProblemCode::MftPlace).values(first, boot.mft_lcn().0));
    }
    check_place(boot, options, findings);
    check_backup(volume, options, findings)
}

fn check_place(boot: &BootSector, options: &CheckOptions, findings: &mut Findings) {
    let Some(place) = options.partition else { return };
    let geometry = boot.geometry();
    let (due, hidden) = (place.start_lba & 0xFFFF_FFFF, u64::from(boot.hidden_sectors()));
    if due != hidden {
        findings.push(Problem::new(ProblemCode::HiddenSectors).values(due, hidden));
    }
    if geometry.sector_size != place.sector_size {
        let (due, actual) = (place.sector_size.into(), geometry.sector_size.into());
        findings.push(Problem::new(ProblemCode::SectorSizeDiffers).values(due, actual));
    }
    // The backup boot sector needs a place too.
    let available = place.sectors.saturating_mul(place.sector_size.into());
    let needed = geometry.volume_bytes();
    let code = match needed.cmp(&available) {
        std::cmp::Ordering::Greater => ProblemCode::VolumeLargerThanPartition,
        std::cmp::Ordering::Less => ProblemCode::VolumeSmallerThanPartition,
        std::cmp::Ordering::Equal => return,
    };
    findings.push(Problem::new(code).values(available, needed));
}

/// The backup is the last sector of the partition. Where the volume ends earlier it may be right behind the volume.
fn check_backup<R: ReadAt>(
    volume: &Volume<R>,
    options: &CheckOptions,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    let geometry = volume.geometry();
    let sector = u64::from(geometry.sector_size);
    let behind_volume = geometry.total_sectors.saturating_mul(sector);
    let partition_end = match options.partition {
        Some(place) => place.sectors.saturating_mul(place.sector_size.into()),
        None => volume.reader().size(),
    };
    let partition_last = partition_end.saturating_sub(sector);
    let mut other = None;
    for place in [behind_volume, partition_last] {
        let Some(copy) = read_sector(volume, place)? else {
            continue;
        };
        if &copy == volume.boot().bytes() {
            if place != behind_volume {
                findings.push(Problem::new(ProblemCode::BackupBootSectorElsewhere).at(place));
            }
            return Ok(());
        }
        // Only a boot sector is a backup that differs; anything else is none.
        if copy[3..7] == *b"NTFS" {
            other = other.or(Some(place));
        }
    }
    findings.push(match other {
        Some(place) => Problem::new(ProblemCode::BackupBootSectorDiffers).at(place),
        None => Problem::new(ProblemCode::BackupBootSectorMissing).at(behind_volume),
    });
    Ok(())
}

fn read_sector<R: ReadAt>(
    volume: &Volume<R>,
    offset: u64,
) -> Result<Option<[u8; BOOT_SECTOR_BYTES]>, NtfsError> {
    let mut sector = [0; BOOT_SECTOR_BYTES];
    let end = offset.saturating_add(BOOT_SECTOR_BYTES as u64);
    if end > volume.reader().size() {
        return Ok(None);
    }
    volume.reader().read_at(offset, &mut sector)?;
    Ok(Some(sector))
}
