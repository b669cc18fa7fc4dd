//! Resizing an image as a caller of the engine does it, with a look at what the engine wants to do.

use super::image::Image;
use winrefit_disk::{Device, moves};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::edit::Edits;
use winrefit_ntfs::resize::{
    FrontGrowth, ResizeError, Shrink, front_growth_clusters_min, grow_end, grow_front, shrink_end,
};
use winrefit_ntfs::{Lcn, Volume};

/// Shrinks the volume to a partition of `bytes`, and the image with it.
pub fn shrink(image: &mut Image, bytes: u64) -> Result<Shrink, ResizeError> {
    let shrink = shrink_end(&*image, bytes / image.sector_size().bytes())?;
    assert_moves_only_into_free_clusters(image, bytes, &shrink);
    shrink.apply(image).unwrap();
    image.resize(bytes);
    Ok(shrink)
}

/// Shrinks as [`shrink`] does, and looks at the volume after the copying and after each step.
pub fn shrink_step_by_step(
    image: &mut Image,
    bytes: u64,
    look: impl Fn(&Image),
) -> Result<Shrink, ResizeError> {
    let shrink = shrink_end(&*image, bytes / image.sector_size().bytes())?;
    assert_moves_only_into_free_clusters(image, bytes, &shrink);
    moves::copy(image, &shrink.moves, &mut |_| true).unwrap();
    look(image);
    for step in shrink.edits.0.chunk_by(|a, b| a.step == b.step) {
        Edits(step.to_vec()).apply(image).unwrap();
        look(image);
    }
    image.resize(bytes);
    Ok(shrink)
}

/// No destination holds anything before the shrink, lies behind the new end, or is used twice; all sources are in use.
fn assert_moves_only_into_free_clusters(image: &Image, bytes: u64, shrink: &Shrink) {
    let volume = Volume::open(image).unwrap();
    let cluster = u64::from(volume.geometry().cluster_size);
    let clusters = (bytes - image.sector_size().bytes()) / cluster;
    let mut taken = ClusterBitmap::read(&volume).unwrap();
    let used = taken.clone();
    for one in &shrink.moves {
        assert!(
            one.length > 0 && (one.from | one.to | one.length) % cluster == 0,
            "{one:?} is no whole number of clusters"
        );
        for at in (0..one.length).step_by(cluster as usize) {
            let (from, to) = (Lcn((one.from + at) / cluster), Lcn((one.to + at) / cluster));
            assert!(used.is_set(from), "{one:?} copies the free cluster {from}");
            assert!(to.0 < clusters, "{one:?} copies behind the new end");
            assert!(
                !taken.is_set(to),
                "{one:?} copies into the cluster {to}, which is in use"
            );
            taken.set_range(to, 1, true);
        }
    }
}

/// Grows partition, image and volume at the end.
pub fn grow_at_end(image: &mut Image, bytes: u64) -> Result<(), ResizeError> {
    let sectors = bytes / image.sector_size().bytes();
    image.resize(bytes);
    grow_end(&*image, sectors)?.apply(image).unwrap();
    Ok(())
}

/// The least growth at the front that the engine promises to be enough, in clusters.
pub fn front_min(image: &Image) -> u64 {
    front_growth_clusters_min(&Volume::open(image).unwrap()).unwrap()
}

/// A larger image whose volume begins `clusters` clusters earlier.
pub fn grow_at_front(image: &Image, clusters: u64, hidden_sectors: u64) -> Result<Image, ResizeError> {
    let growth = FrontGrowth {
        clusters,
        hidden_sectors,
    };
    let edits = grow_front(image, growth)?;
    let cluster = u64::from(Volume::open(image).unwrap().geometry().cluster_size);
    let mut larger = Image::of(
        &image.bytes(),
        clusters * cluster,
        image.sector_size().bytes() as u32,
    );
    edits.apply(&mut larger).unwrap();
    Ok(larger)
}

/// Where the last cluster in use ends, in bytes.
pub fn end_of_used(image: &Image) -> u64 {
    let volume = Volume::open(image).unwrap();
    let last = ClusterBitmap::read(&volume)
        .unwrap()
        .last_used_from(Lcn(0))
        .unwrap();
    volume.geometry().offset_of(Lcn(last.0 + 1))
}

/// Clusters free before the new end of a partition of `bytes`, and clusters in use behind it.
pub fn room_and_need(image: &Image, bytes: u64) -> (u64, u64) {
    let volume = Volume::open(image).unwrap();
    let geometry = volume.geometry();
    let clusters = (bytes - image.sector_size().bytes()) / u64::from(geometry.cluster_size);
    let bits = ClusterBitmap::read(&volume).unwrap();
    let free = (0..clusters).filter(|&lcn| !bits.is_set(Lcn(lcn))).count() as u64;
    let used = (clusters..geometry.clusters())
        .filter(|&lcn| bits.is_set(Lcn(lcn)))
        .count() as u64;
    (free, used)
}
