//! Directories: slots of 32 bytes, a file's long name in the slots before its own.

use super::boot::Geometry;
use super::error::FatError;
use super::table::{Next, Table};
use crate::bytes::{array_at, u16_at, u32_at, utf16_units};
use winrefit_disk::ReadAt;

const SLOT_BYTES: usize = 32;
/// The most slots that a directory may have (specification, "Directory Structure").
const SLOTS_MAX: u64 = 65_536;
const ATTRIBUTES: usize = 11;
const ATTRIBUTE_VOLUME: u8 = 0x08;
const ATTRIBUTE_DIRECTORY: u8 = 0x10;
/// Attributes of a slot with a part of a long name, under this mask.
const LONG_NAME: u8 = 0x0f;
const LONG_NAME_MASK: u8 = 0x3f;
/// The first slot of a long name, which is its last part.
const LAST_PART: u8 = 0x40;
/// 20 parts of 13 characters: 255 and a terminator.
const PARTS_MAX: u8 = 20;
const PART_UNITS: usize = 13;
const DELETED: u8 = 0xe5;
/// Stands for a first character 0xE5.
const KANJI_E5: u8 = 0x05;

/// A file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FatEntry {
    /// Length of the file; 0 for a directory.
    pub size_bytes: u32,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// The first cluster of its chain.
    pub(super) first_cluster: u32,
}

/// Where a directory is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Root,
    Chain(u32),
}

/// A directory that is gone through.
pub(super) struct Directory<'v, 'd> {
    medium: &'d dyn ReadAt,
    geometry: &'v Geometry,
    /// First byte and length of what is read first, and the cluster that it is, if it is one.
    start: (u64, u64),
    cluster: Option<u32>,
}

impl<'v, 'd> Directory<'v, 'd> {
    pub fn open(medium: &'d dyn ReadAt, geometry: &'v Geometry, place: Place) -> Result<Self, FatError> {
        let (start, cluster) = match place {
            Place::Root if geometry.root_bytes > 0 => ((geometry.root_offset, geometry.root_bytes), None),
            Place::Root => ((0, 0), Some(geometry.root_cluster)),
            Place::Chain(cluster) => ((0, 0), Some(cluster)),
        };
        if let Some(cluster) = cluster.filter(|&cluster| !geometry.is_cluster(cluster)) {
            let (what, clusters) = ("the directory", geometry.clusters);
            return Err(FatError::FirstCluster {
                what,
                cluster,
                clusters,
            });
        }
        Ok(Self {
            medium,
            geometry,
            start,
            cluster,
        })
    }

    /// The entry of that name.
    pub fn find(&self, name: &str) -> Result<Option<FatEntry>, FatError> {
        let mut search = Search::new(name);
        let Some(first) = self.cluster else {
            // At most 65,535 slots: 2 MiB.
            let slots = self.medium.read_vec(self.start.0, self.start.1 as usize)?;
            return Ok(search.slots(&slots).unwrap_or_default());
        };
        let mut table = Table::new(self.medium, self.geometry);
        let mut cluster = first;
        let clusters_max = (SLOTS_MAX * SLOT_BYTES as u64).div_ceil(self.geometry.cluster_bytes);
        for _ in 0..clusters_max {
            let at = self.geometry.offset_of(cluster);
            let slots = self.medium.read_vec(at, self.geometry.cluster_bytes as usize)?;
            if let Some(answer) = search.slots(&slots) {
                return Ok(answer);
            }
            match table.next(cluster)? {
                Next::Cluster(next) => cluster = next,
                Next::End => return Ok(None),
            }
        }
        Err(FatError::Endless {
            first_cluster: first,
            clusters: clusters_max,
        })
    }
}

/// The search for a name through the slots of a directory.
struct Search {
    wanted: Vec<char>,
    wanted_text: String,
    long: LongName,
}

/// The parts of a long name that have been read.
#[derive(Default)]
struct LongName {
    /// Number of the next part; 0 when all are there.
    due: Option<u8>,
    checksum: u8,
    /// From the last part to the first.
    parts: Vec<[u16; PART_UNITS]>,
}

