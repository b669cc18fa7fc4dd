//! Growing a volume to its front.
//!
//! Every cluster number `n` becomes `n + k`. Only run lists hold cluster numbers, and in each only the first one is
//! absolute, so the $MFT is the one thing to rewrite, besides what spans the volume: $Bitmap, $BadClus, the boot
//! sector. These are written to the new clusters in front; the clusters they had become free. The volume behind the
//! old boot sector is not touched, so it stays mountable until the partition begins at the new start.

use super::{ResizeError, backup_boot_offset, bad_cluster_runs, boot_sector_bytes, require_single_piece};
use crate::attribute::Attribute;
use crate::bitmap::ClusterBitmap;
use crate::bytes::u16_at;
use crate::edit::{Edits, NewSizes, with_runs};
use crate::error::NtfsError;
use crate::file::{Stream, StreamBody};
use crate::fixup;
use crate::index::I30;
use crate::record::{self, Record};
use crate::runs::{Run, RunList};
use crate::sizes::{SizeChange, changed_blocks, update_own_name, update_root_node};
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// A $MFT larger than this is not rewritten: recovery volumes have a few hundred records.
const MFT_BYTES_MAX: u64 = 32 << 20;
/// Rounds after which any growth has settled: 4096^6 clusters are more than a volume can have.
const GROWTH_ROUNDS_MAX: usize = 6;

/// By how much, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrontGrowth {
    /// Clusters that the volume gets in front.
    pub clusters: u64,
    /// Sectors before the new start on the disk, for the boot sector.
    pub hidden_sectors: u64,
}

/// Where the rewritten structures lie in the new front.
#[derive(Debug, Clone, Copy)]
struct Layout {
    boot_clusters: u64,
    mirror: Lcn,
    mirror_clusters: u64,
    bitmap: Lcn,
    bitmap_clusters: u64,
    mft: Lcn,
    mft_clusters: u64,
}

impl Layout {
    fn of<R: ReadAt>(volume: &Volume<R>, growth: u64) -> Result<Self, ResizeError> {
        let geometry = volume.geometry();
        let owned = |record| -> Result<u64, ResizeError> {
            let file = volume.file(record)?;
            require_single_piece(&file, AttributeType::DATA, "")?;
            let stream = file.require(AttributeType::DATA, "")?;
            let clusters = stream.runs().map_or(0, RunList::clusters);
            let sound = 1..=geometry.clusters();
            if !sound.contains(&clusters) {
                return Err(NtfsError::BadAttribute {
                    record,
                    attribute: AttributeType::DATA,
                    offset: 0,
                    field: "clusters of a system file",
                    actual: clusters,
                }
                .into());
            }
            Ok(clusters)
        };
        let boot_clusters = owned(RecordNumber::BOOT)?;
        let mirror_clusters = owned(RecordNumber::MFT_MIRR)?;
        owned(RecordNumber::BITMAP)?;
        let bitmap_clusters = geometry.clusters_for(ClusterBitmap::bytes_for(geometry.clusters() + growth));
        let mirror = Lcn(boot_clusters);
        let bitmap = Lcn(mirror.0 + mirror_clusters);
        let mft = Lcn(bitmap.0 + bitmap_clusters);
        let mft_clusters = volume.mft_runs().clusters();
        Ok(Self {
            boot_clusters,
            mirror,
            mirror_clusters,
            bitmap,
            bitmap_clusters,
            mft,
            mft_clusters,
        })
    }

    fn clusters(&self) -> u64 {
        self.mft.0 + self.mft_clusters
    }
}

/// The fewest clusters that a volume's front can grow by: the rewritten structures have to fit there.
///
/// # Errors
/// Damage of the volume.
pub fn front_growth_clusters_min<R: ReadAt>(volume: &Volume<R>) -> Result<u64, ResizeError> {
    let geometry = volume.geometry();
    let layout = Layout::of(volume, 0)?;
    let fixed = layout.clusters() - layout.bitmap_clusters;
    let mut growth = layout.clusters();
    // $Bitmap grows with the volume. A cluster of it stands for 4096 clusters at least, so each round adds 1/4096 of
    // what the one before added.
    for _ in 0..GROWTH_ROUNDS_MAX {
        let bitmap = geometry.clusters_for(ClusterBitmap::bytes_for(geometry.clusters() + growth));
        if fixed + bitmap == growth {
            break;
        }
        growth = fixed + bitmap;
    }
    Ok(growth)
}

