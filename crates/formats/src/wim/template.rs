//! The smallest true WIM file: one bootable image whose directory tree is empty, for disks built from nothing.

use super::{FLAG_COMPRESSED, FLAG_LZX, RESOURCE_METADATA, VERSION_DEFAULT, WimArchitecture, WimHeader};
use super::{HEADER_BYTES, WimResource, WimVersion};
use crate::Guid;
use crate::bytes::utf16_bytes;
use sha1::{Digest, Sha1};

/// Header flag: reparse points were made relative; set by Windows' own tools.
const FLAG_REPARSE_FIX: u32 = 0x0000_0080;
/// What Windows' tools write for LZX.
const CHUNK_BYTES: u32 = 32 * 1024;
const FILE_ATTRIBUTE_DIRECTORY: u32 = 0x10;

/// What a new file is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WimTemplate {
    /// Identity of the file.
    pub guid: Guid,
    /// Name of the image.
    pub name: String,
    /// Version of the Windows in it.
    pub version: WimVersion,
    /// Its architecture.
    pub architecture: WimArchitecture,
    /// Size of the whole file in bytes. A smaller one than the structures need gives the smallest possible file.
    pub size_bytes: u64,
}

/// A WIM file but for its middle: the bytes between `head` and `tail` belong to no resource and may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WimSkeleton {
    /// The file's first bytes: header and the image's metadata resource.
    pub head: Vec<u8>,
    /// The file's last bytes: offset table and XML resource.
    pub tail: Vec<u8>,
    /// Size of the whole file in bytes.
    pub size_bytes: u64,
}

impl WimSkeleton {
    /// Byte offset of `tail` in the file.
    pub fn tail_offset(&self) -> u64 {
        self.size_bytes - self.tail.len() as u64
    }
}

impl WimTemplate {
    /// The file without its middle.
    pub fn build(&self) -> WimSkeleton {
        let metadata = metadata();
        let resource = |offset: u64, length: usize, flags: u8| WimResource {
            length: length as u64,
            flags,
            offset,
            original_size: length as u64,
        };
        let boot_metadata = resource(HEADER_BYTES as u64, metadata.len(), RESOURCE_METADATA);
        let mut tail = offset_table_entry(boot_metadata, &metadata);
        let table_bytes = tail.len();
        tail.extend([0xff, 0xfe]);
        tail.extend(utf16_bytes(&self.xml()));
        let size_bytes = self
            .size_bytes
            .max((HEADER_BYTES + metadata.len() + tail.len()) as u64);
        let table_offset = size_bytes - tail.len() as u64;
        let header = WimHeader {
            version: VERSION_DEFAULT,
            flags: FLAG_COMPRESSED | FLAG_LZX | FLAG_REPARSE_FIX,
            chunk_size: CHUNK_BYTES,
            guid: self.guid,
            part_number: 1,
            total_parts: 1,
            image_count: 1,
            boot_index: 1,
            offset_table: resource(table_offset, table_bytes, RESOURCE_METADATA),
            xml: resource(
                table_offset + table_bytes as u64,
                tail.len() - table_bytes,
                RESOURCE_METADATA,
            ),
            boot_metadata,
            integrity: WimResource::default(),
        };
        let mut head = header.to_bytes();
        head.extend(metadata);
        WimSkeleton {
            head,
            tail,
            size_bytes,
        }
    }

    fn xml(&self) -> String {
        let WimVersion {
            major,
            minor,
            build,
            sp_build,
        } = self.version;
        let name = self.name.replace('&', "&amp;").replace('<', "&lt;");
        let arch = self.architecture.value();
        format!(
            "<WIM><IMAGE INDEX=\"1\"><DIRCOUNT>1</DIRCOUNT><FILECOUNT>0</FILECOUNT><TOTALBYTES>0</TOTALBYTES>\
             <HARDLINKBYTES>0</HARDLINKBYTES><WINDOWS><ARCH>{arch}</ARCH>\
             <PRODUCTNAME>Microsoft\u{ae} Windows\u{ae} Operating System</PRODUCTNAME>\
             <EDITIONID>WindowsPE</EDITIONID><INSTALLATIONTYPE>WindowsPE</INSTALLATIONTYPE>\
             <PRODUCTTYPE>WinNT</PRODUCTTYPE><PRODUCTSUITE></PRODUCTSUITE>\
             <LANGUAGES><LANGUAGE>en-US</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES>\
             <VERSION><MAJOR>{major}</MAJOR><MINOR>{minor}</MINOR><BUILD>{build}</BUILD>\
             <SPBUILD>{sp_build}</SPBUILD><SPLEVEL>0</SPLEVEL></VERSION><SYSTEMROOT>WINDOWS</SYSTEMROOT>\
             </WINDOWS><NAME>{name}</NAME><DESCRIPTION>{name}</DESCRIPTION></IMAGE></WIM>"
        )
    }
}

/// A metadata resource: no security descriptors, and a root directory without entries.
fn metadata() -> Vec<u8> {
    const SECURITY_BYTES: u32 = 8;
    const ROOT_BYTES: u64 = 104;
    let mut bytes = Vec::new();
    bytes.extend(SECURITY_BYTES.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(ROOT_BYTES.to_le_bytes());
    bytes.extend(FILE_ATTRIBUTE_DIRECTORY.to_le_bytes());
    // No security descriptor.
    bytes.extend(u32::MAX.to_le_bytes());
    // The list of the root's entries follows the root.
    bytes.extend((u64::from(SECURITY_BYTES) + ROOT_BYTES + 8).to_le_bytes());
    // The rest of the root (times, hash, names: none), its padding, and the zero that ends the list.
    bytes.resize(SECURITY_BYTES as usize + ROOT_BYTES as usize + 16, 0);
    bytes
}

fn offset_table_entry(resource: WimResource, content: &[u8]) -> Vec<u8> {
    let mut entry = resource.to_bytes().to_vec();
    entry.extend(1u16.to_le_bytes());
    entry.extend(1u32.to_le_bytes());
    entry.extend(Sha1::digest(content));
    entry
}
