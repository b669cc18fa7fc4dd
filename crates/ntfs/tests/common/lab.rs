//! A small volume made by mkntfs, with a file of two records added by hand, and the means to damage it.

#[path = "matrix.rs"]
mod matrix;

use super::image::mkntfs;
use winrefit_ntfs::attribute::FLAG_SPARSE;
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::check::{CheckOptions, CheckReport, ProblemCode, check};
use winrefit_ntfs::file::Stream;
use winrefit_ntfs::fixup;
use winrefit_ntfs::runs::{Run, RunList};
use winrefit_ntfs::{AttributeType, FileReference, Lcn, RecordNumber, Volume};

pub const CLUSTER: usize = 4096;
/// The base record of the file made by hand. mkntfs leaves records 16 to 23 free.
pub const SPLIT: u64 = 16;
/// Its extension record.
pub const EXTENSION: u64 = 17;
/// A record that stays free.
pub const FREE: u64 = 20;

/// The codes in a report, once each, in the order of their declaration. That the file made by hand is in a record kept for
/// the $MFT is left out: mkntfs has no other free ones.
pub fn codes_of(report: &CheckReport) -> Vec<ProblemCode> {
    let codes = report.counts.keys().copied();
    codes
        .filter(|&code| code != ProblemCode::ReservedRecordUsed)
        .collect()
}

#[derive(Clone)]
pub struct Lab {
    pub bytes: Vec<u8>,
    pub split_lcn: u64,
}

impl Lab {
    /// 4 MiB with clusters of 4096 bytes, records of 1024.
    pub fn new() -> Option<Self> {
        let bytes = mkntfs(4 << 20, 512, 4096)?.bytes();
        let mut lab = Self { bytes, split_lcn: 0 };
        lab.add_split_file();
        Some(lab)
    }

    pub fn volume(&self) -> Volume<&Vec<u8>> {
        Volume::open(&self.bytes).unwrap()
    }

    pub fn check(&self) -> CheckReport {
        check(&self.bytes, &CheckOptions::default()).unwrap()
    }

    /// The codes found.
    pub fn codes(&self) -> Vec<ProblemCode> {
        codes_of(&self.check())
    }

    pub fn put(&mut self, offset: usize, value: &[u8]) {
        self.bytes[offset..offset + value.len()].copy_from_slice(value);
    }

    pub fn stream(&self, record: u64, type_code: AttributeType, name: &str) -> Stream {
        let file = self.volume().file(RecordNumber(record)).unwrap();
        file.require(type_code, name).unwrap()
    }

    /// Where a stream's first run is. All of mkntfs' streams have one run.
    pub fn place(&self, record: u64, type_code: AttributeType, name: &str) -> usize {
        let stream = self.stream(record, type_code, name);
        let runs = &stream.runs().unwrap().0;
        assert_eq!(runs.len(), 1);
        runs[0].lcn.unwrap().0 as usize * CLUSTER
    }

    pub fn record_place(&self, record: u64) -> usize {
        self.volume().boot().mft_lcn().0 as usize * CLUSTER + record as usize * 1024
    }

    /// Changes a record, fixups removed, and its copy in $MFTMirr.
    pub fn edit(&mut self, record: u64, change: impl FnOnce(&mut Vec<u8>)) {
        let mirror = (record < 4).then(|| self.place(1, AttributeType::DATA, "") + record as usize * 1024);
        let place = self.record_place(record);
        let mut plain = self.bytes[place..place + 1024].to_vec();
        fixup::apply(&mut plain, *b"FILE", "file record", 0).unwrap();
        change(&mut plain);
        fixup::protect(&mut plain, 5);
        for place in [Some(place), mirror].into_iter().flatten() {
            self.put(place, &plain);
        }
    }

    /// Changes the bytes of an attribute's header or value, whose length stays.
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

    /// Changes 8 bytes of an attribute by `by`.
    pub fn add(&mut self, record: u64, type_code: AttributeType, name: &str, offset: usize, by: i64) {
        self.edit_attribute(record, type_code, name, |bytes| {
            let field: &mut [u8; 8] = (&mut bytes[offset..offset + 8]).try_into().unwrap();
            *field = (i64::from_le_bytes(*field) + by).to_le_bytes();
        });
    }

    pub fn mark_record(&mut self, record: u64, used: bool) {
        let place = self.place(0, AttributeType::BITMAP, "");
        set_bit(&mut self.bytes[place..], record, used);
    }

    pub fn mark_clusters(&mut self, lcn: u64, clusters: u64, used: bool) {
        let place = self.place(6, AttributeType::DATA, "");
        for bit in lcn..lcn + clusters {
            set_bit(&mut self.bytes[place..], bit, used);
        }
    }

