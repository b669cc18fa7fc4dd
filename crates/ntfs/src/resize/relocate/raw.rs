//! Reading records that are asked for in order.

use crate::error::NtfsError;
use crate::types::RecordNumber;
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Bytes of the $MFT that are read together.
const TOGETHER_BYTES: usize = 64 << 10;

/// Reads records in pieces of the $MFT: those that change are asked for in order, and many lie together.
#[derive(Default)]
pub(super) struct RawRecords {
    first: u64,
    bytes: Vec<u8>,
}

impl RawRecords {
    pub(super) fn get<R: ReadAt>(
        &mut self,
        volume: &Volume<R>,
        number: RecordNumber,
    ) -> Result<Vec<u8>, NtfsError> {
        let size = volume.geometry().record_size as usize;
        let known = self.first..self.first + (self.bytes.len() / size) as u64;
        if !known.contains(&number.0) {
            let records = volume.records();
            if number.0 >= records {
                return Err(NtfsError::NoSuchRecord {
                    record: number,
                    records,
                });
            }
            let together = (TOGETHER_BYTES / size) as u64;
            self.first = number.0 / together * together;
            let count = together.min(records - self.first) as usize;
            let reader = volume.stream_reader(volume.mft().clone())?;
            self.bytes = reader.read_vec(self.first * size as u64, count * size)?;
        }
        let at = (number.0 - self.first) as usize * size;
        Ok(self.bytes[at..at + size].to_vec())
    }
}
