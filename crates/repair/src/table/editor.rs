//! A table being changed, and the sectors that this comes to.

use super::{Changeable, DiskId, PartitionType};
use winrefit_disk::Lba;
use winrefit_formats::gpt::{ChangeableGpt, GptEditError, GptMend};
use winrefit_formats::mbr::MbrEditError;
use winrefit_formats::{Guid, LbaRange, Mbr, MbrSlot, Partition};

/// A table being changed.
#[derive(Debug, Clone)]
pub struct TableEditor(Changeable);

/// A piece of a table and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableWrite {
    /// First sector.
    pub lba: Lba,
    /// Whole sectors.
    pub bytes: Vec<u8>,
}

/// Why a table does not take a change.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TableEditError {
    /// Of a GPT.
    #[error(transparent)]
    Gpt(#[from] GptEditError),
    /// Of an MBR.
    #[error(transparent)]
    Mbr(#[from] MbrEditError),
}

impl TableEditor {
    /// An editor of a table.
    pub fn new(table: &Changeable) -> Self {
        Self(table.clone())
    }

    /// Where a partition lies by now.
    pub fn range_of(&self, number: u32) -> Option<LbaRange> {
        match &self.0 {
            Changeable::Gpt(gpt) => gpt.gpt.partition(number).map(|p| p.range),
            Changeable::Mbr(mbr) => mbr.partition(number).map(|p| p.range),
        }
    }

    /// The place of a logical partition's EBR by now.
    pub fn ebr_of(&self, number: u32) -> Option<Lba> {
        match &self.0 {
            Changeable::Gpt(_) => None,
            Changeable::Mbr(mbr) => ebr_of(mbr, number),
        }
    }

    /// What Windows knows the disk by.
    pub fn id(&self) -> DiskId {
        match &self.0 {
            Changeable::Gpt(gpt) => DiskId::Gpt(gpt.gpt.disk_guid()),
            Changeable::Mbr(mbr) => DiskId::Mbr(mbr.disk_signature()),
        }
    }

    /// Moves the borders of a partition. All else about it stays.
    ///
    /// # Errors
    /// [`TableEditError`]; then nothing has changed.
    pub fn set_range(&mut self, number: u32, range: LbaRange) -> Result<(), TableEditError> {
        match &mut self.0 {
            Changeable::Gpt(gpt) => Ok(gpt.gpt.set_range(number, range)?),
            Changeable::Mbr(mbr) => Ok(mbr.set_range(number, range)?),
        }
    }

    /// Adds a partition with its type in the first slot that is free.
    ///
    /// # Errors
    /// [`TableEditError`]; then nothing has changed.
    pub fn add(
        &mut self,
        number: u32,
        kind: PartitionType,
        range: LbaRange,
        gpt_only: (Guid, u64, &str),
    ) -> Result<(), TableEditError> {
        let (unique_guid, attributes, name) = gpt_only;
        match (&mut self.0, kind) {
            (Changeable::Gpt(gpt), PartitionType::Gpt(type_guid)) => Ok(gpt.gpt.add(Partition {
                number,
                type_guid,
                unique_guid,
                range,
                attributes,
                name: winrefit_formats::PartitionName::new(name)?,
            })?),
            (Changeable::Mbr(mbr), PartitionType::Mbr(code)) => Ok(mbr.add_primary(number, code, range)?),
            // A type of the other style fits no entry.
            (Changeable::Gpt(_), _) => Err(GptEditError::NoSuchPartition { number }.into()),
            (Changeable::Mbr(_), _) => Err(MbrEditError::NoSuchEntry { number }.into()),
        }
    }

    /// Removes a partition. The numbers of the others stay, so a logical partition cannot go.
    ///
    /// # Errors
    /// [`TableEditError`]; then nothing has changed.
    pub fn remove(&mut self, number: u32) -> Result<(), TableEditError> {
        match &mut self.0 {
            Changeable::Gpt(gpt) => Ok(gpt.gpt.remove(number)?),
            Changeable::Mbr(mbr) => Ok(mbr.remove_primary(number)?),
        }
    }

    /// What to write so that the EBRs of logical partitions that begin earlier in `self` are out of the way of what
    /// will be there, while the partitions themselves still begin where they did. `old` is the table before.
    ///
    /// # Errors
    /// [`TableEditError`] if the EBRs cannot be moved on their own.
    pub fn clearing(&self, old: &Changeable) -> Result<Vec<Vec<TableWrite>>, TableEditError> {
        let (Changeable::Mbr(new), Changeable::Mbr(old)) = (&self.0, old) else {
            return Ok(Vec::new());
        };
        let logical = old.partitions().iter().filter(|p| p.is_logical());
        let moved: Vec<(u32, Lba)> = logical
            .filter_map(|p| {
                let place = ebr_of(new, p.number)?;
                (ebr_of(old, p.number) != Some(place)).then_some((p.number, place))
            })
            .collect();
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let mut table = old.as_ref().clone();
        // What ends earlier gives the room that the EBRs need.
        for old in old.partitions() {
            if let Some(new) = new.partition(old.number)
                && new.range.start == old.range.start
                && new.range.end < old.range.end
            {
                table.set_range(old.number, new.range)?;
            }
        }
        for (number, place) in moved {
            table.move_ebr(number, place)?;
        }
        Ok(mbr_writes(&table))
    }

    /// The sectors of the table, in groups of which each has to be durable before the next is begun. A copy that is
    /// good is not written while the other one is not.
    pub fn writes(&self) -> Vec<Vec<TableWrite>> {
        match &self.0 {
            Changeable::Gpt(gpt) => gpt_writes(gpt),
            Changeable::Mbr(mbr) => mbr_writes(mbr),
        }
    }
}

fn ebr_of(mbr: &Mbr, number: u32) -> Option<Lba> {
    match mbr.partition(number)?.slot {
        MbrSlot::Logical { ebr, .. } => Some(ebr),
        MbrSlot::Primary(_) => None,
    }
}

fn gpt_writes(gpt: &ChangeableGpt) -> Vec<Vec<TableWrite>> {
    let encoded = gpt.gpt.encode();
    let write = |part: winrefit_formats::gpt::EncodedPart| TableWrite {
        lba: part.lba,
        bytes: part.bytes,
    };
    let primary = vec![write(encoded.primary_entries), write(encoded.primary_header)];
    let backup = vec![write(encoded.backup_entries), write(encoded.backup_header)];
    if gpt.mend.as_ref().is_some_and(GptMend::is_primary_first) {
        vec![primary, backup]
    } else {
        vec![backup, primary]
    }
}

fn mbr_writes(mbr: &Mbr) -> Vec<Vec<TableWrite>> {
    let writes = mbr.writes().into_iter().map(|write| TableWrite {
        lba: write.lba,
        bytes: write.bytes,
    });
    writes.map(|write| vec![write]).collect()
}
