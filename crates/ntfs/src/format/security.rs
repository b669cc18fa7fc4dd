//! Security descriptors and $Secure: the descriptors that files use by number.
//!
//! Layout of descriptors: MS-DTYP 2.4. Layout of $Secure: libfsntfs documentation, "Security descriptors". Contents:
//! as on a volume of Windows 10, with the owner "Administrators" for all files.

use super::index::{self, view_entry};
use crate::secure::{COPY_OFFSET, ENTRY_ALIGNMENT, ENTRY_HEADER, hash};
use crate::types::Geometry;

/// Identity of a trustee: identifier authority 5 (NT) and these sub-authorities.
type Sid = &'static [u32];
const SYSTEM: Sid = &[18];
const AUTHENTICATED_USERS: Sid = &[11];
const ADMINISTRATORS: Sid = &[32, 544];
const USERS: Sid = &[32, 545];

/// Access rights.
const FULL: u32 = 0x001F_01FF;
const MODIFY: u32 = 0x0013_01BF;
const READ_AND_RUN: u32 = 0x0012_00A9;
const READ: u32 = 0x0012_0089;
const READ_AND_WRITE: u32 = 0x0012_019F;
const GENERIC_ALL: u32 = 0x1000_0000;
const GENERIC_MODIFY: u32 = 0xE001_0000;
const GENERIC_READ_AND_RUN: u32 = 0xA000_0000;

/// Inherited by files and directories below, and not meant for the directory itself.
const INHERIT_ONLY: u8 = 0x0B;

/// Number of the descriptor of system files that nobody writes to.
pub(super) const SYSTEM_READ_ONLY: u32 = 0x100;
/// Number of the descriptor of system files that administrators may write to.
pub(super) const SYSTEM_WRITABLE: u32 = 0x101;
/// Number of the descriptor of directories.
pub(super) const DIRECTORY: u32 = 0x102;
/// Number of the descriptor of files.
pub(super) const FILE: u32 = 0x103;

/// The SID's on-disk form.
pub(super) fn sid(subs: Sid) -> Vec<u8> {
    let mut bytes = vec![1, subs.len() as u8, 0, 0, 0, 0, 0, 5];
    bytes.extend(subs.iter().flat_map(|sub| sub.to_le_bytes()));
    bytes
}

/// The SID of the administrators, who own what quotas are kept of.
pub(super) fn administrators() -> Vec<u8> {
    sid(ADMINISTRATORS)
}

/// A self-relative descriptor that grants access to some.
fn descriptor(owner: Sid, group: Sid, grants: &[(u8, u32, Sid)]) -> Vec<u8> {
    let mut aces = Vec::new();
    for &(flags, mask, trustee) in grants {
        let trustee = sid(trustee);
        aces.extend([0, flags]);
        aces.extend((8 + trustee.len() as u16).to_le_bytes());
        aces.extend(mask.to_le_bytes());
        aces.extend(trustee);
    }
    let owner_at = 0x14 + 8 + aces.len() as u32;
    let group_at = owner_at + sid(owner).len() as u32;
    // Revision 1; self-relative with a DACL.
    let mut bytes = vec![1, 0, 0x04, 0x80];
    for offset in [owner_at, group_at, 0, 0x14] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend([2, 0]);
    bytes.extend((8 + aces.len() as u16).to_le_bytes());
    bytes.extend((grants.len() as u32).to_le_bytes());
    bytes.extend(aces);
    bytes.extend(sid(owner));
    bytes.extend(sid(group));
    bytes
}

/// The descriptor of system files that nobody writes to.
pub(super) fn system_read_only() -> Vec<u8> {
    descriptor(
        SYSTEM,
        ADMINISTRATORS,
        &[(0, READ, SYSTEM), (0, READ, ADMINISTRATORS)],
    )
}

/// The descriptor of system files that administrators may write to.
pub(super) fn system_writable() -> Vec<u8> {
    let grants = [(0, READ_AND_WRITE, SYSTEM), (0, READ_AND_WRITE, ADMINISTRATORS)];
    descriptor(SYSTEM, ADMINISTRATORS, &grants)
}

/// The descriptor of the root directory.
pub(super) fn root_directory() -> Vec<u8> {
    directory(SYSTEM)
}