/// The edits that give the volume `growth.clusters` clusters in front. `old` covers the old partition; the edits'
/// offsets count from the new start.
///
/// Steps: 0 writes only into the new clusters, so it changes nothing of the old volume; then the partition has to be
/// switched; 1 brings the backup boot sector and the copies of sizes in the root directory up to date.
///
/// # Errors
/// [`ResizeError::GrowthTooSmall`], [`NtfsError::RecordFull`] where a run list outgrows its record, damage.
pub fn grow_front<R: ReadAt>(old: R, growth: FrontGrowth) -> Result<Edits, ResizeError> {
    let partition_bytes = old.size();
    let volume = Volume::open(old)?;
    let geometry = volume.geometry();
    let layout = Layout::of(&volume, growth.clusters)?;
    if layout.clusters() > growth.clusters {
        let clusters_min = front_growth_clusters_min(&volume)?;
        return Err(ResizeError::GrowthTooSmall {
            clusters: growth.clusters,
            clusters_min,
        });
    }
    let spc = u64::from(geometry.cluster_size / geometry.sector_size);
    let new = Geometry {
        total_sectors: geometry.total_sectors + growth.clusters * spc,
        ..geometry
    };
    let rebase = Rebase {
        growth: growth.clusters,
        layout,
        new,
    };
    let mut edits = Edits::default();
    let changes = rebase.size_changes(&volume)?;
    let mft = rebase.mft(&volume, &changes)?;
    let mirror_bytes = volume
        .file(RecordNumber::MFT_MIRR)?
        .require(AttributeType::DATA, "")?
        .len();
    let mirror = mft
        .get(..mirror_bytes.min(mft.len() as u64) as usize)
        .unwrap_or_default()
        .to_vec();
    let bits = rebase.bitmap(&volume)?;

    let mut boot = volume.boot().clone();
    boot.set_total_sectors(new.total_sectors);
    boot.set_hidden_sectors(growth.hidden_sectors as u32);
    boot.set_mft_lcn(layout.mft);
    boot.set_mft_mirr_lcn(layout.mirror);
    let sector = boot_sector_bytes(&volume, &boot)?;
    let mut boot_file = volume
        .reader()
        .read_vec(0, (layout.boot_clusters * u64::from(new.cluster_size)) as usize)?;
    boot_file[..sector.len()].copy_from_slice(&sector);

    edits.push(0, 0, boot_file);
    edits.push(0, new.offset_of(layout.mirror), mirror);
    edits.push(0, new.offset_of(layout.bitmap), bits.bytes().to_vec());
    edits.push(0, new.offset_of(layout.mft), mft);
    let moved = new.offset_of(Lcn(growth.clusters));
    rebase.root_blocks(&volume, &changes, moved, &mut edits)?;
    edits.push(
        1,
        moved + backup_boot_offset(volume.reader(), volume.boot(), partition_bytes),
        sector,
    );
    Ok(edits)
}

fn is_marked_in_use(raw: &[u8]) -> bool {
    u16_at(raw, record::FLAGS).unwrap_or(0) & record::FLAG_IN_USE != 0
}

struct Rebase {
    growth: u64,
    layout: Layout,
    new: Geometry,
}

impl Rebase {
    fn cluster_bytes(&self, clusters: u64) -> u64 {
        clusters * u64::from(self.new.cluster_size)
    }

    fn size_changes<R: ReadAt>(&self, volume: &Volume<R>) -> Result<Vec<SizeChange>, ResizeError> {
        let stream = volume
            .file(RecordNumber::BITMAP)?
            .require(AttributeType::DATA, "")?;
        let StreamBody::NonResident { sizes, .. } = &stream.body else {
            return Ok(Vec::new());
        };
        let after = (
            self.cluster_bytes(self.layout.bitmap_clusters),
            ClusterBitmap::bytes_for(self.new.clusters()),
        );
        let before = (sizes.allocated, sizes.data);
        Ok(vec![SizeChange {
            record: RecordNumber::BITMAP,
            before,
            after,
        }])
    }

    /// The whole $MFT with every run list rebased.
    fn mft<R: ReadAt>(&self, volume: &Volume<R>, changes: &[SizeChange]) -> Result<Vec<u8>, ResizeError> {
        let actual = volume.mft().len();
        if actual > MFT_BYTES_MAX {
            let limit = MFT_BYTES_MAX;
            return Err(NtfsError::TooMuch {
                what: "bytes of the $MFT",
                actual,
                limit,
            }
            .into());
        }
        let mut mft = Vec::with_capacity(actual as usize);
        volume.scan(|number, raw| -> Result<(), ResizeError> {
            mft.extend_from_slice(&self.record(number, raw, changes)?);
            Ok(())
        })?;
        Ok(mft)
    }

    fn record(
        &self,
        number: RecordNumber,
        raw: &[u8],
        changes: &[SizeChange],
    ) -> Result<Vec<u8>, ResizeError> {
        let mut record = match Record::parse(number, raw.to_vec()) {
            Ok(record) if record.is_in_use() => record,
            // A free record's run lists name clusters of a deleted file: nothing depends on them.
            Ok(record) => return Ok(self.rebase(record, raw).unwrap_or_else(|_| raw.to_vec())),
            // A record that was never used has no signature. One in use without it did not pass the check.
            Err(NtfsError::BadSignature { .. }) => return Ok(raw.to_vec()),
            Err(_) if !is_marked_in_use(raw) => return Ok(raw.to_vec()),
            Err(error) => return Err(error.into()),
        };
        if let Some(change) = changes.iter().find(|change| change.record == number) {
            update_own_name(&mut record, change)?;
        }
        if number == RecordNumber::ROOT {
            update_root_node(&mut record, changes)?;
        }
        self.rebase(record, raw)
    }

