//! Tables that can be written although one copy is not as it should be: what is sound in the other copy takes its
//! place.

use super::error::{GptDisagreement, GptError};
use super::model::{CopyBytes, Gpt, LbaRange};
use super::read::GptCopy;
use super::reading::{GptReading, difference};
use winrefit_disk::Lba;

/// What the next writing of a table mends, whatever else it changes.
#[derive(Debug, Clone)]
pub enum GptMend {
    /// The primary copy, which is made anew from the backup.
    Primary(GptError),
    /// The backup copy, which is made anew from the primary.
    Backup(GptError),
    /// The backup copy lies before the end of a disk that has grown, and so does the end of the usable range.
    BackupPlace {
        /// Where its header is.
        from: Lba,
        /// Where it belongs.
        to: Lba,
    },
}

impl GptMend {
    /// Whether the primary copy has to be written before the backup, because that is the only good one.
    pub fn is_primary_first(&self) -> bool {
        matches!(self, Self::Primary(_))
    }
}

/// A table that may be changed.
#[derive(Debug, Clone)]
pub struct ChangeableGpt {
    /// The table as it is to be: sound, with both copies where they belong.
    pub gpt: Gpt,
    /// What writing it mends.
    pub mend: Option<GptMend>,
    /// What a hybrid MBR names besides the protective entry. It knows nothing of changes to the GPT.
    pub hybrid: Vec<LbaRange>,
}

impl GptReading {
    /// The table with a damaged or misplaced copy made anew from the other one.
    ///
    /// # Errors
    /// [`GptDisagreement`] if both copies are damaged, or both are good and say different things, or LBA 0 does not
    /// protect the table.
    pub fn changeable(&self) -> Result<ChangeableGpt, GptDisagreement> {
        let (gpt, mend) = match (&self.primary, &self.backup) {
            (Ok(primary), Ok(backup)) => self.of_both(primary, backup)?,
            (Err(damage), Ok(backup)) => {
                let gpt = self.with_new_primary(backup);
                let gpt = gpt.ok_or_else(|| GptDisagreement::PrimaryDamaged(damage.clone()))?;
                (gpt, Some(GptMend::Primary(damage.clone())))
            }
            (Ok(primary), Err(damage)) => {
                let gpt = self.with_new_backup(primary);
                let gpt = gpt.ok_or_else(|| GptDisagreement::BackupDamaged(damage.clone()))?;
                (gpt, Some(GptMend::Backup(damage.clone())))
            }
            (Err(primary), Err(backup)) => {
                let (primary, backup) = (primary.clone(), backup.clone());
                return Err(GptDisagreement::BothDamaged { primary, backup });
            }
        };
        if !self.mbr.has_protective() {
            let types = self.mbr.types();
            return Err(GptDisagreement::MbrNotProtective { types });
        }
        let hybrid = self.mbr.others();
        Ok(ChangeableGpt { gpt, mend, hybrid })
    }

    fn of_both(
        &self,
        primary: &GptCopy,
        backup: &GptCopy,
    ) -> Result<(Gpt, Option<GptMend>), GptDisagreement> {
        if let Some(what) = difference(primary, backup) {
            return Err(GptDisagreement::Differ { what });
        }
        let (lba, last_lba) = (backup.header_lba(), self.last_lba());
        if lba == last_lba {
            let bytes = (primary.bytes.clone(), backup.bytes.clone());
            return Ok((self.table(primary, primary.usable, bytes), None));
        }
        let mend = GptMend::BackupPlace {
            from: lba,
            to: last_lba,
        };
        let gpt = self.with_new_backup(primary);
        let gpt = gpt.ok_or(GptDisagreement::BackupNotAtEnd { lba, last_lba })?;
        Ok((gpt, Some(mend)))
    }

    fn last_lba(&self) -> Lba {
        Lba(self.device_sectors.saturating_sub(1))
    }

    /// The primary copy where UEFI puts it: header in LBA 1, entries behind it, if partitions leave that free.
    fn with_new_primary(&self, backup: &GptCopy) -> Option<Gpt> {
        let copy = CopyBytes {
            header_lba: Lba(1),
            entries_lba: Lba(2),
            ..backup.bytes.clone()
        };
        let end = 2 + self.array_sectors(&copy);
        let is_last = backup.header_lba() == self.last_lba();
        (is_last && end <= backup.usable.start.0)
            .then(|| self.table(backup, backup.usable, (copy, backup.bytes.clone())))
    }

    /// The backup copy at the end of the disk. A usable range that ended before an older end reaches up to it.
    fn with_new_backup(&self, primary: &GptCopy) -> Option<Gpt> {
        let last = self.last_lba();
        if primary.alternate_lba > last {
            // The disk ends too early: a copy that is not complete.
            return None;
        }
        let array = self.array_sectors(&primary.bytes);
        let copy = CopyBytes {
            header_lba: last,
            entries_lba: Lba(last.0.checked_sub(array)?),
            ..primary.bytes.clone()
        };
        let has_grown = primary.alternate_lba < last;
        let end = if has_grown {
            copy.entries_lba
        } else {
            primary.usable.end
        };
        if end < primary.usable.end || end > copy.entries_lba {
            return None;
        }
        let usable = LbaRange::new(primary.usable.start, end);
        Some(self.table(primary, usable, (primary.bytes.clone(), copy)))
    }

    fn array_sectors(&self, copy: &CopyBytes) -> u64 {
        (copy.entries.len() as u64).div_ceil(self.sector_size.bytes())
    }

    fn table(&self, good: &GptCopy, usable: LbaRange, (primary, backup): (CopyBytes, CopyBytes)) -> Gpt {
        Gpt {
            sector_size: self.sector_size,
            device_sectors: self.device_sectors,
            disk_guid: good.disk_guid,
            usable,
            entry_size: good.entry_size,
            entry_count: good.entry_count,
            partitions: good.partitions.clone(),
            primary,
            backup,
        }
    }
}
