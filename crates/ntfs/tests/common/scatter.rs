//! Puts streams, those of NTFS itself too, at places of a volume where no other tool would put them, by editing
//! records, $Bitmap and boot sectors. What it makes is judged before it is used; of the engine it uses only the reader.

use super::image::Image;
use winrefit_disk::Device;
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::runs::Run;
use winrefit_ntfs::{AttributeType, Lcn, RecordNumber, Volume, fixup};

/// Clusters in a row: the first and how many.
pub type Extent = (u64, u64);

/// A volume in memory.
pub struct Scatter {
    pub bytes: Vec<u8>,
    sector_size: u32,
}

impl Scatter {
    /// A volume by its bytes.
    pub fn of_bytes(bytes: Vec<u8>, sector_size: u32) -> Self {
        Self { bytes, sector_size }
    }

    /// The volume of an image.
    pub fn of(image: &Image) -> Self {
        Self::of_bytes(image.bytes(), image.sector_size().bytes() as u32)
    }

    /// The volume as an image.
    pub fn image(&self) -> Image {
        Image::of(&self.bytes, 0, self.sector_size)
    }

    pub fn volume(&self) -> Volume<&Vec<u8>> {
        Volume::open(&self.bytes).unwrap()
    }

    pub fn cluster_size(&self) -> u64 {
        self.volume().geometry().cluster_size.into()
    }

    pub fn clusters(&self) -> u64 {
        self.volume().geometry().clusters()
    }

    /// The cluster behind the last one in use.
    pub fn end_of_used(&self) -> u64 {
        self.bitmap().last_used_from(Lcn(0)).unwrap().0 + 1
    }

    pub fn bitmap(&self) -> ClusterBitmap {
        ClusterBitmap::read(&self.volume()).unwrap()
    }

    /// The first free clusters, in rows of `each`, no two rows side by side.
    pub fn free_rows(&self, rows: u64, each: u64) -> Vec<Extent> {
        let bits = self.bitmap();
        let (mut found, mut lcn) = (Vec::new(), 0);
        while found.len() < rows as usize {
            lcn = bits
                .find_free(Lcn(lcn), Lcn(bits.clusters()), each)
                .expect("free clusters")
                .0;
            found.push((lcn, each));
            lcn += each + 1;
        }
        found
    }

    /// The record of a path.
    pub fn record_of(&self, path: &str) -> u64 {
        self.volume().lookup(path).unwrap().expect(path).number().0
    }

    /// Where a stream is.
    pub fn extents(&self, record: u64, kind: AttributeType, name: &str) -> Vec<Run> {
        let file = self.volume().file(RecordNumber(record)).unwrap();
        let stream = file.require(kind, name).unwrap();
        stream.runs().expect("a resident stream").0.clone()
    }

    /// How many clusters a stream has.
    pub fn clusters_of(&self, record: u64, kind: AttributeType, name: &str) -> u64 {
        let runs = self.extents(record, kind, name);
        runs.iter()
            .filter(|run| run.lcn.is_some())
            .map(|run| run.clusters)
            .sum()
    }

    /// `count` free clusters in a row, the last ones there are before `end`.
    pub fn free_before(&self, end: u64, count: u64) -> u64 {
        let bits = self.bitmap();
        let is_free = |first: &u64| (*first..first + count).all(|lcn| !bits.is_set(Lcn(lcn)));
        (0..=end - count).rev().find(is_free).expect("no free clusters")
    }

    /// Moves all clusters of a stream, which is in one piece in its file's base record, to the end of what is free.
    pub fn move_to_tail(&mut self, record: u64, kind: AttributeType, name: &str) {
        let clusters = self.clusters_of(record, kind, name);
        let place = self.free_before(self.clusters(), clusters);
        self.relocate(record, kind, name, &[(place, clusters)]);
    }

