//! WIM image files: the header and the XML resource, which say what is inside without unpacking it.
//!
//! Source: Microsoft's "Windows Imaging File Format" paper. The XML resource is UTF-16LE and never compressed. The
//! version that counts for servicing is `WINDOWS/VERSION` of the image, `SPBUILD` being the serviced level.

mod error;
mod template;
#[cfg(test)]
mod tests;
mod xml_resource;

pub use error::{WimError, WimResourceKind};
pub use template::{WimSkeleton, WimTemplate};

use crate::Guid;
use crate::bytes::{array_at, u16_at, u32_at, u64_at};
use std::fmt;
use winrefit_disk::{ByteRange, ReadAt};

const HEADER_BYTES: usize = 208;
const MAGIC: &[u8; 8] = b"MSWIM\0\0\0";
/// Real XML resources have some kilobytes.
const XML_BYTES_MAX: u64 = 4 << 20;
/// Format version of everything but solid ("ESD") files.
const VERSION_DEFAULT: u32 = 0x0001_0d00;
const FLAG_COMPRESSED: u32 = 0x0000_0002;
const FLAG_XPRESS: u32 = 0x0002_0000;
const FLAG_LZX: u32 = 0x0004_0000;
const FLAG_LZMS: u32 = 0x0008_0000;
const RESOURCE_METADATA: u8 = 0x02;
const RESOURCE_COMPRESSED: u8 = 0x04;

/// Where a part of the file lies. All zero where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WimResource {
    /// Length in the file in bytes.
    pub length: u64,
    /// 1 free, 2 metadata, 4 compressed, 8 spanned.
    pub flags: u8,
    /// Byte offset in the file.
    pub offset: u64,
    /// Length unpacked in bytes.
    pub original_size: u64,
}

impl WimResource {
    const BYTES: usize = 24;

    fn parse(bytes: &[u8], at: usize) -> Option<Self> {
        let packed = u64_at(bytes, at)?;
        Some(Self {
            // The flags are the top byte of the length.
            length: packed & 0x00ff_ffff_ffff_ffff,
            flags: (packed >> 56) as u8,
            offset: u64_at(bytes, at + 8)?,
            original_size: u64_at(bytes, at + 16)?,
        })
    }

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let packed = self.length | u64::from(self.flags) << 56;
        bytes[..8].copy_from_slice(&packed.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..].copy_from_slice(&self.original_size.to_le_bytes());
        bytes
    }

    fn check(&self, resource: WimResourceKind, size_bytes: u64) -> Result<(), WimError> {
        match self.offset.checked_add(self.length) {
            Some(end) if end <= size_bytes => Ok(()),
            end => Err(WimError::ResourceOutOfBounds {
                resource,
                range: ByteRange::new(self.offset, end.unwrap_or(u64::MAX)),
                size_bytes,
            }),
        }
    }
}

/// How the streams are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WimCompression {
    /// Not at all.
    None,
    /// XPRESS.
    Xpress,
    /// LZX, as recovery images are.
    Lzx,
    /// LZMS, as "ESD" files are.
    Lzms,
    /// Flags that name no single known kind.
    Unknown,
}

/// The header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WimHeader {
    /// Format version, 0x00010d00.
    pub version: u32,
    /// Flags as they are.
    pub flags: u32,
    /// Chunk size of the compression in bytes.
    pub chunk_size: u32,
    /// Identity of the file.
    pub guid: Guid,
    /// Number of this part of a spanned set, from 1.
    pub part_number: u16,
    /// Number of parts.
    pub total_parts: u16,
    /// Number of images.
    pub image_count: u32,
    /// Index of the bootable image from 1, or 0.
    pub boot_index: u32,
    /// The list of all streams.
    pub offset_table: WimResource,
    /// The description of the images.
    pub xml: WimResource,
    /// The directory tree of the bootable image.
    pub boot_metadata: WimResource,
    /// The integrity table.
    pub integrity: WimResource,
}

