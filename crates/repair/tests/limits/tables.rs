//! Partition tables, FAT volumes, shadow copies and journals.

use crate::common::image::Image;
use crate::common::{WINDOWS, partition_range, shadow};
use crate::disks::{Disk, bytes};
use crate::measure::{USUAL, all, alone, budget, measured};
use sha2::{Digest, Sha256};
use winrefit_disk::{Device, ReadAt, ReadWindow, Window};
use winrefit_lab::profile::Role;
use winrefit_lab::{CreateOptions, CreatedDisk, Profile, create};
use winrefit_ntfs::Volume;
use winrefit_repair::commands::{resume, undo};

/// Sets the checksums of the header of the primary GPT, whose array has `array` bytes.
fn seal_gpt(disk: &mut Image, array: Option<usize>) {
    let mut header = disk.read_vec(512, 512).unwrap();
    if let Some(array) = array {
        let entries = disk.read_vec(1024, array).unwrap();
        header[88..92].copy_from_slice(&crc32fast::hash(&entries).to_le_bytes());
    }
    header[16..20].fill(0);
    let sum = crc32fast::hash(&header[..92]);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
    disk.write_at(512, &header).unwrap();
}

#[test]
fn a_gpt_with_2_to_32_entries() {
    let _alone = alone();
    for (count, size) in [
        (u32::MAX, 128u32),
        (1 << 15, 128),
        (u32::MAX, u32::MAX),
        (1 << 10, 4096),
    ] {
        let mut disk = Disk::default().build();
        let mut header = disk.read_vec(512, 512).unwrap();
        header[80..84].copy_from_slice(&count.to_le_bytes());
        header[84..88].copy_from_slice(&size.to_le_bytes());
        disk.write_at(512, &header).unwrap();
        seal_gpt(&mut disk, None);
        // The other copy as well.
        let end = disk.size();
        disk.write_at(end - 512, &vec![0; 512]).unwrap();
        all(
            &format!("GPT, {count} entries of {size} bytes"),
            disk,
            (USUAL, USUAL),
        );
    }
}

#[test]
fn a_gpt_with_128_partitions() {
    let _alone = alone();
    let disk = Disk {
        mib: 300,
        border: 95,
        others: 124,
        ..Disk::default()
    };
    let outcomes = all("GPT with 128 partitions", disk.build(), (USUAL, USUAL));
    assert!(outcomes.diagnose.is_ok() && outcomes.plan.is_ok());
}

/// The largest array that is read, full of partitions of one sector each, which begin like NTFS.
#[test]
fn a_gpt_with_32768_partitions() {
    let _alone = alone();
    let mut disk = Disk::default().build();
    let boot = disk.read_vec(4 << 20, 512).unwrap();
    let count = 32_768usize;
    let mut array = vec![0; count * 128];
    let first = 2 + (count as u64 * 128) / 512;
    for (at, entry) in array.chunks_exact_mut(128).enumerate() {
        let lba = first + at as u64;
        entry[..16].copy_from_slice(&[7; 16]);
        entry[16..24].copy_from_slice(&(at as u64 + 1).to_le_bytes());
        entry[32..40].copy_from_slice(&lba.to_le_bytes());
        entry[40..48].copy_from_slice(&lba.to_le_bytes());
    }
    disk.write_at(1024, &array).unwrap();
    disk.write_at(first * 512, &boot.repeat(count)).unwrap();
    let mut header = disk.read_vec(512, 512).unwrap();
    header[40..48].copy_from_slice(&first.to_le_bytes());
    header[80..84].copy_from_slice(&(count as u32).to_le_bytes());
    disk.write_at(512, &header).unwrap();
    seal_gpt(&mut disk, Some(array.len()));
    drop(array);
    all("GPT with 32768 partitions", disk, (USUAL, budget(96, 60)));
}

/// A disk of the lab.
fn lab(name: &str) -> (Image, CreatedDisk) {
    let profile = Profile::find(name).unwrap();
    let mut image = Image::new(profile.disk_size_bytes, profile.sector_size.bytes() as u32);
    let options = CreateOptions {
        files: Some(50),
        ..CreateOptions::default()
    };
    let created = create(profile, &options, &mut image).unwrap();
    (image, created)
}

