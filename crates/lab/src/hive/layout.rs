//! Cells, bins and the base block: where the bytes of a hive lie.

/// The offset that stands for "none".
pub(super) const NO_CELL: u32 = u32::MAX;
/// Size of the base block, and the unit of bins.
const PAGE: usize = 4096;
/// Size of a bin's header.
const BIN_HEADER: usize = 32;
/// Characters of the file name that the base block has room for, without the final zero.
const FILE_NAME_UNITS: usize = 31;

/// The bins of a hive under construction. Between two calls they end with the open bin, whose unused rest is not
/// yet a cell; all before it is covered by cells without a gap.
pub(super) struct Bins {
    bytes: Vec<u8>,
    /// End of the used part; `bytes` reaches to the end of the open bin.
    used: usize,
    timestamp: u64,
}

impl Bins {
    pub(super) fn new(timestamp: u64) -> Self {
        Self {
            bytes: Vec::new(),
            used: 0,
            timestamp,
        }
    }

    /// Reserves a cell for `length` bytes and returns its offset. No cell crosses the end of its bin.
    pub(super) fn allocate(&mut self, length: usize) -> u32 {
        let size = (4 + length).next_multiple_of(8);
        if self.bytes.len() - self.used < size {
            self.close_bin();
            self.open_bin(size);
        }
        let offset = self.used;
        // A negative size marks a cell in use.
        let marker = -(size as i32);
        self.bytes[offset..offset + 4].copy_from_slice(&marker.to_le_bytes());
        self.used += size;
        offset as u32
    }

    /// Writes the content of an allocated cell, or a part of it (`cell` plus an offset).
    pub(super) fn put(&mut self, cell: u32, content: &[u8]) {
        let start = cell as usize + 4;
        self.bytes[start..start + content.len()].copy_from_slice(content);
    }

    fn open_bin(&mut self, cell_size: usize) {
        let start = self.bytes.len();
        let size = (BIN_HEADER + cell_size).next_multiple_of(PAGE);
        self.bytes.resize(start + size, 0);
        let header = &mut self.bytes[start..start + BIN_HEADER];
        header[..4].copy_from_slice(b"hbin");
        header[4..8].copy_from_slice(&(start as u32).to_le_bytes());
        header[8..12].copy_from_slice(&(size as u32).to_le_bytes());
        if start == 0 {
            header[20..28].copy_from_slice(&self.timestamp.to_le_bytes());
        }
        self.used = start + BIN_HEADER;
    }

    /// Makes the rest of the open bin a free cell.
    fn close_bin(&mut self) {
        let rest = self.bytes.len() - self.used;
        if rest > 0 {
            let marker = rest as i32;
            self.bytes[self.used..self.used + 4].copy_from_slice(&marker.to_le_bytes());
            self.used = self.bytes.len();
        }
    }

    /// The whole hive.
    pub(super) fn finish(mut self, root_cell: u32, file_name: &str) -> Vec<u8> {
        self.close_bin();
        let mut base = vec![0; PAGE];
        base[..4].copy_from_slice(b"regf");
        base[12..20].copy_from_slice(&self.timestamp.to_le_bytes());
        for (at, number) in [
            (4, 1), // both sequence numbers equal: nothing is missing
            (8, 1),
            (20, 1), // version 1.5
            (24, 5),
            (28, 0), // a primary file
            (32, 1), // loaded directly into memory
            (36, root_cell),
            (40, self.bytes.len() as u32),
            (44, 1), // clustering factor
        ] {
            base[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let units: Vec<u16> = file_name.encode_utf16().collect();
        let tail = &units[units.len().saturating_sub(FILE_NAME_UNITS)..];
        for (place, unit) in base[48..].chunks_exact_mut(2).zip(tail) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
        seal(&mut base);
        base.extend(self.bytes);
        base
    }
}

/// Sets the checksum of the base block, of a hive or of a log, at the start of `file`; at least 512 bytes are there.
pub fn seal(file: &mut [u8]) {
    let sum = checksum(file);
    file[508..512].copy_from_slice(&sum.to_le_bytes());
}

/// The base block's checksum: its first 508 bytes as 32-bit words, all XORed, with 0 and -1 avoided.
pub(super) fn checksum(base: &[u8]) -> u32 {
    let words = base[..508].chunks_exact(4);
    let sum = words.fold(0, |sum, word| {
        sum ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]])
    });
    match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// A self-relative security descriptor: owned by Administrators, full access for them and the system, reading for
/// users, inherited by subkeys (MS-DTYP 2.4.6).
pub(super) fn security_descriptor() -> Vec<u8> {
    const ADMINISTRATORS: &[u32] = &[32, 544];
    const USERS: &[u32] = &[32, 545];
    const SYSTEM: &[u32] = &[18];
    const KEY_ALL_ACCESS: u32 = 0x000F_003F;
    const KEY_READ: u32 = 0x0002_0019;
    let mut entries = Vec::new();
    for (mask, sid) in [
        (KEY_ALL_ACCESS, ADMINISTRATORS),
        (KEY_ALL_ACCESS, SYSTEM),
        (KEY_READ, USERS),
    ] {
        let sid = nt_sid(sid);
        entries.extend([0, 2]); // access allowed; inherited by subkeys
        entries.extend((8 + sid.len() as u16).to_le_bytes());
        entries.extend(mask.to_le_bytes());
        entries.extend(sid);
    }
    let (owner, group) = (nt_sid(ADMINISTRATORS), nt_sid(SYSTEM));
    let owner_at = 20 + 8 + entries.len() as u32;
    let mut descriptor = vec![1, 0, 0x04, 0x80]; // revision 1; self-relative, with a DACL
    for offset in [owner_at, owner_at + owner.len() as u32, 0, 20] {
        descriptor.extend(offset.to_le_bytes());
    }
    descriptor.extend([2, 0]); // DACL revision 2
    descriptor.extend((8 + entries.len() as u16).to_le_bytes());
    descriptor.extend([3, 0, 0, 0]); // three entries
    descriptor.extend(entries);
    descriptor.extend(owner);
    descriptor.extend(group);
    descriptor
}

/// A security identifier of the NT authority: S-1-5-...
fn nt_sid(sub_authorities: &[u32]) -> Vec<u8> {
    let mut sid = vec![1, sub_authorities.len() as u8, 0, 0, 0, 0, 0, 5];
    sid.extend(sub_authorities.iter().flat_map(|number| number.to_le_bytes()));
    sid
}
