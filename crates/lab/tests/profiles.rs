//! The disks of the profiles are what they say: for the diagnosis, for the consistency checker, byte by byte.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use winrefit_disk::{DiskError, DiskFile, ReadAt, ReadWindow};
use winrefit_formats::read_gpt;
use winrefit_lab::profile::{Quirk, Role};
use winrefit_lab::{CreateOptions, CreatedDisk, CreatedPartition, LabError, Profile, create_file, profiles};
use winrefit_ntfs::check::{CheckOptions, PartitionPlace, ProblemCode, check};
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::diagnose;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::target::Target;

const SMALL: CreateOptions = CreateOptions {
    size: Some(4 << 30),
    files: Some(200),
    event_log: None,
};

fn make(name: &str, path: &Path) -> CreatedDisk {
    create_file(Profile::find(name).unwrap(), &SMALL, path).unwrap()
}

fn diagnosis(name: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    make(name, &path);
    diagnose(&Target::open_read(&path, 0).unwrap(), None).unwrap()
}

#[test]
fn server2022_needs_a_larger_recovery_partition() {
    let report = diagnosis("server2022");
    assert_eq!(report.verdict, Verdict::NeedsRepair, "{report:#?}");
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["re-too-small", "winre-image-vulnerable"]);
    let recovery = report.recovery.unwrap();
    assert_eq!((recovery.partition, recovery.enabled), (4, Some(true)));
    assert_eq!(recovery.size_bytes, 525 << 20);
    assert_eq!(recovery.free_bytes, Some(86_372_352));
    let image = recovery.image.unwrap();
    assert_eq!(image.version.as_deref(), Some("10.0.20348.587"));
    let windows = &report.windows[0];
    assert_eq!(windows.product.as_deref(), Some("Windows Server 2022 Standard"));
    assert_eq!(windows.build.as_deref(), Some("20348.2227"));
    assert_eq!(
        (windows.recovery_enabled, windows.recovery_partition),
        (Some(true), Some(4))
    );
}

#[test]
fn healthy_is_healthy() {
    let report = diagnosis("healthy");
    assert_eq!(report.verdict, Verdict::Healthy, "{report:#?}");
    let recovery = report.recovery.unwrap();
    assert_eq!(recovery.free_bytes, Some(600 << 20));
    assert_eq!(
        recovery.image.unwrap().version.as_deref(),
        Some("10.0.20348.2849")
    );
}

#[test]
fn the_checker_finds_what_was_planted_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for profile in profiles::all() {
        let path = folder.path().join(profile.name);
        let options = CreateOptions {
            size: None,
            files: Some(200),
            event_log: None,
        };
        let made = create_file(profile, &options, &path).unwrap();
        let disk = DiskFile::open_read(&path).unwrap();
        let mut volumes = 0;
        for partition in made.partitions.iter().filter(|p| p.free_bytes.is_some()) {
            let sector_size = profile.sector_size.bytes();
            let place = PartitionPlace {
                // What the boot sector is to say; of a logical partition it counts from its EBR.
                start_lba: partition.hidden_sectors(sector_size),
                sectors: partition.range.len() / sector_size,
                sector_size: sector_size as u32,
            };
            let options = CheckOptions {
                partition: Some(place),
                ..CheckOptions::default()
            };
            let report = check(ReadWindow::new(&disk, partition.range).unwrap(), &options).unwrap();
            let codes: Vec<_> = report.problems.iter().map(|problem| problem.code).collect();
            let expected = match profile.quirk.filter(|_| partition.role == Role::Windows) {
                Some(Quirk::Hibernated | Quirk::FastStartup) => &[ProblemCode::LogFastStartup][..],
                Some(Quirk::UncleanLog) => &[ProblemCode::LogInUse],
                Some(Quirk::BadClusters) => &[ProblemCode::BadClusters],
                Some(Quirk::Dirty) => &[ProblemCode::VolumeDirty],
                _ => &[],
            };
            assert_eq!(codes, expected, "{} {:?}", profile.name, partition.role);
            assert_eq!(Some(report.free_clusters * 4096), partition.free_bytes);
            let records_min = if partition.role.is_windows() { 230 } else { 15 };
            assert!(report.records_in_use >= records_min, "{}", profile.name);
            volumes += 1;
        }
        assert!(volumes > 0, "{}", profile.name);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn the_table_has_what_setup_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    let made = make("server2022", &path);
    let disk = DiskFile::open_read(&path).unwrap();
    let reading = read_gpt(&disk, winrefit_disk::SectorSize::B512).unwrap();
    let table = reading.usable().unwrap();
    let shown: Vec<String> = table
        .partitions()
        .iter()
        .map(|p| {
            format!(
                "{} {} {:#018x} {} {:?}",
                p.number, p.type_guid, p.attributes, p.range, p.name
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "1 c12a7328-f81f-11d2-ba4b-00a0c93ec93b 0x8000000000000000 LBA 2048..206848 \"EFI system partition\"",
            "2 e3c9e316-0b5c-4db8-817d-f92df00215ae 0x8000000000000000 LBA 206848..239616 \
             \"Microsoft reserved partition\"",
            "3 ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 0x0000000000000000 LBA 239616..7311360 \
             \"Basic data partition\"",
            "4 de94bba4-06d1-4d40-a16a-bfd50179d6ac 0x8000000000000001 LBA 7311360..8386560 \"\"",
        ]
    );
    assert_eq!(table.disk_guid().as_uuid(), made.disk_guid);
    for (entry, partition) in table.partitions().iter().zip(&made.partitions) {
        assert_eq!(entry.unique_guid.as_uuid(), partition.unique_guid);
    }
}

#[test]
fn the_same_profile_twice_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let options = CreateOptions {
        size: Some(1 << 30),
        files: Some(50),
        event_log: None,
    };
    let profile = Profile::find("server2022").unwrap();
    assert_eq!(
        create_file(profile, &options, &one).unwrap(),
        create_file(profile, &options, &two).unwrap()
    );
    let (one, two) = (
        DiskFile::open_read(&one).unwrap(),
        DiskFile::open_read(&two).unwrap(),
    );
    let (mut left, mut right) = (vec![0; 16 << 20], vec![0; 16 << 20]);
    for offset in (0..1u64 << 30).step_by(16 << 20) {
        one.read_at(offset, &mut left).unwrap();
        two.read_at(offset, &mut right).unwrap();
        assert!(left == right, "differ behind byte {offset}");
    }
}

