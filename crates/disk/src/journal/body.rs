//! The journal's body: a table of extents, a table of moves, the extents' after-images, their before-images.
//!
//! Layout: docs/formats/journal.md, little endian. The images follow in the table's order without gaps; zeros fill the
//! last sector. Both ways it passes through in chunks: the images are in memory once.

use super::header::{Header, u32_at, u64_at};
use super::images::{Gather, Meter};
use super::{Extent, JournalError, MAX_BODY_BYTES, Transaction};
use crate::{Device, DiskError, Move, ReadAt, SectorSize};
use sha2::{Digest, Sha256};

/// Length of an entry of the extent table in bytes.
pub(crate) const ENTRY_BYTES: usize = 16;
/// Length of an entry of the move table in bytes.
pub(crate) const MOVE_BYTES: usize = 24;

/// Bytes that are read in one go.
const CHUNK_BYTES: u64 = 1 << 20;

/// Field offsets within an entry of the extent table, in bytes.
pub(crate) mod at {
    pub const OFFSET: usize = 0;
    pub const LENGTH: usize = 8;
    pub const PHASE: usize = 12;
}

/// Field offsets within an entry of the move table, in bytes.
pub(crate) mod move_at {
    pub const TO: usize = 0;
    pub const FROM: usize = 8;
    pub const LENGTH: usize = 16;
}

/// Length of the body of `transaction`, whole sectors, or [`JournalError::TooLarge`].
pub(super) fn length(transaction: &Transaction, sector_size: SectorSize) -> Result<u64, JournalError> {
    let entry = |extent: &Extent| (ENTRY_BYTES + extent.before.len() + extent.after.len()) as u64;
    // Memory holds the images, so the sum fits.
    let extents: u64 = transaction.extents.iter().map(entry).sum();
    let needed =
        (extents + (transaction.moves.len() * MOVE_BYTES) as u64).next_multiple_of(sector_size.bytes());
    if needed > MAX_BODY_BYTES {
        return Err(JournalError::TooLarge {
            needed,
            limit: MAX_BODY_BYTES,
        });
    }
    Ok(needed)
}

/// Passes the body of a checked transaction on, piece by piece and without its padding.
fn encode(
    transaction: &Transaction,
    put: &mut dyn FnMut(&[u8]) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    for extent in &transaction.extents {
        let mut entry = [0; ENTRY_BYTES];
        entry[at::OFFSET..at::LENGTH].copy_from_slice(&extent.offset.to_le_bytes());
        // At most MAX_BODY_BYTES, so it fits.
        entry[at::LENGTH..at::PHASE].copy_from_slice(&(extent.after.len() as u32).to_le_bytes());
        entry[at::PHASE] = extent.phase;
        put(&entry)?;
    }
    for &Move { to, from, length } in &transaction.moves {
        let mut entry = [0; MOVE_BYTES];
        entry[move_at::TO..move_at::FROM].copy_from_slice(&to.to_le_bytes());
        entry[move_at::FROM..move_at::LENGTH].copy_from_slice(&from.to_le_bytes());
        entry[move_at::LENGTH..].copy_from_slice(&length.to_le_bytes());
        put(&entry)?;
    }
    transaction
        .extents
        .iter()
        .try_for_each(|extent| put(&extent.after))?;
    transaction
        .extents
        .iter()
        .try_for_each(|extent| put(&extent.before))
}

/// Writes the body to its place, not flushed, and gives its checksum.
pub(super) fn write(
    device: &mut impl Device,
    header: &Header,
    transaction: &Transaction,
    meter: &mut Meter<'_>,
) -> Result<[u8; 32], DiskError> {
    let mut hasher = Sha256::new();
    let mut gather = Gather::new(device, meter);
    let mut at = header.body_offset;
    encode(transaction, &mut |bytes| {
        hasher.update(bytes);
        gather.write(at, bytes)?;
        at += bytes.len() as u64;
        Ok(())
    })?;
    // Less than a sector.
    let padding = vec![0; (header.body().end - at) as usize];
    hasher.update(&padding);
    gather.write(at, &padding)?;
    gather.finish()?;
    Ok(hasher.finalize().into())
}

/// Reads a body from front to back and computes its checksum on the way.
struct Reader<'d, R: ?Sized> {
    device: &'d R,
    at: u64,
    end: u64,
    hasher: Sha256,
    /// What was read and not yet taken, from `taken` on.
    chunk: Vec<u8>,
    taken: usize,
}