/// A FAT whose directories are circles without an end mark.
#[test]
fn fat_chains_in_circles() {
    let _alone = alone();
    let (mut disk, created) = lab("server2022");
    let esp = created.partition(Role::EfiSystem).unwrap().range;
    let boot = disk.read_vec(esp.start, 512).unwrap();
    let word = |at: usize| u64::from(u16::from_le_bytes([boot[at], boot[at + 1]]));
    let fat_sectors = u64::from(u32::from_le_bytes(boot[36..40].try_into().unwrap()));
    let (reserved, tables, cluster) = (word(14), u64::from(boot[16]), u64::from(boot[13]) * 512);
    for table in 0..tables {
        let at = esp.start + (reserved + table * fat_sectors) * 512;
        let mut sector = disk.read_vec(at, 512).unwrap();
        // Each cluster is followed by itself.
        for (number, entry) in sector.chunks_exact_mut(4).enumerate().skip(2) {
            entry.copy_from_slice(&(number as u32).to_le_bytes());
        }
        disk.write_at(at, &sector).unwrap();
    }
    let data = esp.start + (reserved + tables * fat_sectors) * 512;
    let mut root = disk.read_vec(data, cluster as usize).unwrap();
    root.chunks_exact_mut(32)
        .filter(|slot| slot[0] == 0)
        .for_each(|slot| slot[0] = 0xE5);
    disk.write_at(data, &root).unwrap();
    all("FAT chains in circles", disk, (USUAL, USUAL));
}

