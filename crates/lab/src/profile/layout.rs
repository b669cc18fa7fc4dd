//! Where the partitions of a profile lie on a disk, and which numbers they have.

use super::{Alignment, PartitionStyle, Profile, Quirk, Role, Size};
use winrefit_disk::ByteRange;

const MIB: u64 = 1 << 20;

/// Alignment of partitions, and the space that Windows Setup leaves unused at both ends of a disk.
pub const ALIGNMENT_BYTES: u64 = MIB;

/// Length of a GPT's table of 128 entries.
const ENTRIES_BYTES: u64 = 16 << 10;
/// The least that "the rest" may be.
const SMALLEST_REST_BYTES: u64 = 256 * MIB;
/// Sectors of a track and of a cylinder in the geometry that all BIOS disks have since about 1995.
const TRACK_SECTORS: u64 = 63;
const CYLINDER_SECTORS: u64 = 255 * TRACK_SECTORS;
/// Sectors that 32 bits can count.
const MBR_SECTORS_MAX: u64 = 1 << 32;
/// Entries of an MBR; logical partitions are numbered behind them.
const MBR_ENTRIES: u32 = 4;

/// Where a partition or a gap lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// On the disk, in bytes.
    pub range: ByteRange,
    /// Number in the partition table; a gap has none.
    pub number: Option<u32>,
    /// Of a logical partition: where its extended boot record lies, in bytes.
    pub ebr: Option<u64>,
}

/// A profile that cannot be laid out on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The disk is too small for the partitions.
    #[error("the disk has {actual_bytes} bytes; the partitions of this profile need {needed_bytes}")]
    DiskTooSmall {
        /// What the partitions of fixed size, the least rest and both ends need.
        needed_bytes: u64,
        /// What there is.
        actual_bytes: u64,
    },
    /// The profile itself is wrong: more than one rest, or a size that is not aligned.
    #[error("partition {number} of the profile has a size that cannot be placed")]
    Size {
        /// Its place in the profile, from 1.
        number: u32,
    },
    /// The profile itself is wrong: more entries than an MBR has, a second extended partition, or a logical partition
    /// on a GPT disk.
    #[error("partition {number} of the profile has no entry in the partition table")]
    Entry {
        /// Its place in the profile, from 1.
        number: u32,
    },
}

impl Profile {
    /// Bytes that the partition table knows of on a disk of `disk_size_bytes`.
    pub fn table_size_bytes(&self, disk_size_bytes: u64) -> u64 {
        match (self.style, self.quirk) {
            (PartitionStyle::Mbr(_), _) => disk_size_bytes.min(MBR_SECTORS_MAX * self.sector_size.bytes()),
            (PartitionStyle::Gpt, Some(Quirk::Grown(by_bytes))) => disk_size_bytes.saturating_sub(by_bytes),
            (PartitionStyle::Gpt, _) => disk_size_bytes,
        }
    }

    /// Where each partition or gap lies on a disk of `disk_size_bytes`, in the order of [`Profile::partitions`]. The
    /// first begins at 1 MiB, each follows right behind the one before, a logical one 1 MiB later, and the last ends
    /// at the highest multiple of 1 MiB that leaves 1 MiB of the disk, unless none takes the rest. Older alignments
    /// put the borders somewhat lower.
    ///
    /// # Errors
    /// [`LayoutError`] if they do not fit.
    pub fn layout(&self, disk_size_bytes: u64) -> Result<Vec<Place>, LayoutError> {
        let numbers = self.numbers()?;
        let table_bytes = self.table_size_bytes(disk_size_bytes);
        let usable_bytes =
            (table_bytes / ALIGNMENT_BYTES * ALIGNMENT_BYTES).saturating_sub(2 * ALIGNMENT_BYTES);
        let (fixed_bytes, needed_bytes) = self.needs()?;
        if usable_bytes < needed_bytes {
            let needed_bytes = needed_bytes
                .saturating_add(2 * ALIGNMENT_BYTES)
                .saturating_add(disk_size_bytes - table_bytes);
            return Err(LayoutError::DiskTooSmall {
                needed_bytes,
                actual_bytes: disk_size_bytes,
            });
        }
        let mut end = ALIGNMENT_BYTES;
        let places = self.partitions.iter().zip(numbers).map(|(spec, number)| {
            let length = match spec.size {
                Size::Bytes(bytes) => bytes,
                Size::Rest => usable_bytes - fixed_bytes,
            };
            let ebr = (spec.logical && number.is_some()).then_some(end);
            let start = end + ebr.map_or(0, |_| ALIGNMENT_BYTES);
            end = start + length;
            let range = ByteRange::new(start, end);
            Place { range, number, ebr }
        });
        let mut places: Vec<_> = places.collect();
        self.align(&mut places);
        if let (Some(Quirk::EndsAtLastUsable), Some(last)) = (self.quirk, places.last_mut()) {
            // Behind it: the entries of the second copy, and its header.
            let sector = self.sector_size.bytes();
            last.range.end = table_bytes / sector * sector - ENTRIES_BYTES - sector;
        }
        Ok(places)
    }

