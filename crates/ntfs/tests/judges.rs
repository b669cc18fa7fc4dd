//! The judges of resized volumes themselves: each kind of harm that a resize could do is noticed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::image::Image;
use common::judge::Judge;
use common::mount::{Access, Mounted};
use common::scatter::Scatter;
use common::tail::half_full;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use winrefit_disk::{Device, ReadAt};
use winrefit_ntfs::{AttributeType as Type, Lcn, Volume};

const GEOMETRY: (u32, u32, u32) = (512, 4096, 1024);

fn flip(image: &mut Image, offset: u64) {
    let byte = image.read_vec(offset, 1).unwrap()[0];
    image.write_at(offset, &[byte ^ 1]).unwrap();
}

/// Where the first cluster of a stream is.
fn place(image: &Image, record: u64, kind: Type) -> u64 {
    Scatter::of(image).extents(record, kind, "")[0].lcn.unwrap().0 * 4096
}

/// Lets ntfs-3g change the files.
fn change(image: &Image, change: impl FnOnce(&Path) -> std::io::Result<()>) {
    if let Some(mounted) = Mounted::new(image, Access::Everything) {
        change(mounted.root()).unwrap();
    }
}

/// What is done to a volume, and how.
type Harm = (&'static str, fn(&mut Image));

const HARMS: &[Harm] = &[
    ("content of a file", |image| {
        let record = Scatter::of(image).record_of("sizes/65537");
        let at = place(image, record, Type::DATA);
        flip(image, at + 65_000);
    }),
    (
        "bytes behind the end of a file, within its last cluster",
        |image| {
            let record = Scatter::of(image).record_of("sizes/4097");
            let at = place(image, record, Type::DATA);
            flip(image, at + 8191);
        },
    ),
    ("a file shorter", |image| {
        change(image, |root| {
            std::fs::File::options()
                .write(true)
                .open(root.join("sizes/700"))?
                .set_len(699)
        });
    }),
    ("a file more", |image| {
        change(image, |root| std::fs::write(root.join("new"), b""))
    }),
    ("a file less", |image| {
        change(image, |root| std::fs::remove_file(root.join("sizes/9")))
    }),
    ("a file's name", |image| {
        change(image, |root| {
            std::fs::rename(root.join("sizes/9"), root.join("sizes/nine"))
        });
    }),
    ("another name", |image| {
        change(image, |root| {
            std::fs::hard_link(root.join("sizes/9"), root.join("sizes/nine"))
        });
    }),
    ("a named stream", |image| {
        change(image, |root| std::fs::write(root.join("sizes/9:stream"), b"x"))
    }),
    ("attributes", |image| {
        change(image, |root| {
            xattr::set(
                root.join("sizes/9"),
                "system.ntfs_attrib_be",
                &0x21u32.to_be_bytes(),
            )
        });
    }),
    ("$MFTMirr", |image| {
        let at = place(image, 1, Type::DATA);
        flip(image, at + 3 * 1024 + 0x40);
    }),
    ("the backup boot sector", |image| {
        let size = image.size();
        image.write_at(size - 512, &[0; 512]).unwrap();
    }),
    ("a cluster in use marked free", |image| {
        let at = place(image, 6, Type::DATA);
        let lcn = place(image, 2, Type::DATA) / 4096;
        let byte = image.read_vec(at + lcn / 8, 1).unwrap()[0];
        image.write_at(at + lcn / 8, &[byte & !(1 << (lcn % 8))]).unwrap();
    }),
    ("a free cluster marked in use", |image| {
        let volume = Volume::open(&*image).unwrap();
        let free = (0..volume.geometry().clusters()).rev();
        let bits = Scatter::of(image).bitmap();
        let lcn = free.map(Lcn).find(|&lcn| !bits.is_set(lcn)).unwrap();
        let mut scatter = Scatter::of(image);
        scatter.leak(&[(lcn.0, 1)]);
        *image = scatter.image();
    }),
];

#[test]
fn every_harm_is_noticed() {
    let volume = half_full(GEOMETRY);
    let judge = Judge::of(&volume.image()).unwrap();
    judge.accept(&volume.image(), 2048);
    for (what, harm) in HARMS {
        let mut image = volume.image();
        harm(&mut image);
        let verdict = catch_unwind(AssertUnwindSafe(|| judge.accept(&image, 2048)));
        assert!(verdict.is_err(), "{what}: nobody noticed");
    }
}

#[test]
fn a_volume_whose_files_lie_elsewhere_is_accepted() {
    let mut volume = half_full(GEOMETRY);
    let judge = Judge::of(&volume.image()).unwrap();
    for record in [0, 1, 2, 6, 10] {
        volume.move_to_tail(record, Type::DATA, "");
    }
    volume.move_to_tail(volume.record_of("sizes/65537"), Type::DATA, "");
    judge.accept(&volume.image(), 2048);
}
