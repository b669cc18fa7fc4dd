//! Telling the boot store of an MBR disk where the recovery partition begins: bytes overwritten in place.

use super::{StageError, Stager, phase};
use crate::boot::{Files, LOGS, STORE_BYTES_MAX, name_of};
use crate::error::RepairError;
use crate::refusal::Refusal;
use crate::text;
use crate::text::Text;
use winrefit_disk::{ByteRange, ReadAt};
use winrefit_formats::{Bcd, HiveEdit, HiveWrite};

/// What is changed in one store.
pub(super) struct Repoint {
    pub partition: u32,
    pub path: &'static str,
    pub from_offset: u64,
    pub to_offset: u64,
}

impl Stager<'_, '_> {
    pub(super) fn patch_boot_store(&mut self, recovery: u32, change: &Repoint) -> Result<(), StageError> {
        let number = change.partition;
        let problem = |problem: Text| {
            StageError::Refused(Refusal::BootStore {
                number,
                path: change.path,
                problem,
            })
        };
        let range = self
            .table
            .range_of(number)
            .ok_or(RepairError::NoSuchPartition { number })?;
        let range = range.bytes(self.observation.sector_size);
        let (ranges, writes) = {
            let holder = self
                .observation
                .partition(number)
                .ok_or(RepairError::NoSuchPartition { number })?;
            let files = Files::open_at(&self.overlay, range, &holder.content)
                .ok_or_else(|| problem(text!("its volume cannot be read")))?;
            let ranges = files.ranges(change.path, STORE_BYTES_MAX).map_err(problem)?;
            let ranges =
                ranges.ok_or_else(|| problem(text!("its bytes do not lie on the volume as they are")))?;
            (ranges, self.writes_of(recovery, change, &files).map_err(problem)?)
        };
        // Only numbers within the data of values change, and none that Windows itself is started by, so the store is
        // whole whichever of them a power cut leaves.
        for write in writes {
            let places =
                places(&ranges, &write).ok_or_else(|| problem(text!("it is shorter than its hive")))?;
            for (offset, bytes) in places {
                self.write(range, offset, &bytes, phase::BOOT_STORE)?;
            }
        }
        Ok(())
    }

    fn writes_of(&self, recovery: u32, change: &Repoint, files: &Files<'_>) -> Result<Vec<HiveWrite>, Text> {
        let missing = || text!("it is not there any more");
        let file = files.read(change.path, STORE_BYTES_MAX)?.ok_or_else(missing)?;
        let logs = LOGS.map(|log| files.read(&format!("{}{log}", change.path), STORE_BYTES_MAX));
        let logs: Vec<Vec<u8>> = logs
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect();
        let logs: Vec<&dyn ReadAt> = logs.iter().map(|log| log as &dyn ReadAt).collect();
        let mut edit = HiveEdit::begin(&file, &logs).map_err(Text::quoted)?;
        let bcd = Bcd::read(edit.hive()).map_err(Text::quoted)?;
        let partition = self.observation.partition(recovery);
        let name = |offset| name_of(self.table.id(), partition?, offset);
        let (Some(from), Some(to)) = (name(change.from_offset), name(change.to_offset)) else {
            return Err(missing());
        };
        for element in bcd.repoint(&from, &to).map_err(Text::quoted)? {
            element.apply(&mut edit).map_err(Text::quoted)?;
        }
        edit.writes().map_err(Text::quoted)
    }
}

/// Where the bytes of a write to a file lie on the volume.
pub(super) fn places(ranges: &[ByteRange], write: &HiveWrite) -> Option<Vec<(u64, Vec<u8>)>> {
    let mut places = Vec::new();
    let (mut skip, mut rest) = (write.offset, &write.bytes[..]);
    for range in ranges {
        if rest.is_empty() {
            break;
        }
        if skip >= range.len() {
            skip -= range.len();
            continue;
        }
        let length = (range.len() - skip).min(rest.len() as u64) as usize;
        let (here, behind) = rest.split_at(length);
        places.push((range.start + skip, here.to_vec()));
        (skip, rest) = (0, behind);
    }
    rest.is_empty().then_some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_cut_at_the_borders_of_the_pieces() {
        let ranges = [
            ByteRange::new(1000, 1010),
            ByteRange::new(500, 504),
            ByteRange::new(7, 9),
        ];
        let write = |offset, length: u8| HiveWrite {
            offset,
            bytes: (0..length).collect(),
        };
        assert_eq!(
            places(&ranges, &write(8, 7)),
            Some(vec![(1008, vec![0, 1]), (500, vec![2, 3, 4, 5]), (7, vec![6])])
        );
        assert_eq!(
            places(&ranges, &write(10, 4)),
            Some(vec![(500, vec![0, 1, 2, 3])])
        );
        assert_eq!(places(&ranges, &write(10, 7)), None);
    }
}
