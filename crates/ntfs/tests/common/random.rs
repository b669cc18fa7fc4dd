//! Volumes as years of use make them, from a few numbers: sizes, how full, how fragmented, which features.

use super::image::{Image, mkntfs};
use super::mount::{Access, Mounted};
use super::tree::noise;
use std::fs::File;
use std::io::{Result, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use winrefit_ntfs::Volume;
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};

/// xorshift64*: a seed gives the same numbers everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % limit
    }

    /// A number up to `limit`, all magnitudes alike.
    pub fn magnitude(&mut self, limit: u64) -> u64 {
        let bits = u64::from(limit.max(1).ilog2()) + 1;
        let below = 1 << self.below(bits + 1);
        self.below(below).min(limit)
    }
}

/// What a volume is like. Impossible combinations are brought to the nearest possible one.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Formatted by `VolumeBuilder`, which also writes some of the files; by mkntfs otherwise.
    pub ours: bool,
    /// Size of the partition in sectors of 512 bytes.
    pub sectors: u64,
    /// log2 of the cluster size.
    pub cluster_log: u32,
    /// Sectors of 4096 bytes rather than 512.
    pub large_sectors: bool,
    /// File records of 4096 bytes rather than 1024; only our own writer makes them on small sectors.
    pub large_records: bool,
    /// How much of the volume is in use in the end.
    pub fill_percent: u64,
    /// Whether it was nearly full once, so that files lie everywhere, in pieces.
    pub aged: bool,
    /// A bit for each of [`FEATURES`].
    pub features: u16,
    /// For everything else.
    pub seed: u64,
}

/// What a step of filling has at hand.
pub struct Fill<'f> {
    root: &'f Path,
    random: &'f mut Random,
    cluster: u64,
    /// The largest file.
    size_max: u64,
}

