//! The journal's header: one sector that says what the body is and how far the work has come.
//!
//! Layout: docs/formats/journal.md, little endian. A header is one logical sector, so it is on the medium wholly or not
//! at all; a change of state is one write of it.

use super::JournalError;
use crate::{ByteRange, SectorSize};
use std::fmt;
use uuid::Uuid;

/// The first eight bytes of a header.
pub const MAGIC: [u8; 8] = *b"WRFTJRNL";
/// The version that this code writes. It reads version 1 as well, which is the same without moves.
pub const VERSION: u32 = 2;
/// Length of the memo in bytes.
pub const MEMO_BYTES: usize = 256;

/// Field offsets within the header, in bytes.
pub(crate) mod at {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 8;
    pub const STATE: usize = 12;
    pub const TRANSACTION_ID: usize = 16;
    pub const DISK_GUID: usize = 32;
    pub const DEVICE_LENGTH: usize = 48;
    pub const HEADER_OFFSET: usize = 56;
    pub const SECTOR_SIZE: usize = 64;
    pub const EXTENT_COUNT: usize = 68;
    pub const BODY_OFFSET: usize = 72;
    pub const BODY_LENGTH: usize = 80;
    pub const WIPE_LENGTH: usize = 88;
    pub const CREATED: usize = 96;
    pub const BODY_SHA256: usize = 104;
    pub const MEMO: usize = 136;
    pub const MOVE_COUNT: usize = 392;
    pub const RESERVED: usize = 396;
    /// The checksum is the last field of the sector, wherever that ends.
    pub const CRC_BYTES: usize = 4;
}

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The device holds the old content; the journal is being written, or being removed. Nothing else was touched.
    Preparing,
    /// The journal is whole; the after-images are being written.
    Committed,
    /// The device holds the new content; the journal stays for an undo.
    Applied,
    /// The before-images are being written.
    Undoing,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Preparing, Self::Committed, Self::Applied, Self::Undoing];

    /// The number on disk.
    pub const fn number(self) -> u32 {
        match self {
            Self::Preparing => 1,
            Self::Committed => 2,
            Self::Applied => 3,
            Self::Undoing => 4,
        }
    }
}

impl State {
    /// The name, for people and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Committed => "committed",
            Self::Applied => "applied",
            Self::Undoing => "undoing",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A header whose checksum and ranges are right. Lengths and offsets are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// How far the transaction has come.
    pub state: State,
    /// Names the transaction.
    pub transaction_id: Uuid,
    /// The GPT disk GUID in its on-disk byte order; zero where the disk has none.
    pub disk_guid: [u8; 16],
    /// Length of the device.
    pub device_len: u64,
    /// Where the header itself lies. A header found elsewhere is a copy.
    pub header_offset: u64,
    /// Logical sector size.
    pub sector_size: SectorSize,
    /// Number of extents in the body.
    pub extent_count: u32,
    /// Number of moves in the body.
    pub move_count: u32,
    /// Where the body starts: right behind the header, or in free clusters.
    pub body_offset: u64,
    /// Length of the body, whole sectors.
    pub body_len: u64,
    /// How many bytes behind the header may be other than zero and are the journal's: the body if it lies there, and
    /// what an earlier one left in space that was free when this one was made.
    pub wipe_len: u64,
    /// When the transaction was made, in seconds since 1970 UTC, as the caller said.
    pub created_unix_seconds: u64,
    /// SHA-256 of the body.
    pub body_sha256: [u8; 32],
    /// Whatever the caller wants to remember.
    pub memo: [u8; MEMO_BYTES],
}

impl Header {
    /// The header, and what of the journal lies behind it.
    pub fn gap(&self) -> ByteRange {
        let behind = self.header_offset.saturating_add(self.sector_size.bytes());
        ByteRange::new(self.header_offset, behind.saturating_add(self.wipe_len))
    }

    /// The body.
    pub fn body(&self) -> ByteRange {
        ByteRange::new(self.body_offset, self.body_offset.saturating_add(self.body_len))
    }

    /// Whether the body lies right behind the header, and not in free clusters.
    pub fn is_body_in_gap(&self) -> bool {
        self.header_offset.checked_add(self.sector_size.bytes()) == Some(self.body_offset)
    }

