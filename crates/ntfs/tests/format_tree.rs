//! Volumes with files: all is read back as it was given, by our reader and by others, and others can go on writing.

#![allow(clippy::unwrap_used)]

mod common;

use common::image::Image;
use common::judge::{
    assert_ntfsfix_is_content, assert_ntfsresize_accounts, assert_other_checker_finds_nothing,
    assert_our_checker_finds_nothing,
};
use common::mount::{Access, Mounted};
use common::tools::{oracle, run};
use common::tree::{self, Tree, assert_same, noise, read_host};
use std::time::Instant;
use winrefit_disk::ReadAt;
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder, Written};
use winrefit_ntfs::{AttributeType, Volume};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Sector size, cluster size, partition bytes.
const GEOMETRIES: [(u32, u32, u64); 6] = [
    (512, 512, 32 * MIB),
    (512, 1024, 64 * MIB),
    (512, 4096, 64 * MIB),
    (512, 65536, 256 * MIB),
    (4096, 4096, 64 * MIB),
    (512, 4096, 20 * GIB),
];

fn builder(sector_size: u32, cluster_size: u32, bytes: u64) -> VolumeBuilder {
    let options = FormatOptions {
        sector_size,
        cluster_size,
        record_size: sector_size.max(1024),
        ..FormatOptions::new(bytes / u64::from(sector_size))
    };
    VolumeBuilder::new(options).unwrap()
}

fn make(sector_size: u32, cluster_size: u32, bytes: u64, tree: &Tree) -> (Image, Written) {
    let mut builder = builder(sector_size, cluster_size, bytes);
    tree::add(&mut builder, tree);
    let mut image = Image::strict(bytes, sector_size);
    let written = builder.write_to(&mut image).unwrap();
    assert_our_checker_finds_nothing(&image, 0);
    (image, written)
}

/// Others who account for every cluster find nothing to complain of.
fn assert_accounted(image: &Image) {
    assert_other_checker_finds_nothing(image);
    assert_ntfsresize_accounts(image, false);
    assert_ntfsfix_is_content(image);
}

#[test]
fn our_reader_and_the_accounting_agree_with_what_was_written() {
    let expected = tree::mixed();
    for (sector_size, cluster_size, bytes) in GEOMETRIES {
        let (image, _) = make(sector_size, cluster_size, bytes, &expected);
        let volume = Volume::open(&image).unwrap();
        assert_same(&tree::read(&volume), &expected, "our reader");
        assert_accounted(&image);
    }
}

#[test]
fn ntfs_3g_reads_all_and_goes_on_writing() {
    let expected = tree::mixed();
    for (sector_size, cluster_size, bytes) in GEOMETRIES {
        let (image, written) = make(sector_size, cluster_size, bytes, &expected);
        let Some(mounted) = Mounted::new(&image, Access::Plain) else {
            return;
        };
        assert_same(&read_host(mounted.root()), &expected, "ntfs-3g");
        let mut expected = expected.clone();
        for index in 0..300 {
            let path = format!("counts/1000/entry number {}", index * 2);
            std::fs::remove_file(mounted.root().join(&path)).unwrap();
            expected.remove(&path);
            for path in [format!("counts/12/new one {index}"), format!("new file {index}")] {
                let content = noise(index, index as usize * 100);
                std::fs::write(mounted.root().join(&path), &content).unwrap();
                expected.insert(path, Some(content));
            }
        }
        drop(mounted);
        assert_accounted(&image);
        let volume = Volume::open(&image).unwrap();
        let after = tree::read_after_others(&volume);
        assert_same(&after, &expected, "our reader, after ntfs-3g");
        assert!(
            volume.records() > written.records,
            "the $MFT did not have to grow"
        );
    }
}