impl WimHeader {
    /// How the streams are packed.
    pub fn compression(&self) -> WimCompression {
        let kinds = self.flags & (FLAG_COMPRESSED | FLAG_XPRESS | FLAG_LZX | FLAG_LZMS);
        match kinds ^ FLAG_COMPRESSED {
            FLAG_COMPRESSED => WimCompression::None,
            FLAG_XPRESS => WimCompression::Xpress,
            FLAG_LZX => WimCompression::Lzx,
            FLAG_LZMS => WimCompression::Lzms,
            _ => WimCompression::Unknown,
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            version: u32_at(bytes, 12)?,
            flags: u32_at(bytes, 16)?,
            chunk_size: u32_at(bytes, 20)?,
            guid: Guid::from_bytes_le(array_at(bytes, 24)?),
            part_number: u16_at(bytes, 40)?,
            total_parts: u16_at(bytes, 42)?,
            image_count: u32_at(bytes, 44)?,
            offset_table: WimResource::parse(bytes, 48)?,
            xml: WimResource::parse(bytes, 72)?,
            boot_metadata: WimResource::parse(bytes, 96)?,
            boot_index: u32_at(bytes, 120)?,
            integrity: WimResource::parse(bytes, 124)?,
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for value in [HEADER_BYTES as u32, self.version, self.flags, self.chunk_size] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(self.guid.to_bytes_le());
        bytes.extend(self.part_number.to_le_bytes());
        bytes.extend(self.total_parts.to_le_bytes());
        bytes.extend(self.image_count.to_le_bytes());
        for resource in [self.offset_table, self.xml, self.boot_metadata] {
            bytes.extend(resource.to_bytes());
        }
        bytes.extend(self.boot_index.to_le_bytes());
        bytes.extend(self.integrity.to_bytes());
        bytes.resize(HEADER_BYTES, 0);
        bytes
    }
}

/// Version of the Windows in an image; ordered as versions are. Shown as `10.0.20348.2201`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WimVersion {
    /// Major version, 10.
    pub major: u32,
    /// Minor version, 0.
    pub minor: u32,
    /// Build, which names the release.
    pub build: u32,
    /// Serviced level; the DISM tool's "ServicePack Build".
    pub sp_build: u32,
}

impl fmt::Display for WimVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}",
            self.major, self.minor, self.build, self.sp_build
        )
    }
}

/// Processor architecture: the values of `PROCESSOR_ARCHITECTURE_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WimArchitecture {
    /// 0.
    X86,
    /// 5.
    Arm,
    /// 9, also called x64.
    Amd64,
    /// 12.
    Arm64,
    /// Any other value.
    Other(u32),
}

impl WimArchitecture {
    fn from_value(value: u32) -> Self {
        match value {
            0 => Self::X86,
            5 => Self::Arm,
            9 => Self::Amd64,
            12 => Self::Arm64,
            other => Self::Other(other),
        }
    }

    fn value(self) -> u32 {
        match self {
            Self::X86 => 0,
            Self::Arm => 5,
            Self::Amd64 => 9,
            Self::Arm64 => 12,
            Self::Other(value) => value,
        }
    }
}

/// One image as the XML describes it. `None` where the XML has no such element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WimImage {
    /// Index, from 1.
    pub index: u32,
    /// `NAME`.
    pub name: Option<String>,
    /// `DESCRIPTION`.
    pub description: Option<String>,
    /// `TOTALBYTES`: size of all files in bytes.
    pub total_bytes: Option<u64>,
    /// `WINDOWS/ARCH`.
    pub architecture: Option<WimArchitecture>,
    /// `WINDOWS/PRODUCTNAME`.
    pub product_name: Option<String>,
    /// `WINDOWS/EDITIONID`.
    pub edition_id: Option<String>,
    /// `WINDOWS/INSTALLATIONTYPE`; `WindowsPE` for a recovery image.
    pub installation_type: Option<String>,
    version: Option<WimVersion>,
}

impl WimImage {
    /// `WINDOWS/VERSION`. A missing `SPBUILD` counts as 0.
    pub fn version(&self) -> Option<WimVersion> {
        self.version
    }
}

/// What a WIM file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wim {
    /// The header.
    pub header: WimHeader,
    /// The images in the order of the XML.
    pub images: Vec<WimImage>,
    /// Size of the file in bytes.
    pub size_bytes: u64,
}

impl Wim {
    /// Reads header and XML; nothing else is read.
    ///
    /// # Errors
    /// [`WimError`].
    pub fn read(file: &dyn ReadAt) -> Result<Self, WimError> {
        let size_bytes = file.size();
        if size_bytes < HEADER_BYTES as u64 {
            return Err(WimError::TooShort { size_bytes });
        }
        let bytes = file.read_vec(0, HEADER_BYTES)?;
        if !bytes.starts_with(MAGIC) {
            return Err(WimError::Magic);
        }
        let actual = u32_at(&bytes, 8).unwrap_or(0);
        if actual as usize != HEADER_BYTES {
            return Err(WimError::HeaderSize { actual });
        }
        let header = WimHeader::parse(&bytes).ok_or(WimError::TooShort { size_bytes })?;
        header
            .offset_table
            .check(WimResourceKind::OffsetTable, size_bytes)?;
        header.xml.check(WimResourceKind::Xml, size_bytes)?;
        header
            .boot_metadata
            .check(WimResourceKind::BootMetadata, size_bytes)?;
        header.integrity.check(WimResourceKind::Integrity, size_bytes)?;
        let images = xml_resource::read(file, header.xml)?;
        if images.len() != header.image_count as usize {
            let (header, xml) = (header.image_count, images.len());
            return Err(WimError::ImageCount { header, xml });
        }
        Ok(Self {
            header,
            images,
            size_bytes,
        })
    }
}