    /// The header as one sector.
    pub(crate) fn to_sector(&self) -> Vec<u8> {
        let mut sector = vec![0; self.sector_size.bytes() as usize];
        let mut put = |at: usize, bytes: &[u8]| sector[at..at + bytes.len()].copy_from_slice(bytes);
        put(at::MAGIC, &MAGIC);
        put(at::VERSION, &VERSION.to_le_bytes());
        put(at::STATE, &self.state.number().to_le_bytes());
        put(at::TRANSACTION_ID, self.transaction_id.as_bytes());
        put(at::DISK_GUID, &self.disk_guid);
        put(at::DEVICE_LENGTH, &self.device_len.to_le_bytes());
        put(at::HEADER_OFFSET, &self.header_offset.to_le_bytes());
        put(at::SECTOR_SIZE, &(self.sector_size.bytes() as u32).to_le_bytes());
        put(at::EXTENT_COUNT, &self.extent_count.to_le_bytes());
        put(at::BODY_OFFSET, &self.body_offset.to_le_bytes());
        put(at::BODY_LENGTH, &self.body_len.to_le_bytes());
        put(at::WIPE_LENGTH, &self.wipe_len.to_le_bytes());
        put(at::CREATED, &self.created_unix_seconds.to_le_bytes());
        put(at::BODY_SHA256, &self.body_sha256);
        put(at::MEMO, &self.memo);
        put(at::MOVE_COUNT, &self.move_count.to_le_bytes());
        let crc_at = sector.len() - at::CRC_BYTES;
        let crc = crc32fast::hash(&sector[..crc_at]);
        sector[crc_at..].copy_from_slice(&crc.to_le_bytes());
        sector
    }

    /// The header in `sector`, which was read at `offset` of a device with that sector size, or `None` where the magic
    /// is missing. Nothing of it is believed before its checksum, and no offset before it was found to lie in `within`.
    pub(crate) fn parse(
        sector: &[u8],
        offset: u64,
        within: ByteRange,
        sector_size: SectorSize,
    ) -> Result<Option<Self>, JournalError> {
        let damaged = JournalError::DamagedHeader { offset };
        if !sector.starts_with(&MAGIC) {
            return Ok(None);
        }
        let Some((content, crc)) = sector.split_last_chunk::<{ at::CRC_BYTES }>() else {
            return Err(damaged);
        };
        if content.len() < at::RESERVED || crc32fast::hash(content) != u32::from_le_bytes(*crc) {
            return Err(damaged);
        }
        // The checksum's place is part of every version, so a wrong one is damage and not a newer layout.
        let version = u32_at(content, at::VERSION);
        if version > VERSION {
            return Err(JournalError::NewerVersion { offset, version });
        }
        let impossible = |field, value| JournalError::ImpossibleHeader { offset, field, value };
        if version == 0 {
            return Err(impossible("version", u64::from(version)));
        }
        let number = u32_at(content, at::STATE);
        let state = State::ALL.into_iter().find(|state| state.number() == number);
        let size = u32_at(content, at::SECTOR_SIZE);
        if u64::from(size) != sector_size.bytes() {
            return Err(impossible("sector size", u64::from(size)));
        }
        let header = Self {
            state: state.ok_or(impossible("state", u64::from(number)))?,
            transaction_id: Uuid::from_bytes(array_at(content, at::TRANSACTION_ID)),
            disk_guid: array_at(content, at::DISK_GUID),
            device_len: u64_at(content, at::DEVICE_LENGTH),
            header_offset: u64_at(content, at::HEADER_OFFSET),
            sector_size,
            extent_count: u32_at(content, at::EXTENT_COUNT),
            body_offset: u64_at(content, at::BODY_OFFSET),
            body_len: u64_at(content, at::BODY_LENGTH),
            wipe_len: u64_at(content, at::WIPE_LENGTH),
            created_unix_seconds: u64_at(content, at::CREATED),
            body_sha256: array_at(content, at::BODY_SHA256),
            memo: array_at(content, at::MEMO),
            move_count: u32_at(content, at::MOVE_COUNT),
        };
        header.check_ranges(offset, within)?;
        Ok(Some(header))
    }

    /// Whether the offsets and lengths are ones that this code writes, and stay inside `within`.
    fn check_ranges(&self, offset: u64, within: ByteRange) -> Result<(), JournalError> {
        let size = self.sector_size.bytes();
        let impossible = |field, value| Err(JournalError::ImpossibleHeader { offset, field, value });
        let is_length = |length: u64| length.is_multiple_of(size) && length <= super::MAX_BODY_BYTES;
        if self.header_offset != offset {
            return impossible("header offset", self.header_offset);
        }
        let (gap, body) = (self.gap(), self.body());
        let in_gap = self.is_body_in_gap();
        if !is_length(self.wipe_len) || !within.contains(&gap) || in_gap && self.wipe_len < self.body_len {
            return impossible("wipe length", self.wipe_len);
        }
        if self.body_len == 0 || !is_length(self.body_len) {
            return impossible("body length", self.body_len);
        }
        let overlaps = !in_gap && body.overlaps(&gap);
        if overlaps || !self.body_offset.is_multiple_of(size) || !within.contains(&body) {
            return impossible("body offset", self.body_offset);
        }
        Ok(())
    }
}

