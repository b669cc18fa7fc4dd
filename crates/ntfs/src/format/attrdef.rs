//! $AttrDef: the table of attribute types, which is the same on every volume of NTFS 3.1.

use crate::types::AttributeType as Type;

/// Bytes of the table: 15 definitions and an empty one that ends it.
pub(super) const BYTES: usize = 16 * DEFINITION;
const DEFINITION: usize = 160;
/// UTF-16 bytes of a name.
const NAME: usize = 128;

const INDEXED: u32 = 0x02;
const RESIDENT: u32 = 0x40;
const ANY_PLACE: u32 = 0x80;
const ANY_SIZE: u64 = u64::MAX;

/// Type, flags, least and greatest size of the value.
const DEFINITIONS: [(Type, u32, u64, u64); 15] = [
    (Type::STANDARD_INFORMATION, RESIDENT, 0x30, 0x48),
    (Type::ATTRIBUTE_LIST, ANY_PLACE, 0, ANY_SIZE),
    (Type::FILE_NAME, RESIDENT | INDEXED, 0x44, 0x242),
    (Type::OBJECT_ID, RESIDENT, 0, 0x100),
    (Type::SECURITY_DESCRIPTOR, ANY_PLACE, 0, ANY_SIZE),
    (Type::VOLUME_NAME, RESIDENT, 2, 0x100),
    (Type::VOLUME_INFORMATION, RESIDENT, 0x0C, 0x0C),
    (Type::DATA, 0, 0, ANY_SIZE),
    (Type::INDEX_ROOT, RESIDENT, 0, ANY_SIZE),
    (Type::INDEX_ALLOCATION, ANY_PLACE, 0, ANY_SIZE),
    (Type::BITMAP, ANY_PLACE, 0, ANY_SIZE),
    (Type::REPARSE_POINT, ANY_PLACE, 0, 0x4000),
    (Type::EA_INFORMATION, RESIDENT, 8, 8),
    (Type::EA, 0, 0, 0x10000),
    (Type::LOGGED_UTILITY_STREAM, ANY_PLACE, 0, 0x10000),
];

/// The content of $AttrDef.
pub(super) fn table() -> Vec<u8> {
    let mut table = Vec::with_capacity(BYTES);
    for (type_code, flags, least, greatest) in DEFINITIONS {
        let start = table.len();
        let name = type_code.name().unwrap_or_default();
        table.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        table.resize(start + NAME, 0);
        // The two zeros: display rule and collation rule, which are not used.
        for field in [type_code.0, 0, 0, flags] {
            table.extend(field.to_le_bytes());
        }
        table.extend(least.to_le_bytes());
        table.extend(greatest.to_le_bytes());
    }
    table.resize(BYTES, 0);
    table
}