pub type Feature = fn(&mut Fill<'_>) -> Result<()>;

pub const FEATURES: [Feature; 10] = [
    compressed,
    sparse,
    named_streams,
    hard_links,
    extended_attributes,
    reparse_points,
    deep_directories,
    big_directory,
    attribute_lists,
    dos_names,
];

impl Spec {
    pub fn sector_size(&self) -> u32 {
        if self.large_sectors { 4096 } else { 512 }
    }

    pub fn cluster_size(&self) -> u32 {
        (1 << self.cluster_log).max(self.sector_size())
    }

    fn bytes(&self) -> u64 {
        self.sectors * 512 / u64::from(self.sector_size()) * u64::from(self.sector_size())
    }

    /// Makes the volume. `None`, with a notice, if a tool is missing.
    pub fn build(&self) -> Option<Image> {
        let mut random = Random::new(self.seed);
        let image = if self.ours || (self.large_records && !self.large_sectors) {
            self.format(&mut random)
        } else {
            mkntfs(self.bytes(), self.sector_size(), self.cluster_size())?
        };
        let mounted = Mounted::new(&image, Access::Everything)?;
        // A full volume ends a step early, which is one more kind of volume.
        let _ = self.fill(&image, mounted.root(), &mut random);
        drop(mounted);
        Some(image)
    }

    fn format(&self, random: &mut Random) -> Image {
        let options = FormatOptions {
            sector_size: self.sector_size(),
            cluster_size: self.cluster_size(),
            record_size: if self.large_records || self.large_sectors {
                4096
            } else {
                1024
            },
            hidden_sectors: 2048,
            ..FormatOptions::new(self.bytes() / u64::from(self.sector_size()))
        };
        let mut builder = VolumeBuilder::new(options).unwrap();
        let mut left = self.bytes() * self.fill_percent / 400;
        for index in 0..random.magnitude(500) {
            let length = random.magnitude(left / 4);
            left -= length;
            let path = format!("ours/{}/{index}", random.below(4));
            let data = FileData::Bytes(noise(index, length as usize));
            builder.add_file(&path, 0x20, data).unwrap();
        }
        let mut image = Image::new(self.bytes(), self.sector_size());
        builder.write_to(&mut image).unwrap();
        image
    }

    /// Uses a mounted volume for years, in a few steps.
    pub fn fill(&self, image: &Image, root: &Path, random: &mut Random) -> Result<()> {
        let mut fill = Fill {
            root,
            random,
            cluster: self.cluster_size().into(),
            size_max: self.bytes() / 30,
        };
        // Room for what the features take, and for ntfs-3g, which does not bear full volumes well.
        let free = free_bytes(image).saturating_sub(self.bytes() / 40 + 16 * fill.cluster);
        let used = self.bytes() - free;
        let wanted = (self.bytes() * self.fill_percent / 100)
            .saturating_sub(used)
            .min(free);
        let mut fillers = if self.aged {
            fill.grow_in_turns("old", free - wanted)?
        } else {
            Vec::new()
        };
        let files = fill.grow_in_turns("files", wanted * 3 / 4)?;
        // Every other filler leaves a hole; the new files go into the holes.
        while fillers.len() > 3 {
            let index = fill.random.below(fillers.len() as u64) as usize;
            std::fs::remove_file(fillers.swap_remove(index))?;
        }
        fill.grow_in_turns("later", wanted / 4)?;
        for path in files.iter().filter(|_| fill.random.below(8) == 0) {
            std::fs::remove_file(path)?;
        }
        for (index, feature) in FEATURES.iter().enumerate() {
            if self.features >> index & 1 == 1 {
                feature(&mut fill)?;
            }
        }
        Ok(())
    }
}

fn free_bytes(image: &Image) -> u64 {
    let volume = Volume::open(image).unwrap();
    let bits = ClusterBitmap::read(&volume).unwrap();
    bits.free_clusters() * u64::from(volume.geometry().cluster_size)
}

impl Fill<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes `bytes` into files of all sizes that grow in turns, so that their clusters interleave.
    fn grow_in_turns(&mut self, directory: &str, bytes: u64) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(self.path(directory))?;
        let mut paths = Vec::new();
        let mut open: Vec<(File, u64)> = Vec::new();
        let mut written = 0;
        while written < bytes && paths.len() < 600 {
            if open.len() < 6 {
                let path = self.path(&format!(
                    "{directory}/{} {}",
                    paths.len(),
                    "x".repeat(paths.len() % 90)
                ));
                let length = self.random.magnitude(self.size_max).max(bytes / 600);
                open.push((File::create(&path)?, length));
                paths.push(path);
            }
            let turn = self.random.below(open.len() as u64) as usize;
            let (file, left) = &mut open[turn];
            let part = (*left).min((1 + self.random.below(16)) * self.cluster);
            file.write_all(&noise(written + part, part as usize))?;
            *left -= part;
            written += part.next_multiple_of(self.cluster);
            if *left == 0 {
                open.swap_remove(turn);
            }
        }
        Ok(paths)
    }
}

fn compressed(fill: &mut Fill<'_>) -> Result<()> {
    if fill.cluster > 4096 {
        return Ok(());
    }
    std::fs::create_dir(fill.path("packed"))?;
    // Directory and compressed: what is made in it is compressed.
    xattr::set(
        fill.path("packed"),
        "system.ntfs_attrib_be",
        &0x0810u32.to_be_bytes(),
    )?;
    for index in 0..6 {
        let mut content = noise(index, fill.random.magnitude(100_000) as usize);
        content.resize(content.len() + fill.random.magnitude(300_000) as usize, b'z');
        std::fs::write(fill.path(&format!("packed/{index}")), content)?;
    }
    Ok(())
}

fn sparse(fill: &mut Fill<'_>) -> Result<()> {
    let file = File::create(fill.path("sparse"))?;
    let pieces = fill.random.magnitude(700);
    for index in 0..pieces {
        file.write_all_at(b"data", index * (2 << 16) * (fill.cluster / 4096).max(1))?;
    }
    file.set_len(pieces * (3 << 16) * (fill.cluster / 4096).max(1) + 777)
}

fn named_streams(fill: &mut Fill<'_>) -> Result<()> {
    for index in 0..12 {
        let path = fill.path(&format!("streams {}", index / 6));
        std::fs::write(&path, noise(index, 700))?;
        let length = fill.random.magnitude(fill.size_max / 8) as usize;
        std::fs::write(format!("{}:stream {index}", path.display()), noise(index, length))?;
    }
    Ok(())
}