/// The `N` bytes at `at`; zeros where the slice is too short, which a checked caller never sees.
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk::<N>())
        .copied()
        .unwrap_or([0; N])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: ByteRange = ByteRange {
        start: 4096,
        end: 65536,
    };

    fn header(sector_size: SectorSize) -> Header {
        Header {
            state: State::Committed,
            transaction_id: Uuid::from_bytes(*b"transaction-id-0"),
            disk_guid: *b"the disk's guid.",
            device_len: 1 << 40,
            header_offset: 4096,
            sector_size,
            extent_count: 7,
            move_count: 3,
            body_offset: 4096 + sector_size.bytes(),
            body_len: 8192,
            wipe_len: 16384,
            created_unix_seconds: 1_700_000_000,
            body_sha256: [9; 32],
            memo: [0x41; MEMO_BYTES],
        }
    }

    #[test]
    fn a_header_comes_back_as_it_was_for_both_sector_sizes() {
        for size in [SectorSize::B512, SectorSize::B4096] {
            let header = header(size);
            let sector = header.to_sector();
            assert_eq!(sector.len() as u64, size.bytes());
            assert_eq!(Header::parse(&sector, 4096, WITHIN, size).unwrap(), Some(header));
        }
    }

    #[test]
    fn any_flipped_bit_is_no_header_or_a_damaged_one() {
        let sector = header(SectorSize::B512).to_sector();
        for bit in 0..sector.len() * 8 {
            let mut bad = sector.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            match Header::parse(&bad, 4096, WITHIN, SectorSize::B512) {
                Ok(None) => assert!(bit < 64, "bit {bit}"),
                Err(JournalError::DamagedHeader { offset: 4096 }) => assert!(bit >= 64, "bit {bit}"),
                other => panic!("bit {bit}: {other:?}"),
            }
        }
    }

    fn resealed(change: impl FnOnce(&mut [u8])) -> Result<Option<Header>, JournalError> {
        let mut sector = header(SectorSize::B512).to_sector();
        change(&mut sector);
        let crc = crc32fast::hash(&sector[..508]);
        sector[508..].copy_from_slice(&crc.to_le_bytes());
        Header::parse(&sector, 4096, WITHIN, SectorSize::B512)
    }

    #[test]
    fn a_newer_version_is_named() {
        let result = resealed(|sector| sector[at::VERSION] = 3);
        assert!(matches!(
            result,
            Err(JournalError::NewerVersion {
                offset: 4096,
                version: 3
            })
        ));
    }

    #[test]
    fn a_header_of_version_1_is_one_without_moves() {
        let old = resealed(|sector| {
            sector[at::VERSION] = 1;
            sector[at::MOVE_COUNT] = 0;
        });
        let expected = Header {
            move_count: 0,
            ..header(SectorSize::B512)
        };
        assert_eq!(old.unwrap(), Some(expected));
    }

    #[test]
    fn a_body_may_lie_elsewhere_but_not_in_the_gap_nor_outside() {
        // The gap ends behind the wipe length, at 20992.
        for (offset, ok) in [
            (20_992u64, true),
            (57_344, true),
            (20_480, false),
            (57_856, false),
            (0, false),
        ] {
            let result = resealed(|sector| {
                sector[at::BODY_OFFSET..at::BODY_OFFSET + 8].copy_from_slice(&offset.to_le_bytes());
            });
            assert_eq!(result.is_ok(), ok, "{offset}: {result:?}");
            assert!(result.is_err() || !result.unwrap().unwrap().is_body_in_gap());
        }
    }

    #[test]
    fn fields_that_cannot_be_are_refused_despite_a_right_checksum() {
        let cases = [
            ("header offset", at::HEADER_OFFSET, [0, 4608, u64::MAX]),
            ("body offset", at::BODY_OFFSET, [4096, 5120, u64::MAX - 511]),
            ("body length", at::BODY_LENGTH, [0, 513, 8191]),
            ("wipe length", at::WIPE_LENGTH, [512, 8193, 61440]),
            ("wipe length", at::WIPE_LENGTH, [0, 1 << 40, u64::MAX - 511]),
        ];
        for (field, at, values) in cases {
            for value in values {
                let result = resealed(|sector| sector[at..at + 8].copy_from_slice(&value.to_le_bytes()));
                assert!(
                    matches!(result, Err(JournalError::ImpossibleHeader { field: found, .. }) if found == field),
                    "{field} {value}: {result:?}"
                );
            }
        }
        for (field, at, value) in [
            ("state", at::STATE, 5u32),
            ("version", at::VERSION, 0),
            ("sector size", 64, 4096),
        ] {
            let result = resealed(|sector| sector[at..at + 4].copy_from_slice(&value.to_le_bytes()));
            assert!(
                matches!(result, Err(JournalError::ImpossibleHeader { field: found, .. }) if found == field),
                "{field}"
            );
        }
    }
}