/// An extended partition whose boot records lead in a circle, and one with as many as are followed, each of which names
/// the Windows partition.
#[test]
fn extended_partitions_without_end() {
    let _alone = alone();
    for circle in [true, false] {
        let (mut disk, created) = lab("mbr");
        let windows = created.windows().next().unwrap().range;
        let mut mbr = disk.read_vec(0, 512).unwrap();
        let free = (446..510).step_by(16).find(|&at| mbr[at + 4] == 0).unwrap();
        // Behind all others, in sectors that nothing uses: the start of the disk.
        let start = 8u32;
        mbr[free + 4] = 0x0F;
        mbr[free + 8..free + 12].copy_from_slice(&start.to_le_bytes());
        mbr[free + 12..free + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        disk.write_at(0, &mbr).unwrap();
        for number in 0..300u32 {
            let mut ebr = vec![0; 512];
            let entry = |kind: u8, start: u32, sectors: u32| {
                let mut entry = [0; 16];
                entry[4] = kind;
                entry[8..12].copy_from_slice(&start.to_le_bytes());
                entry[12..16].copy_from_slice(&sectors.to_le_bytes());
                entry
            };
            let own = start + number;
            let sectors = (windows.len() / 512) as u32;
            ebr[446..462].copy_from_slice(&entry(7, (windows.start / 512) as u32 - own, sectors));
            let next = if circle { (number + 1) % 200 } else { number + 1 };
            ebr[462..478].copy_from_slice(&entry(5, next, 1));
            ebr[510..].copy_from_slice(&[0x55, 0xAA]);
            disk.write_at(u64::from(own) * 512, &ebr).unwrap();
        }
        let name = if circle { "in a circle" } else { "without end" };
        all(
            &format!("extended partition {name}"),
            disk,
            (budget(96, 60), budget(96, 120)),
        );
    }
}

/// A catalog of shadow copies whose blocks lead in a circle, and one that has as many as are read.
#[test]
fn a_shadow_copy_catalog_in_a_circle() {
    let _alone = alone();
    for circle in [true, false] {
        let mut disk = Disk::default().build();
        let range = partition_range(&disk, WINDOWS);
        let mut part = Window::new(&mut disk, range).unwrap();
        let first = 40u64 << 20;
        let blocks = 400u64;
        shadow::write_header(&mut part, 2, first);
        for number in 0..blocks {
            let at = first + number * shadow::BLOCK as u64;
            shadow::write_catalog_at(&mut part, at, 40);
            let next = if circle { first } else { at + shadow::BLOCK as u64 };
            shadow::patch(&mut part, at + 40, &next.to_le_bytes());
        }
        shadow::write_header(&mut part, 2, first);
        let name = if circle { "in a circle" } else { "of 400 blocks" };
        all(&format!("shadow copy catalog {name}"), disk, (USUAL, USUAL));
    }
}

/// A journal's header at byte `at`, with the hash of the body that is there.
fn journal(disk: &mut Image, at: u64, (extents, moves): (u32, u32), body: (u64, u64), state: u32) {
    let mut header = vec![0; 512];
    header[..8].copy_from_slice(b"WRFTJRNL");
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(8, &2u32.to_le_bytes());
    put(12, &state.to_le_bytes());
    put(16, &[3; 16]);
    put(32, &crate::common::disk_guid().to_bytes_le());
    put(48, &disk.size().to_le_bytes());
    put(56, &at.to_le_bytes());
    put(64, &512u32.to_le_bytes());
    put(68, &extents.to_le_bytes());
    put(72, &body.0.to_le_bytes());
    put(80, &body.1.to_le_bytes());
    put(392, &moves.to_le_bytes());
    let mut hasher = Sha256::new();
    let mut done = 0;
    while done < body.1.min(disk.size().saturating_sub(body.0)) {
        let piece = disk
            .read_vec(body.0 + done, (body.1 - done).min(1 << 20) as usize)
            .unwrap();
        hasher.update(&piece);
        done += piece.len() as u64;
    }
    put(104, &hasher.finalize());
    let sum = crc32fast::hash(&header[..508]);
    header[508..].copy_from_slice(&sum.to_le_bytes());
    disk.write_at(at, &header).unwrap();
}

/// Journals that claim 2^32 extents, or a body as long as may be.
#[test]
fn journals_that_claim_too_much() {
    let _alone = alone();
    let gap = 34 * 512;
    let limit = 256 << 20;
    let within = 200u64 << 20;
    for (name, counts, body) in [
        ("2^32 extents", (u32::MAX, 0), (within, limit)),
        ("2^32 moves", (0, u32::MAX), (within, limit)),
        ("extents of nothing", (1 << 24, 0), (within, limit)),
        ("no extent", (0, 0), (within, limit)),
        ("a body of 2^60", (1, 1), (within, 1 << 60)),
        ("one extent of 128 MiB", (1, 0), (within, limit)),
    ] {
        for state in [2, 3] {
            let disk = Disk {
                mib: 1 << 10,
                border: 150,
                ..Disk::default()
            };
            let mut disk = disk.build();
            if name.starts_with("one") {
                let length = ((limit - 512) / 2 / 512 * 512) as u32;
                disk.write_at(within + 8, &length.to_le_bytes()).unwrap();
                disk.write_at(within, &(20u64 << 20).to_le_bytes()).unwrap();
            }
            journal(&mut disk, gap, counts, body, state);
            let case = format!("journal with {name}, state {state}");
            let mut subject = crate::common::target(disk);
            let words =
                |result: &Result<winrefit_repair::report::Report, winrefit_repair::RepairError>| match result
                {
                    Ok(report) => format!("{:?}", report.verdict),
                    Err(error) => format!(
                        "error: {}",
                        error.to_string().chars().take(90).collect::<String>()
                    ),
                };
            let most = budget(600, 60);
            let _ = measured(&case, "resume", most, || resume(&mut subject, &mut |_| ()), words);
            let _ = measured(
                &case,
                "undo",
                most,
                || undo(&mut subject, &mut |_| true, &mut |_| ()),
                words,
            );
            if state == 2 {
                all(&case, subject.device, (USUAL, USUAL));
            }
        }
    }
}

/// Sectors of 4096 bytes; clusters of 64 KiB.
#[test]
fn large_sectors_and_clusters() {
    let _alone = alone();
    for (name, sector_size, cluster_size, mib) in [
        (
            "sectors of 4096 bytes",
            winrefit_disk::SectorSize::B4096,
            4096,
            400,
        ),
        (
            "clusters of 64 KiB",
            winrefit_disk::SectorSize::B512,
            64 << 10,
            700,
        ),
        ("both", winrefit_disk::SectorSize::B4096, 64 << 10, 700),
    ] {
        let disk = Disk {
            mib,
            border: mib - 31,
            sector_size,
            cluster_size,
            ..Disk::with(vec![bytes("one file", vec![1; 3 << 20])])
        };
        let outcomes = all(name, disk.build(), (USUAL, USUAL));
        assert!(outcomes.plan.is_ok() && outcomes.verify.is_ok(), "{name}");
    }
}

/// The largest clusters that Windows has, on a volume of another formatter.
#[test]
fn clusters_of_2_mib() {
    let _alone = alone();
    let Some(volume) = crate::common::image::mkntfs(8 << 30, 512, 2 << 20) else {
        return;
    };
    let disk = Disk {
        mib: (8 << 10) + 40,
        border: (8 << 10) + 4,
        ..Disk::default()
    };
    let mut disk = disk.build();
    let range = partition_range(&disk, WINDOWS);
    assert_eq!(range.len(), 8 << 30);
    copy_data(&volume, &mut disk, range.start);
    let clusters = Volume::open(ReadWindow::new(&disk, range).unwrap())
        .unwrap()
        .geometry()
        .cluster_size;
    assert_eq!(clusters, 2 << 20);
    all("clusters of 2 MiB", disk, (USUAL, budget(96, 60)));
}

fn copy_data(from: &Image, to: &mut Image, offset: u64) {
    for at in (0..from.size()).step_by(1 << 20) {
        let piece = from.read_vec(at, 1 << 20).unwrap();
        let old = to.read_vec(offset + at, 1 << 20).unwrap();
        if piece != old {
            to.write_at(offset + at, &piece).unwrap();
        }
    }
}