#[test]
fn a_file_that_exists_stays_and_one_that_fails_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    std::fs::write(&path, b"precious").unwrap();
    let profile = Profile::find("server2022").unwrap();
    let error = create_file(profile, &SMALL, &path).unwrap_err();
    assert!(
        matches!(&error, LabError::Disk(DiskError::Create { .. })),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");

    // More free space than the recovery partition has: found while the volume is made.
    let greedy = Profile {
        recovery: winrefit_lab::profile::RecoverySpec {
            free_bytes: 600 << 20,
            ..profile.recovery
        },
        ..*profile
    };
    let path = folder.path().join("other.img");
    let error = create_file(&greedy, &SMALL, &path).unwrap_err();
    let LabError::FreeSpace {
        partition: 4,
        expected_bytes,
        actual_bytes,
    } = error
    else {
        panic!("{error}");
    };
    assert!(expected_bytes == 600 << 20 && actual_bytes < 525 << 20);
    assert!(!path.exists());

    for (size, partial) in [(4 << 30 | 100, true), (100 << 20, false)] {
        let options = CreateOptions {
            size: Some(size),
            ..SMALL
        };
        let error = create_file(profile, &options, &path).unwrap_err();
        assert_eq!(
            matches!(error, LabError::PartialSector { .. }),
            partial,
            "{error}"
        );
        assert_eq!(matches!(error, LabError::Layout(_)), !partial, "{error}");
        assert!(!path.exists());
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_new_disk() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    make("server2022", &path);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

/// The content of a file of a partition, if it is there.
fn file(disk: &DiskFile, partition: &CreatedPartition, path: &str) -> Option<Vec<u8>> {
    let volume = Volume::open(ReadWindow::new(disk, partition.range).unwrap()).unwrap();
    let stream = volume
        .lookup(path)
        .unwrap()?
        .require(AttributeType::DATA, "")
        .unwrap();
    let length = stream.len() as usize;
    let reader = stream.reader(volume.reader(), volume.geometry()).unwrap();
    Some(reader.read_vec(0, length).unwrap())
}

#[test]
fn every_windows_has_the_frame_of_a_ram_disk_twice() {
    for name in ["server2022", "mbr"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.img");
        let made = make(name, &path);
        let disk = DiskFile::open_read(&path).unwrap();
        let recovery = made.partition(Role::Recovery).unwrap();
        let installed = file(&disk, recovery, r"Recovery\WindowsRE\boot.sdi").unwrap();
        assert_eq!(installed.len(), 3_170_304);
        let windows = made.partition(Role::Windows).unwrap();
        for firmware in ["EFI", "PCAT"] {
            let path = format!(r"Windows\Boot\DVD\{firmware}\boot.sdi");
            assert!(
                file(&disk, windows, &path).unwrap() == installed,
                "{name}: {path}"
            );
        }
    }
}

#[test]
fn images_and_free_space_are_where_the_profiles_say() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let path = folder.path().join(name);
        let options = CreateOptions {
            size: None,
            files: Some(100),
            event_log: None,
        };
        let made = create_file(Profile::find(name).unwrap(), &options, &path).unwrap();
        (made, DiskFile::open_read(&path).unwrap())
    };
    let installed = r"Recovery\WindowsRE\Winre.wim";

    let (elsewhere, disk) = made("winre-image-elsewhere");
    let on = |role| file(&disk, elsewhere.partition(role).unwrap(), installed).is_some();
    assert!(!on(Role::Recovery) && on(Role::StaleRecovery) && !on(Role::Windows));

    let (gap, disk) = made("create-gap");
    let windows = gap.partition(Role::Windows).unwrap();
    assert!(file(&disk, windows, r"Windows\System32\Recovery\Winre.wim").is_some());
    assert_eq!(gap.size_bytes - windows.range.end, 2049 << 20);

    let (donor, disk) = made("data-donor");
    let [windows, data] = [Role::Windows, Role::Data].map(|role| donor.partition(role).unwrap());
    assert_eq!(windows.free_bytes, Some(300 << 20));
    assert!(data.free_bytes.unwrap() > 15 << 30);
    let volume = Volume::open(ReadWindow::new(&disk, data.range).unwrap()).unwrap();
    assert!(volume.lookup(r"Users\Administrator\Documents").unwrap().is_some());
    assert!(volume.lookup("Windows").unwrap().is_none());
}
