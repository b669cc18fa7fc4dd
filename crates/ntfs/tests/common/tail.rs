//! Volumes with something in their tail, and what is asked of a shrink that meets it.

use super::image::Image;
use super::judge::Judge;
use super::resized::{grow_at_end, room_and_need, shrink_step_by_step};
use super::scatter::Scatter;
use super::tree::{self, mixed};
use winrefit_disk::ReadAt;
use winrefit_ntfs::format::{FormatOptions, VolumeBuilder};

pub const MIB: u64 = 1 << 20;

/// Sector, cluster and record size.
pub type Geometry = (u32, u32, u32);

pub const GEOMETRIES: [Geometry; 5] = [
    (512, 512, 1024),
    (512, 4096, 1024),
    (512, 4096, 4096),
    (512, 65536, 1024),
    (4096, 4096, 4096),
];

pub fn builder(bytes: u64, (sector_size, cluster_size, record_size): Geometry) -> VolumeBuilder {
    let options = FormatOptions {
        sector_size,
        cluster_size,
        record_size,
        hidden_sectors: 2048,
        ..FormatOptions::new(bytes / u64::from(sector_size))
    };
    VolumeBuilder::new(options).unwrap()
}

pub fn written(builder: VolumeBuilder, bytes: u64) -> Image {
    let mut image = Image::new(bytes, builder.geometry().sector_size);
    builder.write_to(&mut image).unwrap();
    image
}

/// A volume of 96 MiB with files of many sizes, whose second half is free.
pub fn half_full(geometry: Geometry) -> Scatter {
    let mut builder = builder(96 * MIB, geometry);
    tree::add(&mut builder, &mixed());
    Scatter::of(&written(builder, 96 * MIB))
}

/// Judges the volume, shrinks it to `bytes`, looking at every step, judges it, grows it back and judges it again.
pub fn assert_shrinks(image: &mut Image, bytes: u64) {
    let judge = Judge::of(image).unwrap();
    let (room, need) = room_and_need(image, bytes);
    assert!(need > 0, "nothing lies in the tail");
    let before = image.size();
    let shrink = shrink_step_by_step(image, bytes, |image| judge.accept_midway(image))
        .unwrap_or_else(|error| panic!("{error} ({error:?}); {room} clusters are free for {need}"));
    assert!(shrink.bytes_to_move() > 0);
    judge.accept(image, 2048);
    grow_at_end(image, before).unwrap();
    judge.accept(image, 2048);
}
