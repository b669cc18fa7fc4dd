//! Empty volumes of all geometries: our own reader and the tools of other people accept them.

#![allow(clippy::unwrap_used)]

mod common;

use common::image::Image;
use common::judge::{assert_other_checker_finds_nothing, assert_our_checker_finds_nothing};
use common::tools::{oracle, run};
use winrefit_disk::ReadAt;
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::boot::BootSector;
use winrefit_ntfs::format::{FormatOptions, VolumeBuilder, Written};
use winrefit_ntfs::logfile::LogState;
use winrefit_ntfs::state::VolumeState;
use winrefit_ntfs::{Lcn, RecordNumber, Volume};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Sector size, cluster size, partition bytes.
const GEOMETRIES: [(u32, u32, u64); 11] = [
    (512, 512, 8 * MIB),
    (512, 1024, 16 * MIB),
    (512, 2048, 33 * MIB + 512),
    (512, 4096, 8 * MIB),
    (512, 4096, 100 * MIB + 1536),
    (512, 4096, 2 * GIB),
    (512, 4096, 64 * GIB),
    (512, 65536, 64 * MIB),
    (512, 65536, 64 * GIB),
    (4096, 4096, 64 * MIB),
    (4096, 65536, 12 * GIB),
];

fn make(sector_size: u32, cluster_size: u32, bytes: u64) -> (Image, Written) {
    let sectors = bytes / u64::from(sector_size);
    let options = FormatOptions {
        sector_size,
        cluster_size,
        record_size: sector_size.max(1024),
        hidden_sectors: 2048,
        label: "Winrefit \u{fc}".to_owned(),
        ..FormatOptions::new(sectors)
    };
    let mut image = Image::strict(bytes, sector_size);
    let written = VolumeBuilder::new(options).unwrap().write_to(&mut image).unwrap();
    assert_our_checker_finds_nothing(&image, 2048);
    (image, written)
}

#[test]
fn our_reader_finds_an_empty_volume_at_rest() {
    for (sector_size, cluster_size, bytes) in GEOMETRIES {
        let (image, written) = make(sector_size, cluster_size, bytes);
        let volume = Volume::open(&image).unwrap();
        let state = VolumeState::read(&volume).unwrap();
        assert_eq!(state.label, "Winrefit \u{fc}");
        assert_eq!(
            (state.version, state.flags, state.log),
            ((3, 1), 0, LogState::Uninitialized)
        );
        assert_eq!(volume.boot().hidden_sectors(), 2048);
        assert_eq!(volume.records(), 64);
        let root = volume.file(RecordNumber::ROOT).unwrap();
        let names: Vec<String> = volume
            .directory(&root)
            .unwrap()
            .list()
            .unwrap()
            .iter()
            .map(|(_, name)| name.display_name())
            .collect();
        let expected =
            "$AttrDef $BadClus $Bitmap $Boot $Extend $LogFile $MFT $MFTMirr $Secure $UpCase $Volume .";
        assert_eq!(names.join(" "), expected);
        let bitmap = ClusterBitmap::read(&volume).unwrap();
        assert_eq!(bitmap.free_clusters(), written.free_clusters);
        assert_eq!(
            bitmap.last_used_from(Lcn(0)),
            Some(Lcn(written.end_of_used.0 - 1))
        );
        assert_eq!(volume.geometry().clusters(), written.clusters);
        let last = image.read_vec(bytes - u64::from(sector_size), 512).unwrap();
        let backup = BootSector::parse(last.as_slice().try_into().unwrap()).unwrap();
        assert_eq!(&backup, volume.boot());
    }
}

#[test]
fn the_mirror_repeats_the_first_records() {
    for (sector_size, cluster_size, bytes) in GEOMETRIES {
        let (image, _) = make(sector_size, cluster_size, bytes);
        let volume = Volume::open(&image).unwrap();
        let geometry = volume.geometry();
        let length = cluster_size.max(4 * geometry.record_size) as usize;
        let at = |lcn| image.read_vec(geometry.offset_of(lcn), length).unwrap();
        assert_eq!(at(volume.boot().mft_lcn()), at(volume.boot().mft_mirr_lcn()));
    }
}

#[test]
fn ntfs_3g_tools_accept_empty_volumes() {
    for (sector_size, cluster_size, bytes) in GEOMETRIES {
        let (image, _) = make(sector_size, cluster_size, bytes);
        if let Some(mut tool) = oracle("ntfsfix") {
            let printed = run(tool.arg("-n").arg(image.path()));
            assert!(printed.contains("processed successfully"), "{printed}");
        }
        if let Some(mut tool) = oracle("ntfsresize") {
            let printed = run(tool.args(["-i", "-f", "-P"]).arg(image.path()));
            let space = "Checking filesystem consistency ...\nAccounting clusters ...\n";
            assert!(printed.contains(space) && !printed.contains("ERROR"), "{printed}");
        }
        if let Some(mut tool) = oracle("ntfssecaudit") {
            let printed = run(tool.arg("-a").arg(image.path()));
            assert!(printed.contains("4 valid entries in $SDH"), "{printed}");
            assert!(printed.contains("No errors were found"), "{printed}");
        }
        if let Some(mut tool) = oracle("ntfsinfo") {
            let printed = run(tool.args(["-m", "-f"]).arg(image.path()));
            assert!(
                printed.contains(&format!("Cluster Size: {cluster_size}")),
                "{printed}"
            );
        }
    }
}

#[test]
fn other_readers_accept_empty_volumes() {
    for (sector_size, cluster_size, bytes) in GEOMETRIES {
        let (image, _) = make(sector_size, cluster_size, bytes);
        assert_other_checker_finds_nothing(&image);
        // 7-Zip opens no volume with sectors other than 512 bytes, nor those that mkntfs makes.
        if sector_size == 512
            && let Some(mut tool) = oracle("7zz")
        {
            let printed = run(tool.args(["t", "-tntfs"]).arg(image.path()));
            assert!(printed.contains("Everything is Ok"), "{printed}");
        }
        if let Some(mut tool) = oracle("fsstat") {
            let printed = run(tool.args(["-f", "ntfs"]).arg(image.path()));
            assert!(printed.contains("Version: Windows XP"), "{printed}");
        }
    }
}
