//! A hive as a power cut leaves it: the last write is in its log, not yet in the hive.
//!
//! After Maxim Suhanov's "Windows registry file format specification", "Format of transaction log files": a log in the
//! new format (since Windows 8.1) has the start of a base block, then entries with the pages of 512 bytes that were
//! changed, guarded by two hashes.

use super::layout::seal;

const BASE_BLOCK: usize = 4096;
/// What a log keeps of the base block, the unit of pages, and that of entries.
const PAGE: usize = 512;
const PRIMARY_SEQUENCE: usize = 4;
const SECONDARY_SEQUENCE: usize = 8;
const FILE_TYPE: usize = 28;
/// File type of a log in the new format.
const NEW_LOG: u32 = 6;
const ENTRY_HEAD: usize = 40;
/// Seed of the hashes ("Log entries", note 3).
const MARVIN_SEED: (u32, u32) = (0x7A4E_55C5, 0x82EF_4D88);

/// A hive and its `.LOG1` where the write that makes `new` of `old` has reached the log only. Both come from
/// [`super::write`].
///
/// Gives the hive's file and the log's.
pub fn interrupted(old: &[u8], new: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let sequence = u32_at(old, PRIMARY_SEQUENCE);
    let mut hive = old.to_vec();
    set(&mut hive, PRIMARY_SEQUENCE, sequence + 1);
    let mut log = old[..PAGE].to_vec();
    for (at, number) in [
        (PRIMARY_SEQUENCE, sequence + 1),
        (SECONDARY_SEQUENCE, sequence + 1),
        (FILE_TYPE, NEW_LOG),
    ] {
        set(&mut log, at, number);
    }
    log.extend(entry(sequence + 1, &old[BASE_BLOCK..], &new[BASE_BLOCK..]));
    (hive, log)
}

/// The log entry that makes the bins `new` of `old`.
fn entry(sequence: u32, old: &[u8], new: &[u8]) -> Vec<u8> {
    let pages: Vec<(u32, &[u8])> = (0u32..)
        .step_by(PAGE)
        .zip(new.chunks_exact(PAGE))
        .filter(|(at, page)| old.get(*at as usize..*at as usize + PAGE) != Some(*page))
        .collect();
    let mut body = Vec::new();
    for (at, _) in &pages {
        body.extend(at.to_le_bytes());
        body.extend((PAGE as u32).to_le_bytes());
    }
    pages.iter().for_each(|(_, page)| body.extend_from_slice(page));
    let size = (ENTRY_HEAD + body.len()).next_multiple_of(PAGE);
    body.resize(size - ENTRY_HEAD, 0);
    let mut entry = b"HvLE".to_vec();
    // Behind the size: the hive's flags, of which it has none.
    for number in [size as u32, 0, sequence, new.len() as u32, pages.len() as u32] {
        entry.extend(number.to_le_bytes());
    }
    entry.resize(ENTRY_HEAD, 0);
    entry.extend(body);
    seal_entry(&mut entry);
    entry
}

/// Sets both hashes of an entry of a log, which is all of `entry`: that of what is behind its head of 40 bytes, then that
/// of the head.
pub fn seal_entry(entry: &mut [u8]) {
    let body = marvin32(&entry[ENTRY_HEAD..]);
    entry[24..32].copy_from_slice(&body.to_le_bytes());
    let head = marvin32(&entry[..32]);
    entry[32..ENTRY_HEAD].copy_from_slice(&head.to_le_bytes());
}

/// The Marvin32 hash, as Microsoft published it with .NET.
fn marvin32(bytes: &[u8]) -> u64 {
    let (mut low, mut high) = MARVIN_SEED;
    let mut mix = |word: u32| {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    let words = bytes.chunks_exact(4);
    let mut rest = [0; 4];
    let left = words.remainder();
    rest[..left.len()].copy_from_slice(left);
    rest[left.len()] = 0x80;
    words.for_each(|word| mix(u32_at(word, 0)));
    mix(u32::from_le_bytes(rest));
    mix(0);
    u64::from(high) << 32 | u64::from(low)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Sets a field of a base block, and its checksum.
fn set(block: &mut [u8], at: usize, number: u32) {
    block[at..at + 4].copy_from_slice(&number.to_le_bytes());
    seal(block);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hive::{Key, write};
    use winrefit_formats::hive::{Hive, RegistryValue, Replay, replay};

    fn hive(keys: u32, number: u32) -> Vec<u8> {
        let sub = |key: Key, index| key.key(Key::new(format!("Key{index}")).dword("Index", index));
        let root = (0..keys).fold(Key::new("ROOT").dword("Number", number), sub);
        write(&root, "TEST", 7).unwrap()
    }

    fn number(hive: &dyn winrefit_disk::ReadAt) -> RegistryValue {
        Hive::open(hive).unwrap().value("", "Number").unwrap().unwrap()
    }

    /// The reader has a hash and a parser of its own.
    #[test]
    fn the_log_completes_the_hive() {
        // The same size, a larger hive, a smaller one.
        for (before, after) in [(10, 10), (10, 300), (300, 10)] {
            let (old, new) = (hive(before, 1), hive(after, 2));
            let (file, log) = interrupted(&old, &new);
            assert!(Hive::open(&&file[..]).unwrap().is_dirty());
            let (file, log) = (&&file[..], &&log[..]);
            let image = replay(file, &[log]).unwrap();
            assert_eq!(
                image.replay(),
                Replay::Entries {
                    count: 1,
                    sequence: u32_at(&old, PRIMARY_SEQUENCE) + 1
                }
            );
            assert_eq!(number(&image), RegistryValue::Dword(2));
            let last = format!("Key{}", after - 1);
            assert!(Hive::open(&image).unwrap().key(&last).unwrap().is_some());
            assert!(replay(file, &[]).is_err());
        }
    }
}