#[test]
fn other_readers_count_what_was_written() {
    let expected = tree::mixed();
    let (image, _) = make(512, 4096, 64 * MIB, &expected);
    let files = expected.values().filter(|content| content.is_some()).count();
    let folders = expected.len() - files;
    if let Some(mut tool) = oracle("7zz") {
        let printed = run(tool.args(["t", "-tntfs"]).arg(image.path()));
        assert!(printed.contains("Everything is Ok"), "{printed}");
        let listed = run(oracle("7zz")
            .unwrap()
            .args(["l", "-tntfs", "-slt"])
            .arg(image.path()));
        let own = listed
            .lines()
            .filter(|line| {
                line.starts_with("Path = ") && !line.starts_with("Path = [") && !line.contains('$')
            })
            .count();
        // The first line is the image's own.
        assert_eq!(own, files + folders + 1, "{printed}");
    }
    if let Some(mut tool) = oracle("fls") {
        let printed = run(tool.args(["-r", "-p", "-u", "-f", "ntfs"]).arg(image.path()));
        let own = |kind: &str| {
            printed
                .lines()
                .filter(|line| line.starts_with(kind) && !line.contains('$'))
                .count()
        };
        assert_eq!((own("r/r"), own("d/d")), (files, folders));
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let expected = tree::mixed();
    let (first, _) = make(512, 4096, 32 * MIB, &expected);
    let (second, _) = make(512, 4096, 32 * MIB, &expected);
    let all = |image: &Image| image.read_vec(0, 32 << 20).unwrap();
    assert!(all(&first) == all(&second));
}

#[test]
fn a_directory_holds_any_number_of_entries() {
    for count in [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 1_369, 1_370, 20_000,
    ] {
        let mut expected = Tree::from([("d".to_owned(), None)]);
        expected.extend((0..count).map(|index| (format!("d/{index:08}"), Some(Vec::new()))));
        let (image, _) = make(512, 4096, 64 * MIB, &expected);
        assert_same(
            &tree::read(&Volume::open(&image).unwrap()),
            &expected,
            "our reader",
        );
        if count < 100 || count == 20_000 {
            assert_accounted(&image);
        }
    }
}

#[test]
fn names_of_full_length_make_deep_trees() {
    let name = |index: usize| format!("{}{index:05}", "\u{e9}".repeat(250));
    let mut expected = Tree::from([(name(0), None)]);
    expected.extend((0..9000).map(|index| (format!("{}/{}", name(0), name(index)), Some(vec![1]))));
    let (image, _) = make(512, 4096, 128 * MIB, &expected);
    let volume = Volume::open(&image).unwrap();
    assert_same(&tree::read(&volume), &expected, "our reader");
    assert_accounted(&image);
    if let Some(mounted) = Mounted::new(&image, Access::Plain) {
        assert_same(&read_host(mounted.root()), &expected, "ntfs-3g");
    }
}

#[test]
fn a_hundred_thousand_files_take_seconds() {
    let mut builder = builder(512, 4096, 4 * GIB);
    for index in 0..100_000u64 {
        let data = FileData::Bytes(vec![index as u8; (index % 3000) as usize]);
        let path = format!("Windows/WinSxS/file number {index}");
        builder.add_file(&path, 0x20, data).unwrap();
    }
    let mut image = Image::strict(4 * GIB, 512);
    let start = Instant::now();
    let written = builder.write_to(&mut image).unwrap();
    eprintln!("100,000 files written in {:?}", start.elapsed());
    assert!(written.end_of_used.0 * 4096 < GIB, "{written:?}");
    let volume = Volume::open(&image).unwrap();
    let directory = volume.lookup("windows\\winsxs").unwrap().unwrap();
    assert_eq!(
        volume.directory(&directory).unwrap().list().unwrap().len(),
        100_000
    );
    for index in [0u64, 1, 99_999, 54_321] {
        let file = volume
            .lookup(&format!("WINDOWS/winsxs/FILE NUMBER {index}"))
            .unwrap()
            .unwrap();
        let stream = file.require(AttributeType::DATA, "").unwrap();
        let bytes = volume.read_stream(stream, 4096).unwrap();
        assert_eq!(bytes, vec![index as u8; (index % 3000) as usize]);
    }
    assert_accounted(&image);
    if let Some(mounted) = Mounted::new(&image, Access::Plain) {
        assert_eq!(
            std::fs::read_dir(mounted.root().join("Windows/WinSxS"))
                .unwrap()
                .count(),
            100_000
        );
        drop(mounted);
    }
}

/// Disk blocks of a file, as the host's file system counts them.
fn allocated_bytes(image: &Image) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(image.path()).unwrap().blocks() * 512
}

