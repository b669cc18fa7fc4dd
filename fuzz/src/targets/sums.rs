//! Checksums set right again, so that a change gets past them.

use winrefit_lab::hive;

/// The checksum of a hive's base block, or of a log's, at the start of `file`.
pub fn hive(file: &mut [u8]) {
    if file.len() >= 512 {
        hive::seal(file);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |field| {
        u32::from_le_bytes([field[0], field[1], field[2], field[3]])
    })
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = bytes.get_mut(at..at + value.len()) {
        field.copy_from_slice(value);
    }
}

/// Checksum and hashes of a hive's log in the new format.
pub fn hive_log(file: &mut [u8]) {
    hive(file);
    let mut at = 512;
    while file.get(at..at + 4) == Some(b"HvLE") {
        let size = u32_at(file, at + 4) as usize;
        let Some(entry) = file
            .get_mut(at..at.saturating_add(size))
            .filter(|entry| entry.len() >= 40)
        else {
            return;
        };
        hive::seal_entry(entry);
        at += size;
    }
}

/// Checksums of an event log: of its header, and of each chunk's header and records.
pub fn evtx(file: &mut [u8]) {
    if file.len() >= 128 {
        let sum = crc32fast::hash(&file[..120]);
        put(file, 124, &sum.to_le_bytes());
    }
    for chunk in file
        .get_mut(4096..)
        .unwrap_or_default()
        .chunks_exact_mut(0x1_0000)
    {
        let end = u32_at(chunk, 48) as usize;
        if let Some(records) = chunk.get(512..end) {
            let sum = crc32fast::hash(records);
            put(chunk, 52, &sum.to_le_bytes());
        }
        let mut header = crc32fast::Hasher::new();
        header.update(&chunk[..120]);
        header.update(&chunk[128..512]);
        put(chunk, 124, &header.finalize().to_le_bytes());
    }
}

/// Signature of an MBR or EBR.
pub fn mbr(sector: &mut [u8]) {
    put(sector, 510, &[0x55, 0xAA]);
}

/// Checksums of one copy of a GPT: of the entries that the header in `header` names, then of the header.
pub fn gpt(header: &mut [u8], entries: &[u8]) {
    let length = (u32_at(header, 80) as usize).saturating_mul(u32_at(header, 84) as usize);
    if let Some(entries) = entries.get(..length) {
        put(header, 88, &crc32fast::hash(entries).to_le_bytes());
    }
    put(header, 16, &[0; 4]);
    let size = u32_at(header, 12) as usize;
    if let Some(covered) = header.get(..size) {
        let sum = crc32fast::hash(covered);
        put(header, 16, &sum.to_le_bytes());
    }
}