    /// Bytes of the partitions of fixed size and the EBRs, and the same with the least rest.
    fn needs(&self) -> Result<(u64, u64), LayoutError> {
        let (mut fixed_bytes, mut rests) = (0u64, 0);
        for (spec, number) in self.partitions.iter().zip(1..) {
            let add = match spec.size {
                Size::Bytes(bytes) if bytes > 0 && bytes % ALIGNMENT_BYTES == 0 => bytes,
                Size::Rest if rests == 0 => {
                    rests = 1;
                    0
                }
                _ => return Err(LayoutError::Size { number }),
            };
            let has_ebr = spec.logical && spec.role != Role::Unallocated;
            fixed_bytes = fixed_bytes
                .checked_add(add + u64::from(has_ebr) * ALIGNMENT_BYTES)
                .ok_or(LayoutError::Size { number })?;
        }
        Ok((
            fixed_bytes,
            fixed_bytes.saturating_add(rests * SMALLEST_REST_BYTES),
        ))
    }

    /// The number of each partition. Of an MBR the extended one takes an entry before the first logical one.
    fn numbers(&self) -> Result<Vec<Option<u32>>, LayoutError> {
        let (mut next, mut next_logical) = (1, MBR_ENTRIES + 1);
        let mut numbers = Vec::new();
        let mut was_logical = false;
        for (spec, place) in self.partitions.iter().zip(1..) {
            let begins_extended = spec.logical && !was_logical;
            was_logical = spec.logical;
            if begins_extended {
                // The extended partition begins with an EBR, so with a partition.
                let is_gap = spec.role == Role::Unallocated;
                if !self.is_mbr() || next_logical > MBR_ENTRIES + 1 || is_gap {
                    return Err(LayoutError::Entry { number: place });
                }
                next += 1;
            }
            let number = match (spec.role, spec.logical) {
                (Role::Unallocated, _) => None,
                (_, true) => Some(&mut next_logical),
                (_, false) => Some(&mut next),
            };
            numbers.push(number.map(|next| {
                *next += 1;
                *next - 1
            }));
            if self.is_mbr() && next > MBR_ENTRIES + 1 {
                return Err(LayoutError::Entry { number: place });
            }
        }
        Ok(numbers)
    }

    /// The number and the place of the extended partition on a disk with these places.
    pub(crate) fn extended(&self, places: &[Place]) -> Option<(u32, ByteRange)> {
        let placed = || self.partitions.iter().zip(places);
        let first = placed().position(|(spec, _)| spec.logical)?;
        let last = placed().rposition(|(spec, _)| spec.logical)?;
        let start = places[first].ebr.unwrap_or(places[first].range.start);
        let before = placed().take(first).filter(|(_, place)| place.number.is_some());
        let number = before.count() as u32 + 1;
        Some((number, ByteRange::new(start, places[last].range.end)))
    }

    /// Moves the borders to where older systems put them.
    fn align(&self, places: &mut [Place]) {
        let PartitionStyle::Mbr(spec) = self.style else {
            return;
        };
        let sector = self.sector_size.bytes();
        let track = TRACK_SECTORS * sector;
        if let (Alignment::FirstAtTrack, Some(first)) = (spec.alignment, places.first_mut()) {
            first.range.start = track;
        }
        if spec.alignment != Alignment::Cylinder {
            return;
        }
        let cylinder = CYLINDER_SECTORS * sector;
        let lowered = |offset: u64| offset / cylinder * cylinder;
        for place in places {
            let start = lowered(place.ebr.unwrap_or(place.range.start));
            place.ebr = place.ebr.map(|_| start);
            // The MBR has the first track for itself, as an EBR has.
            let is_behind_record = start == 0 || place.ebr.is_some();
            place.range.start = start + u64::from(is_behind_record) * track;
            place.range.end = lowered(place.range.end);
        }
    }
}

#[cfg(test)]
mod tests;
