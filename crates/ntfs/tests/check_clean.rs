//! No false alarms: volumes made by Windows, and by mkntfs and ntfs-3g with everything that ntfs-3g can write.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::image::mkntfs;
use common::mount::{Access, Mounted};
use common::tools::fixture;
use std::path::{Path, PathBuf};
use winrefit_ntfs::check::{
    CheckOptions, CheckReport, PartitionPlace, ProblemCode, Severity, check, owners_from, path_of,
};
use winrefit_ntfs::{AttributeType, Lcn, RecordNumber, Volume};

fn assert_clean(what: &str, report: &CheckReport) {
    let (errors, warnings) = (
        report.count_of(Severity::Error),
        report.count_of(Severity::Warning),
    );
    assert_eq!((errors, warnings), (0, 0), "{what}: {:#?}", report.problems);
    assert!(report.records_in_use > 11, "{what}: {report:?}");
    assert_eq!(
        report.owned.as_ref().unwrap().free_clusters(),
        report.free_clusters,
        "{what}"
    );
}

#[test]
fn a_volume_of_windows_10_in_its_partition_is_clean() {
    let Some(disk) = fixture("ntfs/win10-ntfs-fixed-4MiB-mbr.vhd.xz") else {
        return;
    };
    // First entry of the partition table.
    let field = |offset: usize| u64::from(u32::from_le_bytes(disk[offset..offset + 4].try_into().unwrap()));
    let (start_lba, sectors) = (field(0x1C6), field(0x1CA));
    let partition = PartitionPlace {
        start_lba,
        sectors,
        sector_size: 512,
    };
    let bytes = disk[start_lba as usize * 512..(start_lba + sectors) as usize * 512].to_vec();
    let options = CheckOptions {
        partition: Some(partition),
        ..CheckOptions::default()
    };
    let report = check(&bytes, &options).unwrap();
    assert_eq!(report.problems, []);
    assert_clean("Windows 10", &report);
}

#[test]
fn a_volume_that_windows_did_not_shut_down_has_that_one_error() {
    let Some(bytes) = fixture("ntfs/win-tiny-512cluster-7MiB.dd.xz") else {
        return;
    };
    let report = check(&bytes, &CheckOptions::default()).unwrap();
    let codes: Vec<_> = report.counts.keys().copied().collect();
    assert_eq!(codes, [ProblemCode::LogInUse], "{:#?}", report.problems);
}

/// Many names, fragments, links, streams, a sparse file with thousands of runs, a compressed directory, DOS names.
fn fill(root: &Path) {
    let path = |name: &str| root.join(name);
    let bytes = |length: usize| -> Vec<u8> { (0..length).map(|i| (i * i / 7 + i) as u8).collect() };
    std::fs::create_dir(path("dir")).unwrap();
    for i in 0..200usize {
        let name = format!("dir/file {i:04} {}", "x".repeat(i % 50));
        std::fs::write(path(&name), bytes(i * 37)).unwrap();
        if i % 2 == 1 {
            std::fs::remove_file(path(&name)).unwrap();
        }
    }
    let fill_up: Vec<PathBuf> = (0..60).map(|i| path(&format!("hole {i}"))).collect();
    for file in &fill_up {
        std::fs::write(file, bytes(70_000)).unwrap();
    }
    for file in fill_up.iter().step_by(2) {
        std::fs::remove_file(file).unwrap();
    }
    std::fs::write(path("fragmented"), bytes(3_000_000)).unwrap();
    for i in 0..30 {
        let link = format!("dir/a link whose name is long enough to fill the record soon {i}");
        std::fs::hard_link(path("fragmented"), path(&link)).unwrap();
        std::fs::write(path(&format!("fragmented:stream {i}")), bytes(i * 900)).unwrap();
    }
    let sparse = std::fs::File::create(path("sparse")).unwrap();
    for i in 0..2500u64 {
        std::os::unix::fs::FileExt::write_all_at(&sparse, b"data", i * (2 << 16)).unwrap();
    }
    sparse.set_len(2500 * (2 << 16) + 777).unwrap();
    drop(sparse);
    std::fs::create_dir(path("packed")).unwrap();
    // Directory and compressed: what is made in it is compressed.
    xattr::set(path("packed"), "system.ntfs_attrib_be", &0x0810u32.to_be_bytes()).unwrap();
    xattr::set(path("dir/file 0002 xx"), "system.ntfs_dos_name", b"FILE~1").unwrap();
    for i in 0..8usize {
        let mut content = bytes(30_000);
        content.resize(300_000 + i * 5000, b'z');
        std::fs::write(path(&format!("packed/{i}")), content).unwrap();
    }
    let deep: PathBuf = (0..30).map(|i| format!("level {i}")).collect();
    std::fs::create_dir_all(root.join(deep)).unwrap();
    std::os::unix::fs::symlink("fragmented", path("symbolic link")).unwrap();
}