impl Search {
    fn new(name: &str) -> Self {
        Self {
            wanted: folded(name),
            wanted_text: name.to_owned(),
            long: LongName::default(),
        }
    }

    /// The answer, if these slots have it: the entry, or that the directory ends.
    fn slots(&mut self, slots: &[u8]) -> Option<Option<FatEntry>> {
        for slot in slots.chunks_exact(SLOT_BYTES) {
            let (Some(&first), Some(&attributes)) = (slot.first(), slot.get(ATTRIBUTES)) else {
                continue;
            };
            if first == 0 {
                return Some(None);
            }
            if first == DELETED {
                self.long = LongName::default();
            } else if attributes & LONG_NAME_MASK == LONG_NAME {
                self.long.add(slot);
            } else {
                let long = std::mem::take(&mut self.long);
                if attributes & ATTRIBUTE_VOLUME == 0 && self.is_wanted(&long, slot) {
                    return Some(entry(slot, attributes));
                }
            }
        }
        None
    }

    fn is_wanted(&self, long: &LongName, slot: &[u8]) -> bool {
        let is_long = long
            .name(slot)
            .is_some_and(|name| folded(&String::from_utf16_lossy(&name)) == self.wanted);
        is_long || short_name(slot).is_some_and(|name| name.eq_ignore_ascii_case(&self.wanted_text))
    }
}

impl LongName {
    fn add(&mut self, slot: &[u8]) {
        let (order, checksum) = (
            slot.first().copied().unwrap_or(0),
            slot.get(13).copied().unwrap_or(0),
        );
        let number = order & !LAST_PART;
        if order & LAST_PART != 0 && (1..=PARTS_MAX).contains(&number) {
            *self = Self {
                due: Some(number),
                checksum,
                parts: Vec::new(),
            };
        }
        if self.due != Some(number) || number == 0 || self.checksum != checksum {
            *self = Self::default();
            return;
        }
        let units = [(1, 11), (14, 26), (28, 32)]
            .into_iter()
            .flat_map(|(from, to)| utf16_units(slot.get(from..to).unwrap_or_default()));
        let mut part = [0; PART_UNITS];
        part.iter_mut().zip(units).for_each(|(to, unit)| *to = unit);
        self.parts.push(part);
        self.due = Some(number - 1);
    }

    /// The name, if it is whole and belongs to the short name in `slot`.
    fn name(&self, slot: &[u8]) -> Option<Vec<u16>> {
        if self.due != Some(0) || self.checksum != short_checksum(slot) {
            return None;
        }
        let units = self.parts.iter().rev().flatten().copied();
        Some(units.take_while(|&unit| unit != 0).collect())
    }
}

fn entry(slot: &[u8], attributes: u8) -> Option<FatEntry> {
    let is_directory = attributes & ATTRIBUTE_DIRECTORY != 0;
    let (high, low) = (u16_at(slot, 20)?, u16_at(slot, 26)?);
    Some(FatEntry {
        size_bytes: if is_directory { 0 } else { u32_at(slot, 28)? },
        is_directory,
        // FAT12 and FAT16 leave the high half 0, but for attributes of OS/2 that no one has any more; such a number is
        // refused as no cluster.
        first_cluster: u32::from(high) << 16 | u32::from(low),
    })
}

/// The short name as text, if it is ASCII: which character another byte stands for depends on the machine's code page.
fn short_name(slot: &[u8]) -> Option<String> {
    let mut name: [u8; 11] = array_at(slot, 0)?;
    if name[0] == KANJI_E5 {
        name[0] = DELETED;
    }
    let text = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii())?;
        Some(text.trim_end_matches(' ').to_owned())
    };
    let (base, extension) = (text(&name[..8])?, text(&name[8..])?);
    Some(if extension.is_empty() {
        base
    } else {
        format!("{base}.{extension}")
    })
}

/// The checksum by which a long name is tied to its short name.
fn short_checksum(slot: &[u8]) -> u8 {
    let name = slot.iter().take(11);
    name.fold(0u8, |sum, &byte| sum.rotate_right(1).wrapping_add(byte))
}

fn folded(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_uppercase).collect()
}