    pub fn free_clusters(&self, count: u64) -> u64 {
        let bitmap = ClusterBitmap::read(&self.volume()).unwrap();
        let clusters = bitmap.clusters();
        bitmap.find_free(Lcn(0), Lcn(clusters), count).unwrap().0
    }

    pub fn write_record(&mut self, plain: Vec<u8>) {
        let number = u64::from(u32::from_le_bytes(plain[0x2C..0x30].try_into().unwrap()));
        let mut plain = plain;
        fixup::protect(&mut plain, 1);
        let place = self.record_place(number);
        self.put(place, &plain);
        self.mark_record(number, true);
    }

    /// A sparse stream in two pieces: 4 clusters, then a hole of 2 and 4 clusters in the extension record.
    fn add_split_file(&mut self) {
        let lcn = self.free_clusters(8);
        self.split_lcn = lcn;
        self.mark_clusters(lcn, 8, true);
        let run = |lcn: Option<u64>, clusters| Run {
            lcn: lcn.map(Lcn),
            clusters,
        };
        let sizes = [10 * CLUSTER as u64, 40_000, 40_000, 8 * CLUSTER as u64];
        let first = piece(3, 0..4, Some(sizes), &RunList(vec![run(Some(lcn), 4)]));
        let second = piece(
            0,
            4..10,
            None,
            &RunList(vec![run(None, 2), run(Some(lcn + 4), 4)]),
        );
        let list: Vec<u8> = [
            entry(0x10, 0, SPLIT, 0),
            entry(0x30, 0, SPLIT, 2),
            entry(0x80, 0, SPLIT, 3),
            entry(0x80, 4, EXTENSION, 0),
        ]
        .concat();
        let base = [
            resident(0x10, 0, false, &[0; 0x30]),
            resident(0x20, 1, false, &list),
            resident(0x30, 2, true, &file_name("split")),
            first,
        ];
        self.write_record(record(SPLIT, 0, 1, 4, &base.concat()));
        let own = FileReference {
            record: RecordNumber(SPLIT),
            sequence: 1,
        };
        self.write_record(record(EXTENSION, own.to_raw(), 0, 1, &second));
        self.add_root_entry(own, &file_name("split"));
    }

    /// Adds the last entry of the root directory, which has one index block.
    fn add_root_entry(&mut self, file: FileReference, key: &[u8]) {
        let length = (0x10 + key.len()).next_multiple_of(8);
        let mut entry = vec![0; length];
        entry[..8].copy_from_slice(&file.to_raw().to_le_bytes());
        entry[8..10].copy_from_slice(&(length as u16).to_le_bytes());
        entry[10..12].copy_from_slice(&(key.len() as u16).to_le_bytes());
        entry[0x10..0x10 + key.len()].copy_from_slice(key);
        let place = self.place(5, AttributeType::INDEX_ALLOCATION, "$I30");
        self.edit_block(place, |plain| {
            let used = u32::from_le_bytes(plain[0x1C..0x20].try_into().unwrap()) as usize;
            // Before the entry that ends the node.
            let at = 0x18 + used - 0x10;
            plain.copy_within(at..at + 0x10, at + length);
            plain[at..at + length].copy_from_slice(&entry);
            plain[0x1C..0x20].copy_from_slice(&((used + length) as u32).to_le_bytes());
        });
    }

    /// Changes the index block at `place`, fixups removed.
    pub fn edit_block(&mut self, place: usize, change: impl FnOnce(&mut Vec<u8>)) {
        let mut plain = self.bytes[place..place + 4096].to_vec();
        fixup::apply(&mut plain, *b"INDX", "index block", 0).unwrap();
        change(&mut plain);
        fixup::protect(&mut plain, 5);
        self.put(place, &plain);
    }
}

fn set_bit(bytes: &mut [u8], bit: u64, used: bool) {
    let byte = &mut bytes[(bit / 8) as usize];
    *byte = *byte & !(1 << (bit % 8)) | u8::from(used) << (bit % 8);
}

