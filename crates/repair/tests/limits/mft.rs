//! The $MFT: in thousands of pieces, and longer than its volume.

use crate::attributes::{list_entry, non_resident, pairs, resident, splice};
use crate::common::image::Image;
use crate::common::{WINDOWS, partition_range};
use crate::disks::{Disk, attribute, bytes, edit, record};
use crate::large::largest;
use crate::measure::{USUAL, all, alone};
use crate::records::with_files;
use winrefit_disk::{ByteRange, Device, ReadAt, ReadWindow, SectorSize};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::runs::{Run, RunList};
use winrefit_ntfs::{AttributeType, Lcn, RecordNumber, Volume};
use winrefit_repair::report::Verdict;

/// Runs, and a length in bytes.
type Claim = (Vec<(Option<u64>, u64)>, u64);

/// Gives the $MFT these runs, and as many bytes.
fn claim_mft(disk: &mut Image, range: ByteRange, runs: &[(Option<u64>, u64)], size: u64) {
    let place = attribute(&record(disk, range, 0), AttributeType::DATA, "");
    let clusters: u64 = runs.iter().map(|run| run.1).sum();
    let new = non_resident(
        AttributeType::DATA,
        1,
        (0, clusters),
        [clusters * 4096, size, size],
        &pairs(runs),
    );
    edit(disk, range, 0, |plain| splice(plain, place, &new));
}

/// A $MFT that is longer than its volume; one made of the same clusters again and again; one as long as a sparse disk.
#[test]
fn an_mft_that_is_too_long() {
    let _alone = alone();
    let first = |disk: &Image, range| {
        let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
        let run = volume.mft_runs().0[0];
        (run.lcn.unwrap().0, run.clusters)
    };
    let claims: [fn((u64, u64)) -> Claim; 3] = [
        |(lcn, count)| (vec![(Some(lcn), count)], 1 << 58),
        |(lcn, count)| (vec![(Some(lcn), count), (None, 1 << 46)], 1 << 58),
        |(lcn, count)| (vec![(Some(lcn), count); 20], 20 * count * 4096),
    ];
    for (at, claim) in claims.iter().enumerate() {
        let mut disk = with_files().build();
        let range = partition_range(&disk, WINDOWS);
        let (runs, size) = claim(first(&disk, range));
        claim_mft(&mut disk, range, &runs, size);
        all(&format!("$MFT too long, {at}"), disk, (USUAL, USUAL));
    }
    // One of a whole sparse disk, but for 100 GiB.
    let (tib, full) = largest();
    let disk = Disk {
        mib: tib << 20,
        border: (tib << 20) - 25,
        ..Disk::default()
    };
    let mut disk = disk.build();
    let range = partition_range(&disk, WINDOWS);
    let (lcn, count) = first(&disk, range);
    let far = 1 << 20;
    let rest = ((tib << 40) - (100 << 30)) / 4096;
    claim_mft(
        &mut disk,
        range,
        &[(Some(lcn), count), (Some(far), rest)],
        (count + rest) * 4096,
    );
    all(&format!("$MFT of {tib} TiB of nothing"), disk, (USUAL, full));
}

/// An $MFT of 5,000 pieces of one cluster each, which takes an attribute list and four more records.
#[test]
fn an_mft_of_5000_extents() {
    let _alone = alone();
    let extents = 5000;
    let files = (0..extents + 60).map(|at| bytes(&format!(r"many\file {at}"), Vec::new()));
    let disk = Disk {
        mib: 250,
        border: 225,
        sector_size: SectorSize::B4096,
        ..Disk::with(files.collect())
    };
    let mut disk = disk.build();
    let range = partition_range(&disk, WINDOWS);
    scatter_mft(&mut disk, range, extents);
    assert!(volume(&disk, range).mft_runs().0.len() >= extents as usize);
    let outcomes = all("$MFT of 5,000 extents", disk, (USUAL, USUAL));
    assert_eq!(outcomes.check.unwrap().verdict, Verdict::Healthy);
    assert!(outcomes.plan.is_ok());
}

/// Clusters of the $MFT that stay where they are, and the records in them that take its runs, which Windows keeps for that.
const KEPT: u64 = 64;
const EXTENSIONS: std::ops::Range<u64> = 16..20;

fn volume(disk: &Image, range: ByteRange) -> Volume<ReadWindow<&Image>> {
    Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap()
}

