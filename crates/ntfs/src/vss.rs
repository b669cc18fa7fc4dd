//! Volume shadow copies ("snapshots") of the provider that is part of Windows: how many a volume has, and how to let
//! it have none.
//!
//! A header at byte 0x1E00, within $Boot, names the first block of a catalog; the catalog's blocks are chained, and
//! their entries describe the stores (Joachim Metz, "Volume Shadow Snapshot (VSS) format", libvshadow). Every offset in
//! them counts from the start of the volume, so none survives that a store is moved, or the start of the volume is.
//!
//! No content makes reading panic, loop, or allocate out of proportion: the chain of blocks has a limit and no block is
//! read twice.
//!
//! ```
//! use winrefit_disk::{MemoryDevice, SectorSize};
//! use winrefit_ntfs::format::{FormatOptions, VolumeBuilder};
//! use winrefit_ntfs::vss::{self, ShadowCopies};
//! use winrefit_ntfs::Volume;
//!
//! let mut disk = MemoryDevice::zeroed(16 << 20, SectorSize::B512);
//! VolumeBuilder::new(FormatOptions::new((16 << 20) / 512))?.write_to(&mut disk)?;
//!
//! let volume = Volume::open(&disk)?;
//! match ShadowCopies::read(&volume)? {
//!     ShadowCopies::NoHeader | ShadowCopies::NoCatalog => println!("none"),
//!     ShadowCopies::Catalog(catalog) => println!("{}", catalog.stores.len()),
//!     ShadowCopies::Damaged(damage) => println!("{damage}"),
//! }
//! assert!(vss::disable(&volume)?.0.is_empty(), "nothing to do here");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # No shadow copies
//!
//! [`disable`] sets the catalog's offset in the header to 0. That is "no catalog" in the format's documentation, which
//! says that a volume is so when shadow copies are enabled and there is none; libvshadow reads it as no stores. The
//! rest of the header, with the storage limit in it, stays. **Not proven on a running Windows.**
//!
//! The stores' files in `\System Volume Information` stay, as ordinary files that nothing refers to ([`storage`] says
//! how large they are). Windows has a function that removes such files
//! (`IVssDifferentialSoftwareSnapshotMgmt3::DeleteUnusedDiffAreas`); whether it does so by itself is not known.

use crate::bytes::{put, take, u32_at, u64_at};
use crate::edit::{Edit, Edits};
use crate::error::NtfsError;
use crate::types::AttributeType;
use crate::volume::Volume;
use std::collections::{BTreeMap, BTreeSet};
use winrefit_disk::{DiskError, ReadAt};

/// Byte offset of the header on the volume.
pub const HEADER_OFFSET: u64 = 0x1E00;
/// Identifier of all structures, 3808876b-c176-4e48-b7ae-04046e6cc752.
pub const IDENTIFIER: [u8; 16] = [
    0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52,
];
/// What the names of all stores end with; by itself it is the name of the catalog.
const FILE_SUFFIX: &str = "{3808876b-c176-4e48-b7ae-04046e6cc752}";
/// Where these files are.
const DIRECTORY: &str = r"\System Volume Information";

const HEADER_BYTES: usize = 512;
const BLOCK_BYTES: u64 = 0x4000;
const ENTRY_BYTES: usize = 128;
/// Blocks that a catalog can have: 4 MiB. Windows keeps 512 shadow copies of a volume, with two entries each.
const BLOCKS_MAX: usize = 256;

/// Offsets in the header and in catalog blocks.
mod offsets {
    pub const VERSION: usize = 16;
    pub const RECORD_TYPE: usize = 20;
    pub const HEADER_OWN: usize = 24;
    /// Behind the block's offset from the first one.
    pub const BLOCK_OWN: usize = 32;
    pub const NEXT_BLOCK: usize = 40;
    pub const CATALOG: usize = 48;
}
const RECORD_TYPE_HEADER: u32 = 1;
const RECORD_TYPE_CATALOG: u32 = 2;
/// Windows Vista and 7 write version 1, Windows 8 and later version 2.
const VERSIONS: std::ops::RangeInclusive<u32> = 1..=2;

/// What a volume has of shadow copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShadowCopies {
    /// No header: Windows has not had any here.
    NoHeader,
    /// A header that names no catalog: there are none now.
    NoCatalog,
    /// A catalog, whole.
    Catalog(Catalog),
    /// There is a header, and it or the catalog cannot be read; so there may be some.
    Damaged(VssDamage),
}

/// The catalog of a volume's shadow copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// Byte offset of its first block on the volume.
    pub offset: u64,
    /// Byte behind the last of its blocks.
    pub end: u64,
    /// The shadow copies, oldest first. May be none.
    pub stores: Vec<Store>,
}

/// A shadow copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// GUID, in its on-disk form; the name of the store's file begins with it.
    pub id: [u8; 16],
    /// When it was made, in 100 ns since 1601 (FILETIME). `None` if the catalog only says where it is kept.
    pub created: Option<u64>,
}

