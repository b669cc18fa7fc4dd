//! What can be wrong with a WIM file.

use crate::xml::XmlError;
use std::fmt;
use winrefit_disk::{ByteRange, DiskError};

/// What is wrong with a WIM file.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WimError {
    /// The file could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file is shorter than a header.
    #[error("{size_bytes} bytes are no WIM file")]
    TooShort {
        /// Size of the file in bytes.
        size_bytes: u64,
    },
    /// Not a WIM file.
    #[error("the file does not begin with \"MSWIM\"")]
    Magic,
    /// A header of another size.
    #[error("the header says that it has {actual} bytes, expected 208")]
    HeaderSize {
        /// The size field, in bytes.
        actual: u32,
    },
    /// A resource reaches behind the end of the file: the file was cut or its header is damaged.
    #[error("the {resource} at {range} reaches behind the end of the file at byte {size_bytes}")]
    ResourceOutOfBounds {
        /// Which one.
        resource: WimResourceKind,
        /// Where it would lie.
        range: ByteRange,
        /// Size of the file in bytes.
        size_bytes: u64,
    },
    /// The XML resource is compressed, absent, larger than 4 MiB, or of an odd size.
    #[error("the XML resource cannot be used: {length} bytes, {original_size} unpacked, flags {flags:#04x}")]
    XmlResource {
        /// Length in the file in bytes.
        length: u64,
        /// Length unpacked in bytes.
        original_size: u64,
        /// The resource's flags.
        flags: u8,
    },
    /// The XML resource is not UTF-16.
    #[error("the XML resource has a lone surrogate at UTF-16 unit {unit}")]
    XmlText {
        /// Number of the unit from the start of the resource.
        unit: usize,
    },
    /// The XML resource is not XML within bounds.
    #[error("the XML resource: {0}")]
    Xml(#[from] XmlError),
    /// A value in the XML is no number.
    #[error("image {image}: {element} is {value:?}, expected a number")]
    NotANumber {
        /// Index of the image, from 1; 0 if it is the index that is no number.
        image: u32,
        /// Name of the element or attribute.
        element: &'static str,
        /// The value, cut to its first 64 characters.
        value: String,
    },
    /// Header and XML do not have the same number of images.
    #[error("the header counts {header} images, the XML describes {xml}")]
    ImageCount {
        /// According to the header.
        header: u32,
        /// According to the XML.
        xml: usize,
    },
}

/// The parts of a WIM file that the header points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WimResourceKind {
    /// The list of all streams with their hashes.
    OffsetTable,
    /// The description of the images.
    Xml,
    /// The directory tree of the bootable image.
    BootMetadata,
    /// The integrity table.
    Integrity,
}

impl fmt::Display for WimResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OffsetTable => "offset table",
            Self::Xml => "XML resource",
            Self::BootMetadata => "boot metadata",
            Self::Integrity => "integrity table",
        })
    }
}