fn directory(owner: Sid) -> Vec<u8> {
    let grants = [
        (0, FULL, ADMINISTRATORS),
        (INHERIT_ONLY, GENERIC_ALL, ADMINISTRATORS),
        (0, FULL, SYSTEM),
        (INHERIT_ONLY, GENERIC_ALL, SYSTEM),
        (0, MODIFY, AUTHENTICATED_USERS),
        (INHERIT_ONLY, GENERIC_MODIFY, AUTHENTICATED_USERS),
        (0, READ_AND_RUN, USERS),
        (INHERIT_ONLY, GENERIC_READ_AND_RUN, USERS),
    ];
    descriptor(owner, SYSTEM, &grants)
}

fn file() -> Vec<u8> {
    let grants = [
        (0, FULL, ADMINISTRATORS),
        (0, FULL, SYSTEM),
        (0, MODIFY, AUTHENTICATED_USERS),
        (0, READ_AND_RUN, USERS),
    ];
    descriptor(ADMINISTRATORS, SYSTEM, &grants)
}

/// The content of $Secure.
pub(super) struct Secure {
    /// The stream $SDS.
    pub(super) stream: Vec<u8>,
    /// Value of $INDEX_ROOT $SDH.
    pub(super) by_hash: Vec<u8>,
    /// Value of $INDEX_ROOT $SII.
    pub(super) by_number: Vec<u8>,
}

/// Builds $Secure with the four descriptors of this module.
pub(super) fn secure(geometry: &Geometry) -> Secure {
    let descriptors = [
        (SYSTEM_READ_ONLY, system_read_only()),
        (SYSTEM_WRITABLE, system_writable()),
        (DIRECTORY, directory(ADMINISTRATORS)),
        (FILE, file()),
    ];
    let (mut copy, mut by_number, mut by_hash) = (Vec::<u8>::new(), Vec::new(), Vec::new());
    for (number, descriptor) in descriptors {
        copy.resize(copy.len().next_multiple_of(ENTRY_ALIGNMENT), 0);
        let hash = hash(&descriptor);
        let mut header = Vec::with_capacity(ENTRY_HEADER);
        header.extend(hash.to_le_bytes());
        header.extend(number.to_le_bytes());
        header.extend((copy.len() as u64).to_le_bytes());
        header.extend(((ENTRY_HEADER + descriptor.len()) as u32).to_le_bytes());
        by_number.push(view_entry(&number.to_le_bytes(), &header));
        by_hash.push(((hash, number), hash_entry(hash, number, &header)));
        copy.extend(header);
        copy.extend(descriptor);
    }
    by_hash.sort_by_key(|(key, _)| *key);
    let by_hash: Vec<Vec<u8>> = by_hash.into_iter().map(|(_, entry)| entry).collect();
    let mut stream = copy.clone();
    stream.resize(COPY_OFFSET, 0);
    stream.extend(copy);
    Secure {
        stream,
        by_hash: index::small_root(index::BY_SECURITY_HASH, &by_hash, geometry),
        by_number: index::small_root(index::BY_NUMBER, &by_number, geometry),
    }
}

fn hash_entry(hash: u32, number: u32, header: &[u8]) -> Vec<u8> {
    let key = [hash.to_le_bytes(), number.to_le_bytes()].concat();
    let mut entry = view_entry(&key, header);
    // Windows fills the last four bytes, which belong to nothing, with "I\0I\0".
    if let Some(padding) = entry.last_chunk_mut::<4>() {
        *padding = *b"I\0I\0";
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes and lengths as a volume of Windows 10 has them for the same descriptors.
    #[test]
    fn descriptors_are_those_of_windows() {
        assert_eq!(
            (hash(&system_read_only()), system_read_only().len()),
            (0x32FE_C6CB, 0x64)
        );
        assert_eq!(
            (hash(&system_writable()), system_writable().len()),
            (0x3414_C8F7, 0x64)
        );
        assert_eq!(root_directory().len(), 0xE4);
    }

    #[test]
    fn both_copies_of_the_descriptors_are_equal() {
        let geometry = super::super::FormatOptions::new(1 << 20).geometry().unwrap();
        let secure = secure(&geometry);
        let copy = &secure.stream[COPY_OFFSET..];
        assert_eq!(&secure.stream[..copy.len()], copy);
        assert!(
            secure.stream[copy.len()..COPY_OFFSET]
                .iter()
                .all(|&byte| byte == 0)
        );
        assert_eq!(copy[0x80..0x84], 0x3414_C8F7u32.to_le_bytes());
    }
}
