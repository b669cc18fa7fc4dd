//! A volume of our own writer with directories of several levels, descriptors, and the means to damage its indexes.

use winrefit_disk::{MemoryDevice, SectorSize};
use winrefit_ntfs::attribute::FileName;
use winrefit_ntfs::check::{CheckLevel, CheckOptions, CheckReport, ProblemCode, check};
use winrefit_ntfs::file::Stream;
use winrefit_ntfs::fixup;
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::index::{BLOCK_HEADER, Entry, I30, ROOT_HEADER, entries};
use winrefit_ntfs::{AttributeType, RecordNumber, Vcn, Volume};

pub const CLUSTER: usize = 4096;
pub const BLOCK: usize = 4096;
/// Bytes of the volume.
const SIZE: u64 = 16 << 20;

#[derive(Clone)]
pub struct Indexed {
    pub bytes: Vec<u8>,
}

impl Indexed {
    /// `\small` has five files in its root, `\large` two thousand in three levels, and `\large\inner` is a directory.
    pub fn new() -> Self {
        let mut device = MemoryDevice::zeroed(SIZE as usize, SectorSize::B512);
        let mut builder = VolumeBuilder::new(FormatOptions::new(SIZE / 512)).unwrap();
        for index in 0..5 {
            let content = FileData::Bytes(vec![7; index * 3000]);
            builder
                .add_file(&format!("small/file {index}"), 0x20, content)
                .unwrap();
        }
        for index in 0..2000 {
            let name = format!("large/a name of some length, number {index:05}");
            builder
                .add_file(&name, 0x20, FileData::Bytes(vec![1; 10]))
                .unwrap();
        }
        builder.add_directory("large/inner/innermost", 0).unwrap();
        builder.write_to(&mut device).unwrap();
        Self {
            bytes: device.bytes().to_vec(),
        }
    }

    pub fn volume(&self) -> Volume<&Vec<u8>> {
        Volume::open(&self.bytes).unwrap()
    }

    pub fn check(&self, level: CheckLevel) -> CheckReport {
        let options = CheckOptions {
            level,
            ..CheckOptions::default()
        };
        check(&self.bytes, &options).unwrap()
    }

    /// The codes found, once each, in the order of their declaration.
    pub fn codes(&self) -> Vec<ProblemCode> {
        self.check(CheckLevel::Full).counts.into_keys().collect()
    }

    pub fn file(&self, path: &str) -> u64 {
        self.volume().lookup(path).unwrap().unwrap().number().0
    }

    pub fn stream(&self, record: u64, type_code: AttributeType, name: &str) -> Stream {
        let file = self.volume().file(RecordNumber(record)).unwrap();
        file.require(type_code, name).unwrap()
    }

    /// Where a byte of a stream is.
    pub fn place(&self, record: u64, type_code: AttributeType, name: &str, byte: usize) -> usize {
        let stream = self.stream(record, type_code, name);
        let (start, run) = stream.runs().unwrap().find(Vcn((byte / CLUSTER) as u64)).unwrap();
        run.lcn.unwrap().0 as usize * CLUSTER + byte - start.0 as usize * CLUSTER
    }

    /// Changes a record, fixups removed.
    pub fn edit(&mut self, record: u64, change: impl FnOnce(&mut [u8])) {
        let place = self.place(0, AttributeType::DATA, "", record as usize * 1024);
        self.protected(place, 1024, *b"FILE", change);
    }

    fn protected(&mut self, place: usize, size: usize, signature: [u8; 4], change: impl FnOnce(&mut [u8])) {
        let mut plain = self.bytes[place..place + size].to_vec();
        fixup::apply(&mut plain, signature, "block", 0).unwrap();
        change(&mut plain);
        fixup::protect(&mut plain, 5);
        self.bytes[place..place + size].copy_from_slice(&plain);
    }

    /// Changes an attribute, header included.
    pub fn edit_attribute(
        &mut self,
        record: u64,
        type_code: AttributeType,
        name: &str,
        change: impl FnOnce(&mut [u8]),
    ) {
        let read = self.volume().read_record(RecordNumber(record)).unwrap();
        let attribute = read.find(type_code, name).unwrap().unwrap();
        let range = attribute.offset()..attribute.offset() + attribute.bytes().len();
        self.edit(record, |plain| change(&mut plain[range]));
    }

    /// Changes the value of an index' root.
    pub fn edit_root(&mut self, record: u64, name: &str, change: impl FnOnce(&mut [u8])) {
        self.edit_attribute(record, AttributeType::INDEX_ROOT, name, |bytes| {
            let value = usize::from(u16::from_le_bytes([bytes[0x14], bytes[0x15]]));
            change(&mut bytes[value..]);
        });
    }

    /// Number of blocks of a directory.
    pub fn blocks(&self, directory: u64) -> usize {
        let stream = self.stream(directory, AttributeType::INDEX_ALLOCATION, I30);
        stream.len() as usize / BLOCK
    }

    /// Where a block of a directory is.
    pub fn block_place(&self, directory: u64, block: usize) -> usize {
        self.place(directory, AttributeType::INDEX_ALLOCATION, I30, block * BLOCK)
    }

    /// A block of a directory, fixups removed.
    pub fn block(&self, directory: u64, block: usize) -> Vec<u8> {
        let place = self.block_place(directory, block);
        let mut plain = self.bytes[place..place + BLOCK].to_vec();
        fixup::apply(&mut plain, *b"INDX", "index block", 0).unwrap();
        plain
    }

    /// Changes a block of a directory, fixups removed.
    pub fn edit_block(&mut self, directory: u64, block: usize, change: impl FnOnce(&mut [u8])) {
        let place = self.block_place(directory, block);
        self.protected(place, BLOCK, *b"INDX", change);
    }

    /// The first block that has sub-nodes, or has none.
    pub fn find_block(&self, directory: u64, is_inner: bool) -> usize {
        (0..self.blocks(directory))
            .find(|&block| (self.block(directory, block)[BLOCK_HEADER + 12] == 1) == is_inner)
            .unwrap()
    }

    /// Changes the entry of a name in a directory's root or blocks; the whole node and the entry's offset are given.
    pub fn edit_entry(&mut self, directory: u64, name: &str, change: impl FnOnce(&mut [u8], usize)) {
        let is_it =
            |entry: &Entry<'_>| FileName::parse(entry.key()).is_some_and(|key| key.display_name() == name);
        let number = RecordNumber(directory);
        let root = self.stream(directory, AttributeType::INDEX_ROOT, I30);
        let root = self.volume().read_stream(root, 1024).unwrap();
        let in_root = entries(&root, ROOT_HEADER, number, None).unwrap();
        if let Some(entry) = in_root.iter().find(|entry| is_it(entry)) {
            let offset = entry.offset;
            return self.edit_root(directory, I30, |root| change(root, offset));
        }
        let found = (0..self.blocks(directory)).find_map(|block| {
            let plain = self.block(directory, block);
            let list = entries(&plain, BLOCK_HEADER, number, None).unwrap();
            let entry = list.iter().find(|entry| is_it(entry))?;
            Some((block, entry.offset))
        });
        let (block, offset) = found.unwrap();
        self.edit_block(directory, block, |plain| change(plain, offset));
    }
}

/// Length of the entry at `offset`.
pub fn entry_length(node: &[u8], offset: usize) -> usize {
    u16::from_le_bytes([node[offset + 8], node[offset + 9]]).into()
}
