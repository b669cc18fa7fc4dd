//! A dirty hive with logs as long as logs may be, made on the fly.

use crate::hives::{PACKAGES, Raw};
use winrefit_disk::{DiskError, ReadAt};
use winrefit_lab::hive;

const LOG_BYTES: u64 = 256 << 20;
const ENTRY_BYTES: u64 = 4 << 20;

/// A log made on the fly: a base block, and entries of one size.
pub struct Log {
    pub base: Vec<u8>,
    pub first_sequence: u32,
}

/// A dirty hive and the two logs that complete it.
pub fn dirty() -> (Vec<u8>, [Log; 2]) {
    let mut raw = Raw::new();
    let (root, _) = raw.way(PACKAGES);
    let mut hive = raw.finish(root);
    seal(&mut hive, &[(4, 2), (8, 1)]);
    let log = |number: u32| {
        let mut base = hive[..512].to_vec();
        seal(&mut base, &[(28, 6), (4, 1), (8, 1)]);
        Log {
            base,
            first_sequence: 1 + number * ((LOG_BYTES - 512) / ENTRY_BYTES) as u32,
        }
    };
    let logs = [log(0), log(1)];
    (hive, logs)
}

fn seal(block: &mut [u8], fields: &[(usize, u32)]) {
    for (at, number) in fields {
        block[*at..*at + 4].copy_from_slice(&number.to_le_bytes());
    }
    hive::seal(block);
}

impl Log {
    /// The entry of this number: one page, behind the hive's own, that no other entry has.
    fn entry(&self, number: u64) -> Vec<u8> {
        let own = u64::from(self.first_sequence) + number;
        let room = ENTRY_BYTES - 1024;
        let mut entry = vec![0x5A; ENTRY_BYTES as usize];
        let bins_bytes = 3u32 << 30;
        let to = 4096 + own * room;
        let fields: [(usize, u32); 8] = [
            (0, u32::from_le_bytes(*b"HvLE")),
            (4, ENTRY_BYTES as u32),
            (8, 0),
            (12, own as u32),
            (16, bins_bytes),
            (20, 1),
            (40, to as u32 / 512 * 512),
            (44, room as u32),
        ];
        for (at, number) in fields {
            entry[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        hive::seal_entry(&mut entry);
        entry
    }
}

impl ReadAt for Log {
    fn size(&self) -> u64 {
        LOG_BYTES
    }

    /// What a volume is made from: pieces of 1 MiB, in order.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let mut all = self.base.clone();
        all.resize(512, 0);
        let end = offset + buf.len() as u64;
        let (mut at, mut number) = (512, 0);
        buf.fill(0);
        if offset < 512 {
            let length = (512 - offset).min(buf.len() as u64) as usize;
            buf[..length].copy_from_slice(&all[offset as usize..offset as usize + length]);
        }
        while at < end && at + ENTRY_BYTES <= LOG_BYTES {
            if at + ENTRY_BYTES > offset {
                let entry = self.entry(number);
                let (from, to) = (at.max(offset), (at + ENTRY_BYTES).min(end));
                buf[(from - offset) as usize..(to - offset) as usize]
                    .copy_from_slice(&entry[(from - at) as usize..(to - at) as usize]);
            }
            at += ENTRY_BYTES;
            number += 1;
        }
        Ok(())
    }
}
