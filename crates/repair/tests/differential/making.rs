//! Makes the disk of a recipe.

use crate::common::disks::{Disk, NOISE, Part, Style, noise};
use crate::common::shadow;
use crate::content::{Content, builder, image};
use crate::recipe::{Maker, Recipe, Stray, TableState, VolumeRecipe};
use crate::volume::image::Image;
use crate::volume::mount::{Access, Mounted};
use crate::volume::random::Random;
use crate::volume::scatter::{Extent, Scatter};
use crate::volume::tools::{oracle, run, try_run};
use std::sync::LazyLock;
use winrefit_disk::{ByteRange, Device, MemoryDevice, ReadAt, SectorSize};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::format::FormatOptions;
use winrefit_ntfs::{AttributeType, Lcn};

const MIB: u64 = 1 << 20;

pub static IMAGE: LazyLock<Vec<u8>> = LazyLock::new(image);

/// Where a part lies.
pub fn range_of(disk: &Disk, part: &Part) -> ByteRange {
    let size = disk.sector_size.bytes();
    ByteRange::new(part.start * size, part.end * size)
}

impl Recipe {
    /// The disk. `None` if something does not fit, or a tool is missing.
    pub fn build(&self) -> Option<MemoryDevice> {
        let disk = &self.case.disk;
        let size = disk.sector_size;
        let mut device = MemoryDevice::zeroed((disk.sectors * size.bytes()) as usize, size);
        if self.leftovers {
            self.leave_things_over(&mut device);
        }
        disk.write_table(&mut device);
        for (at, part) in disk.parts.iter().enumerate() {
            let range = range_of(disk, part);
            let bytes = if self.is_fat(part) {
                self.fat_volume(part)?
            } else if self.is_ntfs(part) {
                self.ntfs_volume(at)?
            } else {
                noise(range.len() as usize, disk.seed + at as u64)
            };
            device.write_at(range.start, &bytes).unwrap();
        }
        Some(self.with_table_state(device))
    }

    /// Bytes of no meaning in all space between and behind the partitions, but for the first and the last MiB.
    fn leave_things_over(&self, device: &mut MemoryDevice) {
        let from = MIB as usize;
        let to = device.size() as usize - from;
        if from < to {
            let bytes = noise(to - from, self.seed);
            device.bytes_mut()[from..to].copy_from_slice(&bytes);
        }
    }

    fn with_table_state(&self, mut device: MemoryDevice) -> MemoryDevice {
        let sector = device.sector_size().bytes();
        let size = device.size();
        let damaged = match self.table {
            TableState::Sound => return device,
            TableState::FirstCopy(0) => sector + 40,
            TableState::FirstCopy(_) => 2 * sector + 40,
            TableState::SecondCopy(0) => size - sector + 40,
            TableState::SecondCopy(_) => size - sector - 16_384 + 40,
            TableState::Grown(mib) => {
                let mut bytes = device.bytes().to_vec();
                bytes.resize(bytes.len() + (mib * MIB) as usize, 0);
                return MemoryDevice::from_bytes(bytes, device.sector_size());
            }
        };
        device.bytes_mut()[damaged as usize] ^= 0xFF;
        device
    }

    fn fat_volume(&self, part: &Part) -> Option<Vec<u8>> {
        let disk = &self.case.disk;
        let sector = disk.sector_size.bytes();
        let file = Image::new((part.end - part.start) * sector, sector as u32);
        let size = sector.to_string();
        run(oracle("mkfs.fat")?.args(["-S", &size, "-i", "5eed0001", file.path()]));
        let store = file.directory().join("BCD");
        std::fs::write(&store, self.boot_store()).unwrap();
        let (folders, path): (&[&str], _) = match disk.style {
            Style::Gpt => (
                &["::EFI", "::EFI/Microsoft", "::EFI/Microsoft/Boot"],
                "::EFI/Microsoft/Boot/BCD",
            ),
            Style::Mbr => (&["::Boot"], "::Boot/BCD"),
        };
        run(oracle("mmd")?.args(["-i", file.path()]).args(folders));
        run(oracle("mcopy")?.args(["-i", file.path()]).arg(&store).arg(path));
        if disk.style == Style::Mbr {
            let manager = file.directory().join("bootmgr");
            std::fs::write(&manager, [0xB0; 3000]).unwrap();
            run(oracle("mcopy")?.args(["-i", file.path()]).arg(&manager).arg("::"));
        }
        Some(file.bytes())
    }

    fn ntfs_volume(&self, at: usize) -> Option<Vec<u8>> {
        let (disk, made) = (&self.case.disk, &self.volumes[at]);
        let part = &disk.parts[at];
        let files = self.contents(at, &IMAGE);
        let bytes = match made.maker {
            Maker::Peer => used(&made.wear, formatted_by_peer(disk, part)?, &files)?,
            Maker::Ours => formatted(disk, part, made, &files)?,
            Maker::Worn => {
                let bytes = formatted(disk, part, made, &files)?;
                let image = Image::of(&bytes, 0, disk.sector_size.bytes() as u32);
                used(&made.wear, image, &[])?
            }
        };
        let mut volume = Scatter::of_bytes(bytes, disk.sector_size.bytes() as u32);
        let mut random = Random::new(made.wear.seed);
        for &(stray, pieces) in &made.strays {
            let _ = put_astray(&mut volume, stray, pieces, &mut random);
        }
        if let Some(place) = made.bad {
            mark_bad(&mut volume, place, &mut random);
        }
        Some(volume.bytes)
    }
}