    fn rebase(&self, mut record: Record, raw: &[u8]) -> Result<Vec<u8>, ResizeError> {
        let mut replacements = Vec::new();
        for attribute in record.attributes() {
            let attribute = attribute?;
            if attribute.is_non_resident() {
                let new = self.attribute(&record, &attribute)?;
                replacements.push((attribute.offset(), attribute.bytes().len(), new));
            }
        }
        // From the back, so that the offsets of those before stay true.
        for (offset, length, new) in replacements.into_iter().rev() {
            record.replace_attribute(offset, length, &new)?;
        }
        Ok(fixup::protect_over(record.bytes(), raw))
    }

    fn attribute(&self, record: &Record, attribute: &Attribute<'_>) -> Result<Vec<u8>, ResizeError> {
        let runs = attribute.runs()?;
        // A free record may name clusters that the volume never had, and so may damage.
        let clusters = self.new.clusters() - self.growth;
        let outside = |run: &&Run| run.lcn.is_some_and(|lcn| lcn.0 + run.clusters > clusters);
        if let Some(lcn) = runs.0.iter().find(outside).and_then(|run| run.lcn) {
            let (record, attribute) = (record.number(), attribute.type_code());
            return Err(NtfsError::ClusterOutOfBounds {
                record,
                attribute,
                lcn,
                clusters,
            }
            .into());
        }
        let unnamed_data = attribute.type_code() == AttributeType::DATA && attribute.is_named("");
        let owner = record.base().map_or(record.number(), |base| base.record);
        let single = |lcn, clusters| {
            RunList(vec![Run {
                lcn: Some(lcn),
                clusters,
            }])
        };
        Ok(match owner {
            RecordNumber::MFT if unnamed_data => {
                // Each piece keeps its VCNs and gets its part of the one new run.
                let lcn = Lcn(self.layout.mft.0 + attribute.lowest_vcn().0);
                with_runs(attribute, &single(lcn, runs.clusters()), None)
            }
            RecordNumber::MFT_MIRR if unnamed_data => with_runs(
                attribute,
                &single(self.layout.mirror, self.layout.mirror_clusters),
                None,
            ),
            RecordNumber::BOOT if unnamed_data => {
                with_runs(attribute, &single(Lcn(0), self.layout.boot_clusters), None)
            }
            RecordNumber::BITMAP if unnamed_data => {
                let data = ClusterBitmap::bytes_for(self.new.clusters());
                let allocated = self.cluster_bytes(self.layout.bitmap_clusters);
                let sizes = NewSizes {
                    allocated,
                    data,
                    initialized: data,
                };
                with_runs(
                    attribute,
                    &single(self.layout.bitmap, self.layout.bitmap_clusters),
                    Some(sizes),
                )
            }
            RecordNumber::BAD_CLUS if attribute.is_named("$Bad") => {
                let mut shifted = RunList(vec![Run {
                    lcn: None,
                    clusters: self.growth,
                }]);
                runs.rebased(self.growth)
                    .0
                    .into_iter()
                    .for_each(|run| shifted.push(run));
                let bytes = self.cluster_bytes(self.new.clusters());
                let sizes = NewSizes {
                    allocated: bytes,
                    data: bytes,
                    initialized: 0,
                };
                with_runs(
                    attribute,
                    &bad_cluster_runs(&shifted, self.new.clusters()),
                    Some(sizes),
                )
            }
            _ => with_runs(attribute, &runs.rebased(self.growth), None),
        })
    }

    /// The bits of the new volume: the old ones moved, the places that were left freed, the new ones set.
    fn bitmap<R: ReadAt>(&self, volume: &Volume<R>) -> Result<ClusterBitmap, ResizeError> {
        let mut old = ClusterBitmap::read(volume)?;
        for record in [
            RecordNumber::MFT,
            RecordNumber::MFT_MIRR,
            RecordNumber::BITMAP,
            RecordNumber::BOOT,
        ] {
            let stream: Stream = volume.file(record)?.require(AttributeType::DATA, "")?;
            for run in stream.runs().into_iter().flat_map(|runs| &runs.0) {
                if let Some(lcn) = run.lcn {
                    old.set_range(lcn, run.clusters, false);
                }
            }
        }
        let mut bits = old.shifted(self.growth);
        bits.set_range(Lcn(0), self.layout.clusters(), true);
        Ok(bits)
    }

    /// Index blocks of the root directory keep their place and are changed there, after the switch.
    fn root_blocks<R: ReadAt>(
        &self,
        volume: &Volume<R>,
        changes: &[SizeChange],
        moved: u64,
        edits: &mut Edits,
    ) -> Result<(), ResizeError> {
        let blocks = changed_blocks(volume, RecordNumber::ROOT, changes)?;
        if blocks.is_empty() {
            return Ok(());
        }
        let stream = volume
            .file(RecordNumber::ROOT)?
            .require(AttributeType::INDEX_ALLOCATION, I30)?;
        for (offset, bytes) in blocks {
            for (from, to, at) in crate::edit::stream_places(&stream, volume.geometry(), offset, bytes.len())?
            {
                edits.push(1, moved + at, bytes[from..to].to_vec());
            }
        }
        Ok(())
    }
}