/// Moves `count` clusters of the $MFT, a record each, to every other cluster of free space.
fn scatter_mft(disk: &mut Image, range: ByteRange, count: u64) {
    let clusters = spread(disk, range, count);
    let base = record(disk, range, 0);
    let id_of = |kind| base.find(kind, "").unwrap().unwrap().id();
    let own = |kind| list_entry(kind, 0, (0, 1), id_of(kind));
    let kinds = [
        AttributeType::STANDARD_INFORMATION,
        AttributeType::FILE_NAME,
        AttributeType::DATA,
    ];
    let mut list = kinds.map(own).concat();
    let share = (clusters.len() as u64 - KEPT).div_ceil(EXTENSIONS.end - EXTENSIONS.start);
    for (index, number) in EXTENSIONS.enumerate() {
        let from = KEPT + index as u64 * share;
        let to = (from + share).min(clusters.len() as u64);
        let runs = singles(&clusters[from as usize..to as usize]);
        let data = non_resident(AttributeType::DATA, 0, (from, to), [0; 3], &runs);
        let sequence = extension(disk, range, number, &data);
        list.extend(list_entry(AttributeType::DATA, from, (number, sequence), 0));
    }
    list.extend(own(AttributeType::BITMAP));
    // The records are in use now.
    let marks = base
        .find(AttributeType::BITMAP, "")
        .unwrap()
        .unwrap()
        .runs()
        .unwrap();
    let marks = range.start + marks.0[0].lcn.unwrap().0 * 4096;
    let mut bytes = disk.read_vec(marks, 4096).unwrap();
    bytes[2] |= 0x0F;
    disk.write_at(marks, &bytes).unwrap();
    let data = base.find(AttributeType::DATA, "").unwrap().unwrap();
    let sizes = data.sizes().unwrap();
    let sizes = [sizes.allocated, sizes.data, sizes.initialized];
    let runs = singles(&clusters[..KEPT as usize]);
    let data = non_resident(AttributeType::DATA, data.id(), (0, KEPT), sizes, &runs);
    let list = resident(AttributeType::ATTRIBUTE_LIST, 40, &list);
    let place = attribute(&base, AttributeType::DATA, "");
    let name = attribute(&base, AttributeType::FILE_NAME, "").start;
    edit(disk, range, 0, |plain| {
        splice(plain, place, &data);
        splice(plain, name..name, &list);
        plain[0x28..0x2A].copy_from_slice(&41u16.to_le_bytes());
    });
}

/// Copies clusters of the $MFT and marks them in $Bitmap; gives all of them in order.
fn spread(disk: &mut Image, range: ByteRange, count: u64) -> Vec<u64> {
    let (mut clusters, mut bits, bitmap) = {
        let volume = volume(disk, range);
        assert_eq!(volume.geometry().record_size, 4096);
        let lcns = |run: &Run| run.lcn.unwrap().0..run.lcn.unwrap().0 + run.clusters;
        let clusters: Vec<u64> = volume.mft_runs().0.iter().flat_map(lcns).collect();
        let bitmap = volume.file(RecordNumber::BITMAP).unwrap();
        let bitmap = bitmap.require(AttributeType::DATA, "").unwrap();
        let place = bitmap.runs().unwrap().0[0].lcn.unwrap().0;
        (clusters, ClusterBitmap::read(&volume).unwrap(), place)
    };
    let first = bits.find_free(Lcn(0), Lcn(bits.clusters()), count * 2).unwrap().0;
    for (lcn, to) in clusters[KEPT as usize..]
        .iter_mut()
        .zip((first..).step_by(2))
        .take(count as usize)
    {
        let bytes = disk.read_vec(range.start + *lcn * 4096, 4096).unwrap();
        disk.write_at(range.start + to * 4096, &bytes).unwrap();
        bits.set_range(Lcn(*lcn), 1, false);
        bits.set_range(Lcn(to), 1, true);
        *lcn = to;
    }
    for (at, part) in (bitmap..).zip(bits.bytes().chunks(4096)) {
        let mut part = part.to_vec();
        part.resize(4096, 0);
        disk.write_at(range.start + at * 4096, &part).unwrap();
    }
    clusters
}

/// A run list of single clusters.
fn singles(lcns: &[u64]) -> Vec<u8> {
    let mut list = RunList::default();
    for &lcn in lcns {
        let (lcn, clusters) = (Some(Lcn(lcn)), 1);
        list.push(Run { lcn, clusters });
    }
    list.encode()
}

/// Makes a reserved record one that extends the $MFT's, with this attribute; gives its sequence number.
fn extension(disk: &mut Image, range: ByteRange, number: u64, data: &[u8]) -> u16 {
    let mut sequence = 0;
    edit(disk, range, number, |plain| {
        let first = usize::from(u16::from_le_bytes([plain[0x14], plain[0x15]]));
        sequence = u16::from_le_bytes([plain[0x10], plain[0x11]]);
        plain.truncate(first);
        plain.extend(data);
        plain.extend([0xFF; 4]);
        plain.extend([0; 4]);
        let used = plain.len() as u32;
        assert!(used <= 4096, "{used}");
        plain[0x12..0x14].fill(0);
        plain[0x16..0x18].copy_from_slice(&1u16.to_le_bytes());
        plain[0x18..0x1C].copy_from_slice(&used.to_le_bytes());
        plain[0x20..0x28].copy_from_slice(&(1u64 << 48).to_le_bytes());
        plain[0x28..0x2A].copy_from_slice(&1u16.to_le_bytes());
    });
    sequence
}