/// A structure that is there according to its identifier or to what refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// The header within $Boot.
    Header,
    /// The chain of catalog blocks; its position is that of the header or block that names the next one.
    Chain,
    /// A block of the catalog.
    CatalogBlock,
    /// An entry in a block.
    CatalogEntry,
}

impl std::fmt::Display for Structure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Chain => "chain of catalog blocks",
            Self::CatalogBlock => "catalog block",
            Self::CatalogEntry => "catalog entry",
        })
    }
}

/// What is wrong with a header or a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("shadow copies: in the {structure} at byte {position:#x} the {field} is {actual:#x}")]
pub struct VssDamage {
    /// Which structure.
    pub structure: Structure,
    /// Its byte offset on the volume.
    pub position: u64,
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub actual: u64,
}

/// Why shadow copies cannot be disabled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VssError {
    /// The header is of a form that is not known, so nobody can say what a change of it would mean.
    #[error(transparent)]
    Damaged(#[from] VssDamage),
    /// The medium failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl ShadowCopies {
    /// Reads the header and walks the catalog.
    ///
    /// # Errors
    /// An error of the medium. Damage is no error but an answer.
    pub fn read<R: ReadAt>(volume: &Volume<R>) -> Result<Self, DiskError> {
        match Self::read_whole(volume) {
            Ok(found) => Ok(found),
            Err(VssError::Damaged(damage)) => Ok(Self::Damaged(damage)),
            Err(VssError::Disk(error)) => Err(error),
        }
    }

    fn read_whole<R: ReadAt>(volume: &Volume<R>) -> Result<Self, VssError> {
        let Some(header) = Header::read(volume.reader())? else {
            return Ok(Self::NoHeader);
        };
        match header.catalog_offset()? {
            0 => Ok(Self::NoCatalog),
            offset => Walk::default().catalog(volume, offset).map(Self::Catalog),
        }
    }

    /// The shadow copies, as far as they could be read.
    pub fn stores(&self) -> &[Store] {
        match self {
            Self::Catalog(catalog) => &catalog.stores,
            _ => &[],
        }
    }
}

/// The header's bytes; they begin with the identifier.
struct Header([u8; HEADER_BYTES]);

impl Header {
    fn read<R: ReadAt>(reader: &R) -> Result<Option<Self>, DiskError> {
        let mut bytes = [0; HEADER_BYTES];
        if reader.size() < HEADER_OFFSET + HEADER_BYTES as u64 {
            return Ok(None);
        }
        reader.read_at(HEADER_OFFSET, &mut bytes)?;
        Ok(bytes.starts_with(&IDENTIFIER).then_some(Self(bytes)))
    }

    /// The catalog's offset, 0 if there is none.
    fn catalog_offset(&self) -> Result<u64, VssDamage> {
        check_common(&self.0, Structure::Header, HEADER_OFFSET)?;
        Ok(u64_at(&self.0, offsets::CATALOG).unwrap_or(0))
    }
}

/// Version, record type and own offset, which header and catalog blocks have behind the identifier.
fn check_common(bytes: &[u8], structure: Structure, position: u64) -> Result<(), VssDamage> {
    let damage = |field, actual| VssDamage {
        structure,
        position,
        field,
        actual,
    };
    let (record_type, own_offset) = match structure {
        Structure::Header => (RECORD_TYPE_HEADER, offsets::HEADER_OWN),
        _ => (RECORD_TYPE_CATALOG, offsets::BLOCK_OWN),
    };
    let version = u32_at(bytes, offsets::VERSION).unwrap_or(0);
    if !VERSIONS.contains(&version) {
        return Err(damage("version", version.into()));
    }
    let found = u32_at(bytes, offsets::RECORD_TYPE).unwrap_or(0);
    if found != record_type {
        return Err(damage("record type", found.into()));
    }
    match u64_at(bytes, own_offset).unwrap_or(0) {
        own if own == position => Ok(()),
        own => Err(damage("own offset", own)),
    }
}

/// What is gathered on the way along the chain of blocks.
#[derive(Default)]
struct Walk {
    blocks: BTreeSet<u64>,
    /// By identifier: when it was made, once an entry says so.
    stores: BTreeMap<[u8; 16], Option<u64>>,
}

impl Walk {
    /// Follows the chain from the block at `first` to its end.
    fn catalog<R: ReadAt>(mut self, volume: &Volume<R>, first: u64) -> Result<Catalog, VssError> {
        let volume_bytes = volume.geometry().volume_bytes();
        let mut referrer = HEADER_OFFSET;
        let mut position = first;
        while position != 0 {
            let end = position.checked_add(BLOCK_BYTES);
            let inside = end.is_some_and(|end| end <= volume_bytes);
            if !inside || self.blocks.len() >= BLOCKS_MAX || !self.blocks.insert(position) {
                return Err(VssError::Damaged(VssDamage {
                    structure: Structure::Chain,
                    position: referrer,
                    field: "next offset",
                    actual: position,
                }));
            }
            let block = volume.reader().read_vec(position, BLOCK_BYTES as usize)?;
            referrer = position;
            position = self.block(&block, position)?;
        }
        let stores = self.stores.into_iter();
        let mut stores: Vec<Store> = stores.map(|(id, created)| Store { id, created }).collect();
        stores.sort_by_key(|store| store.created);
        Ok(Catalog {
            offset: first,
            end: self.blocks.last().map_or(first, |last| last + BLOCK_BYTES),
            stores,
        })
    }