/// A volume by our own writer.
fn formatted(disk: &Disk, part: &Part, made: &VolumeRecipe, files: &[Content]) -> Option<Vec<u8>> {
    let sectors = part.end - part.start;
    let base = match disk.sector_size {
        SectorSize::B512 => FormatOptions::new(sectors),
        SectorSize::B4096 => FormatOptions::new_4kn(sectors),
    };
    let large = made.wear.large_records;
    let options = FormatOptions {
        hidden_sectors: part.start,
        cluster_size: part.cluster.max(base.sector_size),
        record_size: if large { 4096 } else { base.record_size },
        ..base
    };
    let mut volume = builder(options, files)?;
    let shadows = made.shadow_copies;
    if shadows > 0 {
        shadow::add_files(&mut volume, shadows);
    }
    let length = (sectors * disk.sector_size.bytes()) as usize;
    let mut device = MemoryDevice::zeroed(length, disk.sector_size);
    volume.write_to(&mut device).ok()?;
    if shadows > 0 {
        shadow::write(&mut device, shadows);
    }
    Some(device.bytes().to_vec())
}

/// An empty one of mkntfs, which does not make very small ones.
fn formatted_by_peer(disk: &Disk, part: &Part) -> Option<Image> {
    let sector = disk.sector_size.bytes();
    let image = Image::new((part.end - part.start) * sector, sector as u32);
    let cluster = u64::from(part.cluster).max(sector).to_string();
    let (start, sector) = (part.start.to_string(), sector.to_string());
    let (made, _) = try_run(
        oracle("mkntfs")?
            .args(["-q", "-F", "-f", "-H", "255", "-S", "63", "-p", &start])
            .args(["-s", &sector, "-c", &cluster, image.path()]),
    );
    made.then_some(image)
}

/// Mounts a volume, gives it files, and lets ntfs-3g use it for years.
fn used(wear: &crate::volume::random::Spec, image: Image, files: &[Content]) -> Option<Vec<u8>> {
    let mounted = Mounted::new(&image, Access::Everything)?;
    for (path, bytes) in files {
        let path = mounted.root().join(path.replace('\\', "/"));
        std::fs::create_dir_all(path.parent().unwrap()).ok()?;
        std::fs::write(path, bytes).ok()?;
    }
    // A full volume ends a step early, which is one more kind of volume.
    let _ = wear.fill(&image, mounted.root(), &mut Random::new(wear.seed));
    drop(mounted);
    Some(image.bytes())
}

/// Moves a stream to the end of the volume, or in pieces to anywhere; `None` where there is no room for it.
fn put_astray(volume: &mut Scatter, stray: Stray, pieces: u64, random: &mut Random) -> Option<()> {
    let record = match stray {
        Stray::Mft => 0,
        Stray::Mirror => 1,
        Stray::Log => 2,
        Stray::Bitmap => 6,
        Stray::Noise => volume.record_of(NOISE),
    };
    let data = AttributeType::DATA;
    let runs = {
        let ntfs = volume.volume();
        let file = ntfs.file(winrefit_ntfs::RecordNumber(record)).ok()?;
        file.require(data, "").ok()?.runs()?.0.len()
    };
    let count = volume.clusters_of(record, data, "");
    if runs != 1 || count == 0 {
        return None;
    }
    let record_clusters = u64::from(volume.volume().geometry().record_size)
        .div_ceil(volume.cluster_size())
        .max(1);
    // $MFTMirr is in one piece everywhere, and the first records have to be found in the first piece of the $MFT.
    let (pieces, least) = match stray {
        Stray::Mirror => (pieces.min(1), 1),
        Stray::Mft => (pieces.min(6), 16 * record_clusters),
        _ => (pieces, 1),
    };
    let mut bits = volume.bitmap();
    let end = bits.clusters();
    let to = if let Some(each) = count.checked_div(pieces) {
        let each = each.max(least).next_multiple_of(record_clusters);
        let mut left = count;
        let mut to = Vec::new();
        while left > 0 {
            let length = if left < 2 * each { left } else { each };
            to.push(take(&mut bits, length, random)?);
            left -= length;
        }
        to
    } else {
        let is_free = |at: &u64| (*at..*at + count).all(|lcn| !bits.is_set(Lcn(lcn)));
        vec![((0..end - count).rev().find(is_free)?, count)]
    };
    volume.relocate(record, data, "", &to);
    Some(())
}

/// So many free clusters in a row, somewhere.
fn take(bits: &mut ClusterBitmap, count: u64, random: &mut Random) -> Option<Extent> {
    let end = Lcn(bits.clusters());
    let from = Lcn(random.below(end.0));
    let found = bits
        .find_free(from, end, count)
        .or_else(|| bits.find_free(Lcn(0), end, count))?;
    bits.set_range(found, count, true);
    Some((found.0, count))
}

fn mark_bad(volume: &mut Scatter, place: u64, random: &mut Random) {
    let bits = volume.bitmap();
    let end = bits.clusters();
    let count = 1 + random.below(3);
    let from = Lcn(end * place / 1000);
    if let Some(found) = bits.find_free(from, Lcn(end), count) {
        volume.mark_bad(&[(found.0, count)]);
    }
}
