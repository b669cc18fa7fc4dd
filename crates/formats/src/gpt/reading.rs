//! Reading both copies of the table: a [`GptReading`], and from that, only if all is well, a [`Gpt`].

use super::error::{CopyKind, DifferingPart, GptDisagreement, GptError, GptReadError};
use super::mend::GptMend;
use super::model::Gpt;
use super::protective::Mbr;
use super::read::{Disk, GptCopy};
use winrefit_disk::{Lba, ReadAt, SectorSize};

/// What is on the disk, good or bad.
#[derive(Debug, Clone)]
pub struct GptReading {
    /// The copy whose header is in LBA 1.
    pub primary: Result<GptCopy, GptError>,
    /// The copy at the primary's `AlternateLBA`, or in the last sector if the primary is damaged.
    pub backup: Result<GptCopy, GptError>,
    /// What LBA 0 says.
    pub mbr: Mbr,
    /// Size of a logical sector.
    pub sector_size: SectorSize,
    /// Length of the device in whole sectors.
    pub device_sectors: u64,
}

/// Reads both copies of the partition table. Damage of one or both is part of the value, not an error.
///
/// # Errors
/// [`GptReadError::Disk`] if LBA 0 cannot be read, [`GptReadError::NotGpt`] if neither copy shows a signature.
pub fn read_gpt(disk: &dyn ReadAt, sector_size: SectorSize) -> Result<GptReading, GptReadError> {
    let sectors = disk.size() / sector_size.bytes();
    let disk = Disk {
        disk,
        sector_size,
        sectors,
    };
    // Nothing depends on the first sector as long as one copy of the table is good; it counts as not protective then.
    let first = disk.sectors_at(Lba(0), 1);
    let mbr = Mbr::parse(first.as_deref().unwrap_or_default());
    let primary = GptCopy::read(&disk, CopyKind::Primary, Lba(1));
    let last = Lba(sectors.saturating_sub(1));
    let backup_lba = primary.as_ref().map_or(last, |copy| copy.alternate_lba);
    let backup = GptCopy::read(&disk, CopyKind::Backup, backup_lba);
    let gone = |error: &GptError| {
        matches!(
            error,
            GptError::NoSignature { .. } | GptError::HeaderOutOfBounds { .. }
        )
    };
    if primary.is_err() && backup.is_err() {
        first?;
    }
    if primary.as_ref().is_err_and(gone) && backup.as_ref().is_err_and(gone) {
        return Err(mbr.without_gpt().into());
    }
    Ok(GptReading {
        primary,
        backup,
        mbr,
        sector_size,
        device_sectors: sectors,
    })
}

impl GptReading {
    /// The table, if both copies are good, agree, and lie where they should.
    ///
    /// # Errors
    /// [`GptDisagreement`] otherwise.
    pub fn usable(&self) -> Result<Gpt, GptDisagreement> {
        let changeable = self.changeable()?;
        match changeable.mend {
            None if self.mbr.is_protective() => Ok(changeable.gpt),
            None => {
                let types = self.mbr.types();
                Err(GptDisagreement::MbrNotProtective { types })
            }
            Some(GptMend::Primary(damage)) => Err(GptDisagreement::PrimaryDamaged(damage)),
            Some(GptMend::Backup(damage)) => Err(GptDisagreement::BackupDamaged(damage)),
            Some(GptMend::BackupPlace { from, to }) => Err(GptDisagreement::BackupNotAtEnd {
                lba: from,
                last_lba: to,
            }),
        }
    }

    /// A good copy to look at, the primary before the backup. Not to be changed.
    pub fn best(&self) -> Option<&GptCopy> {
        self.primary.as_ref().or(self.backup.as_ref()).ok()
    }
}

pub(super) fn difference(a: &GptCopy, b: &GptCopy) -> Option<DifferingPart> {
    let checks = [
        (
            a.alternate_lba == b.header_lba() && b.alternate_lba == a.header_lba(),
            DifferingPart::AlternateLba,
        ),
        (a.disk_guid == b.disk_guid, DifferingPart::DiskGuid),
        (a.usable == b.usable, DifferingPart::UsableRange),
        (
            (a.entry_size, a.entry_count) == (b.entry_size, b.entry_count),
            DifferingPart::EntryGeometry,
        ),
        (a.entry_bytes() == b.entry_bytes(), DifferingPart::Entries),
    ];
    checks.into_iter().find(|(same, _)| !same).map(|(_, part)| part)
}