    /// Gives a stream, which is in one piece in its file's base record, these clusters, all free. Holes stay.
    pub fn relocate(&mut self, record: u64, kind: AttributeType, name: &str, to: &[Extent]) {
        let from = self.extents(record, kind, name);
        let old = singles(from.iter().filter_map(|run| Some((run.lcn?.0, run.clusters))));
        let new = singles(to.iter().copied());
        assert_eq!(old.len(), new.len(), "as many clusters as before");
        let cluster = self.cluster_size() as usize;
        let mut bits = self.bitmap();
        for (&from, &to) in old.iter().zip(&new) {
            assert!(!bits.is_set(Lcn(to)), "cluster {to} is in use");
            let at = from as usize * cluster;
            self.bytes.copy_within(at..at + cluster, to as usize * cluster);
        }
        for (lcns, used) in [(&old, false), (&new, true)] {
            for &lcn in lcns {
                bits.set_range(Lcn(lcn), 1, used);
            }
        }
        let (old_mft, old_mirror) = (self.record_places(0), self.mirror_place());
        let is_data = kind == AttributeType::DATA && name.is_empty();
        // The records are edited where they will be found.
        match record {
            0 if is_data => self.boot_field(0x30, new[0]),
            1 if is_data => self.boot_field(0x38, new[0]),
            _ => {}
        }
        let moved = |places: &[usize]| -> Vec<usize> {
            let place = |&at: &usize| old.iter().position(|&lcn| lcn as usize == at / cluster);
            places
                .iter()
                .map(|at| place(at).map_or(*at, |index| new[index] as usize * cluster + at % cluster))
                .collect()
        };
        let (record_places, mirror) = match record {
            0 if is_data => (moved(&old_mft), old_mirror),
            1 if is_data => (self.record_places(1), moved(&[old_mirror])[0]),
            _ => (self.record_places(record), old_mirror),
        };
        self.edit_record(record, &record_places, mirror, |plain| {
            set_runs(plain, kind, name, &encode(&with_new_clusters(&from, &new)));
        });
        self.write_bitmap(&bits);
    }

    /// Marks clusters as bad, in the lists of NTFS: free ones, which then belong to $BadClus.
    pub fn mark_bad(&mut self, bad: &[Extent]) {
        let mut bits = self.bitmap();
        let mut pairs: Vec<(Option<u64>, u64)> = Vec::new();
        let mut at = 0;
        for &(lcn, count) in bad {
            assert!((lcn..lcn + count).all(|lcn| !bits.is_set(Lcn(lcn))));
            bits.set_range(Lcn(lcn), count, true);
            pairs.extend([(None, lcn - at), (Some(lcn), count)]);
            at = lcn + count;
        }
        pairs.push((None, self.clusters() - at));
        let (places, mirror) = (self.record_places(8), self.mirror_place());
        self.edit_record(8, &places, mirror, |plain| {
            set_runs(plain, AttributeType::DATA, "$Bad", &encode(&pairs));
        });
        self.write_bitmap(&bits);
    }

    /// Marks free clusters in $Bitmap that nothing owns.
    pub fn leak(&mut self, extents: &[Extent]) {
        let mut bits = self.bitmap();
        for &(lcn, count) in extents {
            assert!((lcn..lcn + count).all(|lcn| !bits.is_set(Lcn(lcn))));
            bits.set_range(Lcn(lcn), count, true);
        }
        self.write_bitmap(&bits);
    }

    /// Where each sector of a record lies; a record may be larger than a cluster, and its clusters apart.
    fn record_places(&self, record: u64) -> Vec<usize> {
        let volume = self.volume();
        let (cluster, size) = (self.cluster_size(), u64::from(volume.geometry().record_size));
        let lcns = singles(
            volume
                .mft_runs()
                .0
                .iter()
                .map(|run| (run.lcn.unwrap().0, run.clusters)),
        );
        let place = |at: u64| (lcns[(at / cluster) as usize] * cluster + at % cluster) as usize;
        (record * size..(record + 1) * size)
            .step_by(512)
            .map(place)
            .collect()
    }

    fn mirror_place(&self) -> usize {
        let volume = self.volume();
        volume.geometry().offset_of(volume.boot().mft_mirr_lcn()) as usize
    }

    /// Changes a record, fixups removed, whose sectors lie at `places`, and its copy in the mirror.
    fn edit_record(
        &mut self,
        record: u64,
        places: &[usize],
        mirror: usize,
        change: impl FnOnce(&mut Vec<u8>),
    ) {
        let sectors = places.iter().flat_map(|&at| self.bytes[at..at + 512].to_vec());
        let mut plain: Vec<u8> = sectors.collect();
        fixup::apply(&mut plain, *b"FILE", "file record", 0).unwrap();
        change(&mut plain);
        fixup::protect(&mut plain, 0x77);
        for (sector, &at) in plain.chunks(512).zip(places) {
            self.bytes[at..at + 512].copy_from_slice(sector);
        }
        // Where clusters are large, $MFTMirr has more records than the first four.
        let mirrored = self.volume().file(RecordNumber::MFT_MIRR).unwrap();
        let mirrored = mirrored.require(AttributeType::DATA, "").unwrap().len() / plain.len() as u64;
        if record < mirrored {
            let at = mirror + record as usize * plain.len();
            self.bytes[at..at + plain.len()].copy_from_slice(&plain);
        }
    }