/// What few files have: extended attributes, object ids, reparse points, descriptors of their own; directories that
/// were large once, of names in every case and script.
fn fill_rarely(root: &Path) {
    let path = |name: &str| root.join(name);
    let set = |name: &str, key: &str, value: &[u8]| {
        std::fs::write(path(name), name).unwrap();
        xattr::set(path(name), key, value).unwrap();
    };
    // Offset of the next entry, flags, lengths of name and value, name, value.
    set(
        "with ea",
        "system.ntfs_ea",
        b"\x14\0\0\0\0\x05\x05\0EAONE\0value\0",
    );
    set("with id", "system.ntfs_object_id", &[7; 64]);
    let (target, text): (Vec<u8>, _) = (
        "\\??\\C:\\x".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        16u16,
    );
    let mut junction = 0xA000_0003u32.to_le_bytes().to_vec();
    for field in [8 + text + 4, 0, 0, text, text + 2, 0] {
        junction.extend(field.to_le_bytes());
    }
    junction.extend(target);
    junction.extend([0; 4]);
    std::fs::create_dir(path("junction")).unwrap();
    xattr::set(path("junction"), "system.ntfs_reparse_data", &junction).unwrap();
    for index in 0..60 {
        std::os::unix::fs::symlink("with ea", path(&format!("link {index}"))).unwrap();
    }
    for (directory, count) in [("many", 10_000usize), ("few", 300)] {
        std::fs::create_dir(path(directory)).unwrap();
        // In an order that has nothing to do with that of the names.
        let name = |index: usize| {
            let number = index * 7919 % count;
            let letter = ["a", "B", "\u{e4}", "\u{416}", "_", "\u{4e2d}"][number % 6];
            path(&format!(
                "{directory}/{letter}{}{number}",
                "y".repeat(number % 90)
            ))
        };
        (0..count).for_each(|index| std::fs::write(name(index), b"").unwrap());
        for index in (0..count).filter(|index| index % 3 != 0 || directory == "few") {
            std::fs::remove_file(name(index)).unwrap();
        }
    }
    for index in 0..40u32 {
        let file = path(&format!("owned {index}"));
        std::fs::write(&file, b"x").unwrap();
        std::os::unix::fs::chown(&file, Some(1000 + index), Some(100)).unwrap();
    }
}

/// Makes, fills and checks a volume; `None` if a tool is missing.
fn filled(sector: u32, cluster: u32, fill: fn(&Path)) -> Option<Vec<u8>> {
    let image = mkntfs(256 << 20, sector, cluster)?;
    assert_clean("fresh", &check(&image, &CheckOptions::default()).unwrap());
    let mounted = Mounted::new(&image, Access::Everything)?;
    fill(mounted.root());
    drop(mounted);
    Some(image.bytes())
}

#[test]
fn volumes_filled_by_ntfs_3g_are_clean_at_every_geometry() {
    let geometries = [
        (512, 512),
        (512, 1024),
        (512, 4096),
        (512, 65536),
        (1024, 2048),
        (4096, 4096),
    ];
    for (sector, cluster) in geometries {
        let Some(bytes) = filled(sector, cluster, fill) else {
            return;
        };
        let what = format!("sector {sector}, cluster {cluster}");
        let report = check(&bytes, &CheckOptions::default()).unwrap();
        assert_clean(&what, &report);
        assert!(
            report.extension_records > 3 && report.directories > 30,
            "{what}: {report:?}"
        );
        owners_and_paths(&bytes, &report);
    }
}

#[test]
fn rare_features_and_shrunken_directories_are_clean() {
    for (sector, cluster) in [(512, 512), (512, 4096), (512, 65536), (4096, 4096)] {
        let Some(bytes) = filled(sector, cluster, fill_rarely) else {
            return;
        };
        let what = format!("rare features, sector {sector}, cluster {cluster}");
        let report = check(&bytes, &CheckOptions::default()).unwrap();
        assert_clean(&what, &report);
        assert_eq!(report.problems, [], "{what}");
        let volume = Volume::open(&bytes).unwrap();
        let has = |name: &str, type_code| {
            let file = volume.lookup(name).unwrap().unwrap();
            file.attributes()
                .any(|attribute| attribute.unwrap().type_code() == type_code)
        };
        assert!(has("with ea", AttributeType::EA), "{what}");
        assert!(has("with id", AttributeType::OBJECT_ID), "{what}");
        assert!(has("junction", AttributeType::REPARSE_POINT), "{what}");
    }
}

fn owners_and_paths(bytes: &Vec<u8>, report: &CheckReport) {
    let volume = Volume::open(bytes).unwrap();
    let middle = Lcn(report.clusters / 2);
    let owners = owners_from(&volume, middle, usize::MAX).unwrap();
    let owned = report.owned.as_ref().unwrap();
    let behind = (middle.0..report.clusters)
        .filter(|&lcn| owned.is_set(Lcn(lcn)))
        .count() as u64;
    assert_eq!(owners.iter().map(|owner| owner.clusters).sum::<u64>(), behind);
    assert!(
        owners
            .iter()
            .all(|owner| owner.lcn >= middle && owner.clusters > 0)
    );
    assert_eq!(owners_from(&volume, Lcn(0), 3).unwrap().len(), 3);
    let split = owners_from(&volume, Lcn(0), usize::MAX).unwrap();
    let sparse = split.iter().find(|owner| owner.record != owner.holder).unwrap();
    assert_eq!(
        path_of(&volume, sparse.holder).unwrap(),
        path_of(&volume, sparse.record).unwrap()
    );
    let file = volume.lookup("dir/FILE~1").unwrap().unwrap();
    assert_eq!(path_of(&volume, file.number()).unwrap(), "\\dir\\file 0002 xx");
    assert_eq!(path_of(&volume, RecordNumber::ROOT).unwrap(), "\\");
    assert!(path_of(&volume, RecordNumber(u64::MAX)).is_err());
    assert!(
        owners
            .iter()
            .any(|owner| owner.attribute.0 == AttributeType::DATA)
    );
}