#[test]
fn large_contents_are_in_one_run_and_sparse_ones_cost_no_writes() {
    struct Counting(u64);
    impl ReadAt for Counting {
        fn size(&self) -> u64 {
            self.0
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), winrefit_disk::DiskError> {
            for (at, byte) in (offset..).zip(buf) {
                *byte = (at % 251) as u8;
            }
            Ok(())
        }
    }
    let mut builder = builder(512, 4096, 64 * GIB);
    let pieces = vec![(20 * GIB + 5, vec![7; 5000]), (3, vec![8; 4])];
    let size = 24 * GIB + 77;
    builder
        .add_file("huge.bin", 0, FileData::Zeroed { size, pieces })
        .unwrap();
    builder
        .add_file("copied.bin", 0, FileData::Reader(Box::new(Counting(5 * MIB + 3))))
        .unwrap();
    let small = FileData::Zeroed {
        size: 100,
        pieces: vec![(99, vec![1])],
    };
    builder.add_file("small.bin", 0, small).unwrap();
    let mut image = Image::strict(64 * GIB, 512);
    let written = builder.write_to(&mut image).unwrap();
    assert!(allocated_bytes(&image) < 20 * MIB, "{}", allocated_bytes(&image));
    assert!(written.end_of_used.0 * 4096 < 32 * GIB);
    let volume = Volume::open(&image).unwrap();
    let stream = |path: &str| {
        let file = volume.lookup(path).unwrap().unwrap();
        file.require(AttributeType::DATA, "").unwrap()
    };
    assert_eq!(stream("huge.bin").runs().unwrap().0.len(), 1);
    let huge = volume.stream_reader(stream("huge.bin")).unwrap();
    assert_eq!(huge.size(), size);
    assert_eq!(huge.read_vec(0, 10).unwrap(), [0, 0, 0, 8, 8, 8, 8, 0, 0, 0]);
    let around = huge.read_vec(20 * GIB, 5010).unwrap();
    assert!(around[..5].iter().chain(&around[5005..]).all(|&byte| byte == 0));
    assert!(around[5..5005].iter().all(|&byte| byte == 7));
    let copied = volume.read_stream(stream("copied.bin"), GIB).unwrap();
    assert_eq!(copied.len() as u64, 5 * MIB + 3);
    assert!(
        copied
            .iter()
            .enumerate()
            .all(|(at, &byte)| byte == (at % 251) as u8)
    );
    let small = volume.read_stream(stream("small.bin"), GIB).unwrap();
    assert_eq!((small.len(), small[98], small[99]), (100, 0, 1));
    assert_our_checker_finds_nothing(&image, 0);
    assert_accounted(&image);
}

#[test]
fn attributes_are_in_the_record_and_in_the_directory() {
    let mut builder = builder(512, 4096, 16 * MIB);
    builder
        .add_file("dir/file.sys", 0x27, FileData::Bytes(vec![1]))
        .unwrap();
    builder.add_directory("dir", 0x16).unwrap();
    let mut image = Image::strict(16 * MIB, 512);
    builder.write_to(&mut image).unwrap();
    let volume = Volume::open(&image).unwrap();
    for (path, information, name) in [("dir", 0x06, 0x1000_0006), ("dir/file.sys", 0x27, 0x27)] {
        let file = volume.lookup(path).unwrap().unwrap();
        let attribute = file
            .base()
            .find(AttributeType::STANDARD_INFORMATION, "")
            .unwrap()
            .unwrap();
        assert_eq!(
            attribute.value().unwrap()[0x20..0x24],
            u32::to_le_bytes(information)
        );
        assert_eq!(file.names().unwrap()[0].file_attributes, name);
    }
}