    /// Takes in the entries of a block and gives the offset of the next one, 0 if there is none.
    fn block(&mut self, block: &[u8], position: u64) -> Result<u64, VssDamage> {
        let structure = Structure::CatalogBlock;
        if !block.starts_with(&IDENTIFIER) {
            return Err(VssDamage {
                structure,
                position,
                field: "identifier's first half",
                actual: u64_at(block, 0).unwrap_or(0),
            });
        }
        check_common(block, structure, position)?;
        for (index, entry) in block.chunks_exact(ENTRY_BYTES).enumerate().skip(1) {
            self.entry(entry, position + (index * ENTRY_BYTES) as u64)?;
        }
        Ok(u64_at(block, offsets::NEXT_BLOCK).unwrap_or(0))
    }

    /// A shadow copy has an entry of type 2, which describes it, and one of type 3, which says where it is kept.
    fn entry(&mut self, entry: &[u8], position: u64) -> Result<(), VssDamage> {
        let id = || {
            take(entry, 16, 16)
                .and_then(|id| id.try_into().ok())
                .unwrap_or_default()
        };
        match u64_at(entry, 0).unwrap_or(0) {
            // Empty, and unused.
            0 | 1 => {}
            2 => *self.stores.entry(id()).or_default() = u64_at(entry, 48),
            3 => {
                self.stores.entry(id()).or_default();
            }
            actual => {
                return Err(VssDamage {
                    structure: Structure::CatalogEntry,
                    position,
                    field: "type",
                    actual,
                });
            }
        }
        Ok(())
    }
}

/// The edits after which the volume has no shadow copies: one sector, in place, in step 0. None if it has none. Damage of
/// the catalog is no obstacle, damage of the header is ([`Structure::Header`]).
///
/// # Errors
/// [`VssError`].
pub fn disable<R: ReadAt>(volume: &Volume<R>) -> Result<Edits, VssError> {
    let header = match Header::read(volume.reader())? {
        None => return Ok(Edits::default()),
        Some(header) => header,
    };
    if header.catalog_offset()? == 0 {
        return Ok(Edits::default());
    }
    let sector_size = u64::from(volume.geometry().sector_size);
    let offset = HEADER_OFFSET / sector_size * sector_size;
    let mut bytes = volume.reader().read_vec(offset, sector_size as usize)?;
    let within = (HEADER_OFFSET - offset) as usize + offsets::CATALOG;
    put(&mut bytes, within, &[0; 8]);
    Ok(Edits(vec![Edit {
        step: 0,
        offset,
        bytes,
    }]))
}

/// Files that hold shadow copies: of the volume that they lie on, of another one whose storage Windows was told to keep
/// here, or of none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Storage {
    /// How many.
    pub files: u64,
    /// Bytes of the volume that they occupy.
    pub bytes: u64,
    /// Byte of the volume behind the last cluster of them.
    pub end: u64,
}

/// Finds the stores of shadow copies by the names of their files, whether or not a catalog knows them.
///
/// # Errors
/// Damage of their directory or of one of them.
pub fn storage<R: ReadAt>(volume: &Volume<R>) -> Result<Storage, NtfsError> {
    let mut storage = Storage::default();
    let mut counted = BTreeSet::new();
    let directory = match volume.lookup(DIRECTORY)? {
        Some(file) if file.is_directory() => file,
        _ => return Ok(storage),
    };
    let cluster = u64::from(volume.geometry().cluster_size);
    let mut stores = Vec::new();
    volume.directory(&directory)?.each(|reference, name| {
        let name = name.display_name().to_ascii_lowercase();
        let is_store = name.len() > FILE_SUFFIX.len() && name.ends_with(FILE_SUFFIX);
        // No file is read twice, whatever the directory says.
        if is_store && counted.insert(reference.record) {
            stores.push(reference);
        }
        true
    })?;
    for reference in stores {
        let file = volume.file_by_reference(reference)?;
        let stream = file.stream(AttributeType::DATA, "")?;
        storage.files += 1;
        for run in stream.iter().filter_map(|s| s.runs()).flat_map(|runs| &runs.0) {
            let Some(lcn) = run.lcn else { continue };
            let end = lcn.0.saturating_add(run.clusters).saturating_mul(cluster);
            storage.end = storage.end.max(end);
            let bytes = run.clusters.saturating_mul(cluster);
            storage.bytes = storage.bytes.saturating_add(bytes);
        }
    }
    Ok(storage)
}