/// A record in use with sequence number 1, fixups not applied.
pub fn record(number: u64, base: u64, links: u16, next_id: u16, attributes: &[u8]) -> Vec<u8> {
    let mut plain = vec![0; 1024];
    let used = 0x38 + attributes.len() + 8;
    plain[0x38..used - 8].copy_from_slice(attributes);
    for (offset, value) in [
        (0x00, &b"FILE\x30\0\x03\0"[..]),
        (0x10, &[1, 0]),
        (0x12, &links.to_le_bytes()),
        (0x14, &[0x38, 0, 1, 0]),
        (0x18, &(used as u32).to_le_bytes()),
        (0x1C, &1024u32.to_le_bytes()),
        (0x20, &base.to_le_bytes()),
        (0x28, &next_id.to_le_bytes()),
        (0x2C, &(number as u32).to_le_bytes()),
        (used - 8, &[0xFF; 4]),
    ] {
        plain[offset..offset + value.len()].copy_from_slice(value);
    }
    plain
}

/// A resident, unnamed attribute.
pub fn resident(type_code: u32, id: u16, indexed: bool, value: &[u8]) -> Vec<u8> {
    let length = (0x18 + value.len()).next_multiple_of(8);
    let mut bytes = vec![0; length];
    bytes[0..4].copy_from_slice(&type_code.to_le_bytes());
    bytes[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    bytes[0x0A] = 0x18;
    bytes[0x0E..0x10].copy_from_slice(&id.to_le_bytes());
    bytes[0x10..0x14].copy_from_slice(&(value.len() as u32).to_le_bytes());
    bytes[0x14] = 0x18;
    bytes[0x16] = indexed.into();
    bytes[0x18..0x18 + value.len()].copy_from_slice(value);
    bytes
}

/// A piece of a sparse unnamed $DATA: allocated, data, initialised and total allocated size in the first one.
fn piece(id: u16, vcns: std::ops::Range<u64>, sizes: Option<[u64; 4]>, runs: &RunList) -> Vec<u8> {
    let pairs = runs.encode();
    let header = 0x48;
    let length = (header + pairs.len()).next_multiple_of(8);
    let mut bytes = vec![0; length];
    bytes[0] = 0x80;
    bytes[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    bytes[8] = 1;
    bytes[0x0A] = 0x48;
    bytes[0x0C..0x0E].copy_from_slice(&FLAG_SPARSE.to_le_bytes());
    bytes[0x0E..0x10].copy_from_slice(&id.to_le_bytes());
    bytes[0x10..0x18].copy_from_slice(&vcns.start.to_le_bytes());
    bytes[0x18..0x20].copy_from_slice(&(vcns.end - 1).to_le_bytes());
    bytes[0x20] = 0x48;
    bytes[0x22] = 4;
    for (index, size) in sizes.into_iter().flatten().enumerate() {
        bytes[0x28 + index * 8..0x30 + index * 8].copy_from_slice(&size.to_le_bytes());
    }
    bytes[header..header + pairs.len()].copy_from_slice(&pairs);
    bytes
}

fn entry(type_code: u8, lowest_vcn: u8, holder: u64, id: u8) -> Vec<u8> {
    let mut bytes = vec![0; 0x20];
    let holder = FileReference {
        record: RecordNumber(holder),
        sequence: 1,
    };
    (bytes[0], bytes[4], bytes[7], bytes[8], bytes[0x18]) = (type_code, 0x20, 0x1A, lowest_vcn, id);
    bytes[0x10..0x18].copy_from_slice(&holder.to_raw().to_le_bytes());
    bytes
}

/// A $FILE_NAME in the root directory.
fn file_name(name: &str) -> Vec<u8> {
    let mut bytes = vec![0; 0x42];
    bytes[0x28..0x30].copy_from_slice(&(8 * CLUSTER as u64).to_le_bytes());
    bytes[0x30..0x38].copy_from_slice(&40_000u64.to_le_bytes());
    let root = FileReference {
        record: RecordNumber::ROOT,
        sequence: 5,
    };
    bytes[0..8].copy_from_slice(&root.to_raw().to_le_bytes());
    (bytes[0x40], bytes[0x41]) = (name.len() as u8, 1);
    bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

/// One kind of damage: what it is, how it is done, and the codes that have to be found, no others.
pub type Case = (&'static str, fn(&mut Lab), &'static [ProblemCode]);

/// Does each damage to a volume of its own, which has no problem before.
pub fn run_cases(cases: &[Case]) {
    let Some(lab) = Lab::new() else { return };
    assert_eq!(lab.codes(), [], "{:?}", lab.check());
    let matrix = matrix::Matrix::new(&lab.bytes);
    let mut missed = Vec::new();
    for (what, damage, expected) in cases {
        let mut damaged = lab.clone();
        damage(&mut damaged);
        assert_ne!(damaged.bytes, lab.bytes, "{what}: nothing was damaged");
        let found = damaged.codes();
        matrix.row(what, &damaged.bytes, &found, expected);
        if found != *expected {
            missed.push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