fn hard_links(fill: &mut Fill<'_>) -> Result<()> {
    let path = fill.path("linked");
    std::fs::write(&path, noise(3, 50_000))?;
    for index in 0..fill.random.magnitude(40) {
        std::fs::hard_link(
            &path,
            fill.path(&format!("another name of it {index} {}", "y".repeat(90))),
        )?;
    }
    Ok(())
}

fn extended_attributes(fill: &mut Fill<'_>) -> Result<()> {
    for index in 0..6 {
        let path = fill.path(&format!("attributes {index}"));
        std::fs::write(&path, noise(index, 10))?;
        let value = noise(index, fill.random.magnitude(4000) as usize);
        // FILE_FULL_EA_INFORMATION: offset of the next, flags, length of the name, length of the value, both.
        let mut entry = vec![0; 4];
        entry.extend([0, 4]);
        entry.extend((value.len() as u16).to_le_bytes());
        entry.extend(b"NAME\0");
        entry.extend(value);
        entry.resize(entry.len().next_multiple_of(4), 0);
        let length = entry.len() as u32;
        entry[..4].copy_from_slice(&length.to_le_bytes());
        xattr::set(&path, "system.ntfs_ea", &entry)?;
    }
    Ok(())
}

fn reparse_points(fill: &mut Fill<'_>) -> Result<()> {
    for index in 0..5 {
        std::os::unix::fs::symlink(
            "t/".repeat(index * 40 + 1),
            fill.path(&format!("symbolic link {index}")),
        )?;
        let path = fill.path(&format!("reparse point {index}"));
        std::fs::write(&path, b"")?;
        // IO_REPARSE_TAG_DEDUP with content that nobody here understands.
        let mut value = 0x8000_0013u32.to_le_bytes().to_vec();
        let content = noise(7, 100 + index * 900);
        value.extend((content.len() as u32).to_le_bytes());
        value.extend(content);
        xattr::set(&path, "system.ntfs_reparse_data", &value)?;
    }
    Ok(())
}

fn deep_directories(fill: &mut Fill<'_>) -> Result<()> {
    let deep: PathBuf = (0..30).map(|level| format!("level {level}")).collect();
    std::fs::create_dir_all(fill.root.join(deep))
}

fn big_directory(fill: &mut Fill<'_>) -> Result<()> {
    std::fs::create_dir(fill.path("big"))?;
    for index in 0..300 + fill.random.below(300) {
        let name = format!("big/{index} {}", "\u{e4}".repeat(fill.random.below(120) as usize));
        File::create(fill.path(&name))?;
        if index % 5 == 4 {
            std::fs::remove_file(fill.path(&name))?;
        }
    }
    Ok(())
}

/// Many names, then many streams, then many runs: each needs more records than one.
fn attribute_lists(fill: &mut Fill<'_>) -> Result<()> {
    std::fs::write(fill.path("many names"), noise(1, 3000))?;
    for index in 0..40 + fill.random.below(100) {
        std::fs::hard_link(
            fill.path("many names"),
            fill.path(&format!("{index}{}", "n".repeat(200))),
        )?;
    }
    std::fs::write(fill.path("many streams"), noise(2, 3000))?;
    for index in 0..20 + fill.random.below(40) {
        let stream = format!("many streams:{index}{}", "s".repeat(100));
        std::fs::write(
            fill.path(&stream),
            noise(index, fill.random.magnitude(2000) as usize),
        )?;
    }
    let (mut one, mut other) = (
        File::create(fill.path("many runs"))?,
        File::create(fill.path("the others"))?,
    );
    for index in 0..(fill.size_max / fill.cluster).min(400) {
        one.write_all(&noise(index, fill.cluster as usize))?;
        other.write_all(&noise(index, fill.cluster as usize))?;
    }
    std::fs::remove_file(fill.path("the others"))
}

fn dos_names(fill: &mut Fill<'_>) -> Result<()> {
    for index in 0..5 {
        let path = fill.path(&format!("a long name with a short one {index}"));
        std::fs::write(&path, noise(index, 20))?;
        xattr::set(&path, "system.ntfs_dos_name", format!("SHORT~{index}").as_bytes())?;
    }
    Ok(())
}
