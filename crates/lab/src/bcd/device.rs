//! Device elements: how a boot store names a partition, and a RAM disk image on one.
//!
//! A device element is `16 bytes options GUID`, then one device. A device is `u32 type`, `u32 flags`,
//! `u32 length` (counted from the type), `u32 0`, body.

use uuid::Uuid;

/// Device type of a RAM disk.
const TYPE_RAMDISK: u32 = 0;
/// Device type of a GPT or MBR partition.
const TYPE_PARTITION: u32 = 6;
/// Set where the options GUID names an object.
const FLAG_HAS_OPTIONS: u32 = 1;
/// What a RAM disk is loaded from: a file, by its path on a device.
const SOURCE_FILE: u32 = 3;

/// A partition as a boot store names it. Where the layout of each is known from: `docs/formats/bcd.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// On a GPT disk.
    Gpt {
        /// GUID of the disk.
        disk: Uuid,
        /// Unique GUID of the partition.
        partition: Uuid,
    },
    /// On an MBR disk.
    Mbr {
        /// Signature of the disk.
        signature: u32,
        /// Where the partition begins, in bytes from the start of the disk; of a logical one as well, which no sample
        /// from Windows shows.
        offset: u64,
    },
}

impl Partition {
    /// The device element for the partition itself.
    pub fn element(&self) -> Vec<u8> {
        let mut element = Uuid::nil().to_bytes_le().to_vec();
        element.extend(self.device());
        element
    }

    /// The device element for a RAM disk from the image `path` on this partition. `options` is the object with the
    /// place of `boot.sdi`.
    pub fn ramdisk_element(&self, options: Uuid, path: &str) -> Vec<u8> {
        let nested = self.device();
        let path: Vec<u8> = path
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        // The file: `u32 1`, its length, `u32 5`, the device, the path.
        let file_length = 12 + nested.len() + path.len();
        let mut body = words(&[SOURCE_FILE, 0, 0, 0, 0, 0, 1, file_length as u32, 5]);
        body.extend(nested);
        body.extend(path);
        let mut element = options.to_bytes_le().to_vec();
        element.extend(words(&[
            TYPE_RAMDISK,
            FLAG_HAS_OPTIONS,
            16 + body.len() as u32,
            0,
        ]));
        element.extend(body);
        element
    }

    fn device(&self) -> Vec<u8> {
        const KIND_PARTITION: u32 = 0;
        const SCHEME_GPT: u32 = 0;
        const SCHEME_MBR: u32 = 1;
        let (scheme, partition_id, disk_id) = match self {
            Self::Gpt { disk, partition } => (SCHEME_GPT, partition.to_bytes_le(), disk.to_bytes_le()),
            Self::Mbr { signature, offset } => {
                let (mut partition_id, mut disk_id) = ([0; 16], [0; 16]);
                partition_id[..8].copy_from_slice(&offset.to_le_bytes());
                disk_id[..4].copy_from_slice(&signature.to_le_bytes());
                (SCHEME_MBR, partition_id, disk_id)
            }
        };
        let mut device = words(&[TYPE_PARTITION, 0, 0x48, 0]);
        device.extend(partition_id);
        device.extend(words(&[KIND_PARTITION, scheme]));
        device.extend(disk_id);
        device.extend([0; 16]);
        device
    }
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