    /// Writes a number into the boot sector and its copy in the last sector.
    fn boot_field(&mut self, offset: usize, value: u64) {
        let copy = self.bytes.len() - self.sector_size as usize;
        for sector in [0, copy] {
            self.bytes[sector + offset..][..8].copy_from_slice(&value.to_le_bytes());
        }
    }

    fn write_bitmap(&mut self, bits: &ClusterBitmap) {
        let cluster = self.cluster_size() as usize;
        let runs = self.extents(6, AttributeType::DATA, "");
        let lcns = singles(runs.iter().map(|run| (run.lcn.unwrap().0, run.clusters)));
        for (part, lcn) in bits.bytes().chunks(cluster).zip(lcns) {
            self.bytes[lcn as usize * cluster..][..part.len()].copy_from_slice(part);
        }
    }
}

/// Every cluster of some extents.
fn singles(extents: impl Iterator<Item = Extent>) -> Vec<u64> {
    extents.flat_map(|(lcn, count)| lcn..lcn + count).collect()
}

/// The same runs and holes at other clusters.
fn with_new_clusters(runs: &[Run], mut lcns: &[u64]) -> Vec<(Option<u64>, u64)> {
    let mut all: Vec<(Option<u64>, u64)> = Vec::new();
    for run in runs {
        if run.lcn.is_none() {
            all.push((None, run.clusters));
            continue;
        }
        let (own, rest) = lcns.split_at(run.clusters as usize);
        lcns = rest;
        for &lcn in own {
            match all.last_mut() {
                Some((Some(first), count)) if *first + *count == lcn => *count += 1,
                _ => all.push((Some(lcn), 1)),
            }
        }
    }
    all
}

/// Mapping pairs with four bytes for each LCN and length: not the shortest form, but a legal one.
fn encode(runs: &[(Option<u64>, u64)]) -> Vec<u8> {
    let mut pairs = Vec::new();
    let mut previous = 0;
    for &(lcn, count) in runs.iter().filter(|run| run.1 > 0) {
        pairs.push(if lcn.is_some() { 0x44 } else { 0x04 });
        pairs.extend((count as u32).to_le_bytes());
        if let Some(lcn) = lcn {
            pairs.extend((lcn as i32 - previous).to_le_bytes());
            previous = lcn as i32;
        }
    }
    pairs.push(0);
    pairs
}

/// Replaces the mapping pairs of an attribute in a record; what follows it moves.
fn set_runs(plain: &mut Vec<u8>, kind: AttributeType, name: &str, pairs: &[u8]) {
    let u16_at = |bytes: &[u8], at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let u32_at = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut at = u16_at(plain, 0x14);
    loop {
        assert_ne!(
            u32_at(plain, at),
            u32::MAX,
            "{kind} {name:?} is not in the base record"
        );
        let name_at = at + u16_at(plain, at + 0x0A);
        let is_named = usize::from(plain[at + 9]) * 2 == units.len() && plain[name_at..].starts_with(&units);
        if u32_at(plain, at) == kind.0 && is_named {
            break;
        }
        at += u32_at(plain, at + 4) as usize;
    }
    assert_eq!(plain[at + 8], 1, "a resident attribute");
    let length = u32_at(plain, at + 4) as usize;
    let mut attribute = plain[at..at + u16_at(plain, at + 0x20)].to_vec();
    attribute.extend(pairs);
    attribute.resize(attribute.len().next_multiple_of(8), 0);
    let new_length = attribute.len() as u32;
    attribute[4..8].copy_from_slice(&new_length.to_le_bytes());
    let (size, used) = (plain.len(), u32_at(plain, 0x18) + new_length - length as u32);
    assert!(used as usize <= size, "the record overflows");
    plain.splice(at..at + length, attribute);
    plain.resize(size, 0);
    plain[used as usize..].fill(0);
    plain[0x18..0x1C].copy_from_slice(&used.to_le_bytes());
}