impl<'d, R: ReadAt + ?Sized> Reader<'d, R> {
    fn new(device: &'d R, header: &Header) -> Self {
        let body = header.body();
        Self {
            device,
            at: body.start,
            end: body.end,
            hasher: Sha256::new(),
            chunk: Vec::new(),
            taken: 0,
        }
    }

    /// Bytes not yet taken.
    fn left(&self) -> u64 {
        self.end - self.at + (self.chunk.len() - self.taken) as u64
    }

    /// The next `count` bytes, or `None` if there are not so many.
    fn take(&mut self, count: usize) -> Result<Option<Vec<u8>>, DiskError> {
        // Nothing is allocated for more than the body has, which has a limit.
        if count as u64 > self.left() {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            if self.taken == self.chunk.len() {
                let length = (self.end - self.at).min(CHUNK_BYTES);
                self.chunk = self.device.read_vec(self.at, length as usize)?;
                self.hasher.update(&self.chunk);
                self.at += length;
                self.taken = 0;
            }
            let rest = &self.chunk[self.taken..];
            let part = rest.len().min(count - bytes.len());
            bytes.extend_from_slice(&rest[..part]);
            self.taken += part;
        }
        Ok(Some(bytes))
    }
}

/// The transaction of a body, or `None` where the checksum is wrong or the tables do not fit the body's length exactly.
/// The caller checks what the tables say.
pub(super) fn read(
    device: &(impl ReadAt + ?Sized),
    header: &Header,
) -> Result<Option<Transaction>, DiskError> {
    let mut reader = Reader::new(device, header);
    let transaction = decode(&mut reader, header)?;
    let right = reader.hasher.finalize()[..] == header.body_sha256[..];
    Ok(transaction.filter(|_| right))
}

/// What the body would say if its checksum were right. Reads all of it, unless it cannot be.
fn decode<R: ReadAt + ?Sized>(
    reader: &mut Reader<'_, R>,
    header: &Header,
) -> Result<Option<Transaction>, DiskError> {
    let size = header.sector_size.bytes();
    let table_len = |count: u32, entry: usize| (count as usize).checked_mul(entry);
    let (Some(extents_len), Some(moves_len)) = (
        table_len(header.extent_count, ENTRY_BYTES),
        table_len(header.move_count, MOVE_BYTES),
    ) else {
        return Ok(None);
    };
    let Some(table) = reader.take(extents_len)? else {
        return Ok(None);
    };
    let Some(moves) = reader.take(moves_len)? else {
        return Ok(None);
    };
    let lengths = || {
        table
            .chunks_exact(ENTRY_BYTES)
            .map(|entry| u32_at(entry, at::LENGTH))
    };
    let images = lengths().map(u64::from).sum::<u64>().saturating_mul(2);
    // Both bounds before anything is allocated: an entry without an image is impossible, and so is a sector to spare.
    let spare = reader.left().checked_sub(images);
    if lengths().any(|length| u64::from(length) < size) || spare.is_none_or(|spare| spare >= size) {
        return Ok(None);
    }
    let mut extents = Vec::with_capacity(header.extent_count as usize);
    for entry in table.chunks_exact(ENTRY_BYTES) {
        let Some(after) = reader.take(u32_at(entry, at::LENGTH) as usize)? else {
            return Ok(None);
        };
        extents.push(Extent {
            offset: u64_at(entry, at::OFFSET),
            before: Vec::new(),
            after,
            phase: entry[at::PHASE],
        });
    }
    for extent in &mut extents {
        let Some(before) = reader.take(extent.after.len())? else {
            return Ok(None);
        };
        extent.before = before;
    }
    let padding = reader.take(reader.left() as usize)?;
    if padding.is_none_or(|padding| padding.iter().any(|byte| *byte != 0)) {
        return Ok(None);
    }
    let moves = moves.chunks_exact(MOVE_BYTES).map(|entry| Move {
        to: u64_at(entry, move_at::TO),
        from: u64_at(entry, move_at::FROM),
        length: u64_at(entry, move_at::LENGTH),
    });
    let moves = moves.collect();
    Ok(Some(Transaction { extents, moves }))
}

#[cfg(test)]
mod tests {
    use super::super::{MEMO_BYTES, Stage, State};
    use super::*;
    use crate::MemoryDevice;
    use uuid::Uuid;

    fn extent(offset: u64, sectors: usize, phase: u8) -> Extent {
        Extent {
            offset,
            before: vec![phase; sectors * 512],
            after: vec![phase + 100; sectors * 512],
            phase,
        }
    }

