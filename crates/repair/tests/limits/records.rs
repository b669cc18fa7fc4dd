//! File records, run lists and indexes that claim what no volume has, or lead in circles.

use crate::attributes::{list_entry, non_resident, pairs, resident, short_pairs, splice};
use crate::common::image::Image;
use crate::common::{WINDOWS, partition_range};
use crate::disks::{Disk, NewFile, attribute, bytes, edit, record, record_of};
use crate::measure::{USUAL, all, alone};
use winrefit_disk::{Device, ReadAt, ReadWindow};
use winrefit_ntfs::runs::Run;
use winrefit_ntfs::{AttributeType, Volume, fixup};

const FILES: [&str; 5] = [
    r"Windows\System32\config\SOFTWARE",
    r"Windows\System32\winevt\Logs\System.evtx",
    r"Windows\Logs\CBS\CBS.log",
    r"Windows\System32\Recovery\ReAgent.xml",
    r"Windows\System32\config\SYSTEM",
];

pub fn with_files() -> Disk {
    let large = |path: &&str| bytes(path, vec![0x5A; 64 << 10]);
    Disk::with(FILES.iter().map(large).collect::<Vec<NewFile>>())
}

/// Gives the content of each of [`FILES`] these runs and sizes.
fn claim(disk: &mut Image, runs: &[(Option<u64>, u64)], size: u64) {
    let range = partition_range(disk, WINDOWS);
    let clusters = runs.iter().map(|run| run.1).sum::<u64>();
    for path in FILES {
        let number = record_of(disk, range, path);
        let found = record(disk, range, number);
        let place = attribute(&found, AttributeType::DATA, "");
        let sizes = [clusters.wrapping_mul(4096), size, size];
        let new = non_resident(AttributeType::DATA, 9, (0, clusters), sizes, &pairs(runs));
        edit(disk, range, number, |plain| splice(plain, place, &new));
    }
}

#[test]
fn files_with_2_to_60_clusters() {
    let _alone = alone();
    for (name, runs, size) in [
        ("a hole of 2^60 clusters", vec![(None, 1 << 60)], 1 << 62),
        ("a hole of 2^50 clusters", vec![(None, 1 << 50)], 1 << 62),
        ("clusters that are not there", vec![(Some(5), 1 << 59)], 1 << 62),
        (
            "40 times the volume",
            vec![(Some(0), 23_000); 40],
            40 * 23_000 * 4096,
        ),
        (
            "a hole between",
            vec![(Some(5), 1), (None, 1 << 40), (Some(6), 1)],
            (1 << 52) + 8192,
        ),
    ] {
        let mut disk = with_files().build();
        claim(&mut disk, &runs, size);
        all(&format!("files with {name}"), disk, (USUAL, USUAL));
    }
}

/// As many runs as a record has room for, each of one cluster, the same two in turns.
#[test]
fn files_of_records_full_of_runs() {
    let _alone = alone();
    let mut disk = with_files().build();
    let range = partition_range(&disk, WINDOWS);
    for path in FILES {
        let number = record_of(&disk, range, path);
        let found = record(&disk, range, number);
        let place = attribute(&found, AttributeType::DATA, "");
        let room = 1024 - (found.bytes_used() - place.len()) - 0x40 - 16;
        let lcns: Vec<u64> = (0..(room / 3) as u64).map(|at| 100 + at % 2 * 2).collect();
        let clusters = lcns.len() as u64;
        let sizes = [clusters * 4096; 3];
        let new = non_resident(AttributeType::DATA, 9, (0, clusters), sizes, &short_pairs(&lcns));
        edit(&mut disk, range, number, |plain| splice(plain, place, &new));
    }
    all("records full of runs", disk, (USUAL, USUAL));
}

/// Two files whose attribute lists name each other's records, and one that names its own ten thousand times.
#[test]
fn attribute_lists_in_circles() {
    let _alone = alone();
    let mut disk = with_files().build();
    let range = partition_range(&disk, WINDOWS);
    let numbers: Vec<u64> = FILES.iter().map(|path| record_of(&disk, range, path)).collect();
    for (at, &number) in numbers.iter().enumerate() {
        let other = numbers[(at + 1) % numbers.len()];
        let sequence = record(&disk, range, other).sequence();
        let mut list = list_entry(AttributeType::STANDARD_INFORMATION, 0, (number, 1), 0);
        list.extend(list_entry(AttributeType::DATA, 0, (other, sequence), 1));
        let new = resident(AttributeType::ATTRIBUTE_LIST, 8, &list);
        let first = attribute(&record(&disk, range, number), AttributeType::FILE_NAME, "").start;
        edit(&mut disk, range, number, |plain| {
            splice(plain, first..first, &new)
        });
        // Each is an extension of the one that names it, too.
        let before = numbers[(at + numbers.len() - 1) % numbers.len()];
        edit(&mut disk, range, number, |plain| {
            plain[0x20..0x28].copy_from_slice(&(before | 1 << 48).to_le_bytes());
        });
    }
    all("attribute lists in circles", disk, (USUAL, USUAL));

    let mut disk = with_files().build();
    let place = {
        let volume = Volume::open(ReadWindow::new(&disk, range).unwrap()).unwrap();
        let file = volume.lookup(FILES[1]).unwrap().unwrap();
        file.require(AttributeType::DATA, "").unwrap().runs().unwrap().0[0]
            .lcn
            .unwrap()
    };
    for &number in &numbers {
        let list = list_entry(AttributeType::DATA, 0, (number, 1), 1).repeat(8192 / 4);
        disk.write_at(range.start + place.0 * 4096, &list).unwrap();
        let runs = pairs(&[(Some(place.0), list.len() as u64 / 4096)]);
        let clusters = list.len() as u64 / 4096;
        let new = non_resident(
            AttributeType::ATTRIBUTE_LIST,
            8,
            (0, clusters),
            [list.len() as u64; 3],
            &runs,
        );
        let first = attribute(&record(&disk, range, number), AttributeType::FILE_NAME, "").start;
        edit(&mut disk, range, number, |plain| {
            splice(plain, first..first, &new)
        });
    }
    all("attribute lists that name one record", disk, (USUAL, USUAL));
}

/// Directories whose blocks lead to themselves: \Windows and what the reset looks into.
#[test]
fn indexes_in_circles() {
    let _alone = alone();
    let many = |folder: &str| {
        let folder = folder.to_owned();
        (0..300).map(move |at| bytes(&format!(r"{folder}\a file with a long name {at}"), vec![]))
    };
    let folders = [
        r"Windows",
        r"Windows\System32",
        r"$WinREAgent",
        r"System Volume Information",
        r"Recovery",
    ];
    let files: Vec<NewFile> = folders.iter().flat_map(|folder| many(folder)).collect();
    let mut disk = Disk::with(files).build();
    let range = partition_range(&disk, WINDOWS);
    let blocks_of = |folder: &&str| -> Vec<u64> {
        let volume = Volume::open(ReadWindow::new(&disk, range).unwrap()).unwrap();
        let file = volume.lookup(folder).unwrap().unwrap();
        let stream = file.require(AttributeType::INDEX_ALLOCATION, "$I30").unwrap();
        let runs = stream.runs().unwrap().0.clone();
        let lcns = |run: &Run| run.lcn.unwrap().0..run.lcn.unwrap().0 + run.clusters;
        runs.iter().flat_map(lcns).collect()
    };
    let blocks: Vec<Vec<u64>> = folders.iter().map(blocks_of).collect();
    for blocks in blocks {
        for (vcn, lcn) in blocks.into_iter().enumerate() {
            let at = range.start + lcn * 4096;
            let mut block = disk.read_vec(at, 4096).unwrap();
            if fixup::apply(&mut block, *b"INDX", "index block", 0).is_ok() {
                below_itself(&mut block, vcn as u64);
                fixup::protect(&mut block, 0x55);
                disk.write_at(at, &block).unwrap();
            }
        }
    }
    all("indexes in circles", disk, (USUAL, USUAL));
}

/// Makes the last entry of an index block one with a block below it, which is the block itself.
fn below_itself(block: &mut [u8], vcn: u64) {
    let used = u32::from_le_bytes(block[0x1C..0x20].try_into().unwrap()) as usize;
    let end = 0x18 + used;
    if end + 8 > block.len() {
        return;
    }
    let last = end - 16;
    block[last + 8..last + 10].copy_from_slice(&24u16.to_le_bytes());
    block[last + 12..last + 14].copy_from_slice(&3u16.to_le_bytes());
    block[end..end + 8].copy_from_slice(&vcn.to_le_bytes());
    block[0x1C..0x20].copy_from_slice(&(used as u32 + 8).to_le_bytes());
    block[0x24] = 1;
}