    fn transaction() -> Transaction {
        // Longer than two chunks in all, and with borders of chunks inside of images.
        let extents = vec![extent(8192, 2, 3), extent(4096, 1, 1), extent(1 << 20, 2500, 2)];
        let moves = vec![
            Move {
                to: 512,
                from: 1 << 21,
                length: 1024,
            },
            Move {
                to: 0,
                from: 5,
                length: u64::MAX,
            },
        ];
        Transaction { extents, moves }
    }

    /// A device with the body of `transaction` at byte 4096, and its header.
    fn written(transaction: &Transaction) -> (MemoryDevice, Header) {
        let mut device = MemoryDevice::zeroed(4 << 20, SectorSize::B512);
        let body_len = length(transaction, SectorSize::B512).unwrap();
        let mut header = Header {
            state: State::Committed,
            transaction_id: Uuid::nil(),
            disk_guid: [0; 16],
            device_len: 4 << 20,
            header_offset: 0,
            sector_size: SectorSize::B512,
            extent_count: transaction.extents.len() as u32,
            move_count: transaction.moves.len() as u32,
            body_offset: 4096,
            body_len,
            wipe_len: 0,
            created_unix_seconds: 0,
            body_sha256: [0; 32],
            memo: [0; MEMO_BYTES],
        };
        let mut tell = |_| ();
        let mut meter = Meter::new(&mut tell, Stage::Journal, body_len);
        header.body_sha256 = write(&mut device, &header, transaction, &mut meter).unwrap();
        (device, header)
    }

    /// With a right checksum, whatever the body says by now.
    fn resealed(device: &MemoryDevice, header: &Header) -> Option<Transaction> {
        let body = device
            .read_vec(header.body_offset, header.body_len as usize)
            .unwrap();
        let body_sha256 = Sha256::digest(&body).into();
        read(
            device,
            &Header {
                body_sha256,
                ..header.clone()
            },
        )
        .unwrap()
    }

    #[test]
    fn a_body_comes_back_as_it_was_and_only_with_its_checksum() {
        let transaction = transaction();
        let (mut device, header) = written(&transaction);
        let tables = 3 * ENTRY_BYTES as u64 + 2 * MOVE_BYTES as u64;
        assert_eq!(header.body_len, (tables + 2 * 2503 * 512).next_multiple_of(512));
        assert!(read(&device, &header).unwrap() == Some(transaction.clone()));
        assert!(resealed(&device, &header) == Some(transaction));
        for at in [0, 17, tables, 1 << 20, header.body_len - 600] {
            device.bytes_mut()[4096 + at as usize] ^= 1;
            assert!(read(&device, &header).unwrap().is_none(), "{at}");
            device.bytes_mut()[4096 + at as usize] ^= 1;
        }
    }

    #[test]
    fn a_table_that_does_not_fit_the_body_is_refused_despite_a_right_checksum() {
        let (mut device, header) = written(&transaction());
        let (extent_count, move_count) = (header.extent_count, header.move_count);
        for (extent_count, move_count) in [
            (0, move_count),
            (2, move_count),
            (100_000, move_count),
            (u32::MAX, move_count),
            (extent_count, 30),
            (extent_count, u32::MAX),
        ] {
            let wrong = Header {
                extent_count,
                move_count,
                ..header.clone()
            };
            assert!(
                resealed(&device, &wrong).is_none(),
                "{extent_count}, {move_count}"
            );
        }
        for length in [0u32, 511, 512, 1536, u32::MAX] {
            let at = 4096 + at::LENGTH;
            device.bytes_mut()[at..at + 4].copy_from_slice(&length.to_le_bytes());
            assert!(resealed(&device, &header).is_none(), "{length}");
        }
        let (mut device, header) = written(&transaction());
        device.bytes_mut()[(header.body().end - 1) as usize] = 1;
        assert!(resealed(&device, &header).is_none(), "padding");
    }

    #[test]
    fn a_transaction_over_the_limit_is_refused() {
        let half = MAX_BODY_BYTES as usize / 2;
        let big = Extent {
            offset: 4096,
            before: vec![0; half],
            after: vec![0; half],
            phase: 0,
        };
        let (extents, moves) = (vec![big], Vec::new());
        assert!(matches!(
            length(&Transaction { extents, moves }, SectorSize::B512),
            Err(JournalError::TooLarge { .. })
        ));
    }
}
