//! Moving the end of a volume.

use super::relocate::empty_tail;
use super::{ResizeError, Shrink, bad_cluster_runs, boot_sector_bytes, require_single_piece};
use crate::attribute::Attribute;
use crate::bitmap::ClusterBitmap;
use crate::boot::BootSector;
use crate::edit::{Editor, Edits, NewSizes, with_runs};
use crate::error::NtfsError;
use crate::file::{Stream, StreamBody};
use crate::record::Record;
use crate::runs::{Run, RunList};
use crate::sizes::{SizeChange, update_own_name, update_root_entries};
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber};
use crate::volume::Volume;
use std::collections::BTreeSet;
use winrefit_disk::{Moved, Overlay, ReadAt, SectorSize};

/// Name of the stream of $BadClus that spans the volume.
const BAD: &str = "$Bad";

/// First of the steps that move the end, behind those that empty the tail. The last of those writes nothing that
/// the first of these depends on, so they are one.
const CUT: u8 = 3;

/// What lets the volume end so that its partition has `partition_sectors` sectors. `reader` covers the old partition.
///
/// Steps: 0 to 3 empty the tail, as told in the module `relocate`; 3 sets the padding bits of $Bitmap and writes the
/// new backup boot sector into what is free by then; 4 switches the boot sector; 5 trims the sizes of $Bitmap and
/// $BadClus. After each the volume is one that mounts: larger sizes than needed are legal. $Bitmap keeps the clusters
/// it has.
///
/// A volume that ends there already, because it is smaller than its partition, only gets its backup boot sector within
/// the new end.
///
/// # Errors
/// [`ResizeError::Full`], [`ResizeError::NoRoom`] and [`ResizeError::CannotRelocate`] if the tail cannot be emptied,
/// [`NtfsError::BadBootSector`] if what is left is too small for a volume, and damage of the volume.
pub fn shrink_end<R: ReadAt>(reader: R, partition_sectors: u64) -> Result<Shrink, ResizeError> {
    let volume = Volume::open(reader)?;
    let old = volume.geometry();
    let new = resized(old, partition_sectors);
    if partition_sectors >= volume.reader().size() / u64::from(old.sector_size) {
        return Err(wrong_direction(old, partition_sectors));
    }
    if new.total_sectors >= old.total_sectors {
        let mut editor = Editor::new(&volume);
        let sector = boot_sector_bytes(&volume, volume.boot())?;
        // Some look for it right behind the volume, some in the last sector of the partition; nothing lies at either.
        for place in BTreeSet::from([old.total_sectors, new.total_sectors]) {
            editor.write(0, place * u64::from(old.sector_size), sector.clone());
        }
        return Ok(editor.finish(0)?.into());
    }
    refuse_too_small(volume.boot(), new)?;
    let mut shrink = empty_tail(&volume, Lcn(new.clusters()))?;
    let sector_size = SectorSize::from_bytes(old.sector_size.into()).unwrap_or_default();
    let mut emptied = Overlay::new(Moved::new(volume.reader(), &shrink.moves), sector_size);
    shrink.edits.apply(&mut emptied)?;
    let mut cut = cut(&Volume::open(emptied)?, new)?;
    for edit in &mut cut.0 {
        edit.step += CUT;
    }
    shrink.edits.0.append(&mut cut.0);
    shrink.edits.0.sort_by_key(|edit| edit.step);
    Ok(shrink)
}

/// Whoever reads volumes asks for a least number of clusters.
fn refuse_too_small(boot: &BootSector, new: Geometry) -> Result<(), ResizeError> {
    let mut boot = boot.clone();
    boot.set_total_sectors(new.total_sectors);
    // These may yet get another place.
    boot.set_mft_lcn(Lcn(1));
    boot.set_mft_mirr_lcn(Lcn(2));
    BootSector::parse(boot.bytes())?;
    Ok(())
}

/// Moves the end of a volume whose tail is free.
fn cut<R: ReadAt>(volume: &Volume<R>, new: Geometry) -> Result<Edits, ResizeError> {
    let clusters = new.clusters();
    let bitmap = ClusterBitmap::read(volume)?;
    let mut boot = volume.boot().clone();
    boot.set_total_sectors(new.total_sectors);
    let mut editor = Editor::new(volume);
    let stream = bitmap_stream(volume)?;
    let bits = bitmap.resized(clusters);
    // Only the last bytes differ: those that hold the first bits behind the new end.
    let from = (clusters / 8) as usize;
    editor.write_stream(0, &stream, from as u64, &bits.bytes()[from..])?;
    let allocated = allocated_size(&stream);
    edit_system_files(&mut editor, volume, 2, new, &stream, None, allocated)?;
    let sector = boot_sector_bytes(volume, &boot)?;
    editor.write(0, new.total_sectors * u64::from(new.sector_size), sector.clone());
    editor.write(1, 0, sector);
    Ok(editor.finish(2)?)
}

/// The edits that let the volume end so that its partition has `partition_sectors` sectors. `reader` covers the new
/// partition, which has to be in force before they are applied.
///
/// Steps: 0 prepares the bits of $Bitmap (where it needs more clusters: in a new copy in free space); 1 enlarges
/// $Bitmap and $BadClus; 2 switches the boot sector; 3 writes the backup boot sector.
///
/// # Errors
/// [`ResizeError::WrongDirection`], [`ResizeError::NoRoom`], and damage of the volume.
pub fn grow_end<R: ReadAt>(reader: R, partition_sectors: u64) -> Result<Edits, ResizeError> {
    let volume = Volume::open(reader)?;
    let old = volume.geometry();
    let new = resized(old, partition_sectors);
    if new.total_sectors <= old.total_sectors {
        return Err(wrong_direction(old, partition_sectors));
    }
    let mut editor = Editor::new(&volume);
    let stream = bitmap_stream(&volume)?;
    let old_bits = ClusterBitmap::read(&volume)?;
    let mut bits = old_bits.resized(new.clusters());
    let mut allocated = allocated_size(&stream);
    let mut moved = None;
    if bits.bytes().len() as u64 > allocated {
        let need = new.clusters_for(bits.bytes().len() as u64);
        let no_room = ResizeError::NoRoom {
            record: RecordNumber::BITMAP,
            clusters: need,
        };
        let place = old_bits
            .find_free(Lcn(0), Lcn(old.clusters()), need)
            .ok_or(no_room)?;
        for run in stream.runs().into_iter().flat_map(|runs| &runs.0) {
            bits.set_range(run.lcn.unwrap_or_default(), run.clusters, false);
        }
        bits.set_range(place, need, true);
        editor.write(0, new.offset_of(place), bits.bytes().to_vec());
        moved = Some(RunList(vec![Run {
            lcn: Some(place),
            clusters: need,
        }]));
        allocated = need * u64::from(new.cluster_size);
    } else {
        let from = (old.clusters() / 8) as usize;
        editor.write_stream(0, &stream, from as u64, &bits.bytes()[from..])?;
    }
    edit_system_files(&mut editor, &volume, 1, new, &stream, moved, allocated)?;
    let mut boot = volume.boot().clone();
    boot.set_total_sectors(new.total_sectors);
    let sector = boot_sector_bytes(&volume, &boot)?;
    editor.write(2, 0, sector.clone());
    editor.write(3, new.total_sectors * u64::from(new.sector_size), sector);
    Ok(editor.finish(1)?)
}

fn resized(old: Geometry, partition_sectors: u64) -> Geometry {
    // The last sector of the partition holds the backup boot sector and is not counted.
    Geometry {
        total_sectors: partition_sectors.saturating_sub(1),
        ..old
    }
}

fn wrong_direction(old: Geometry, new_sectors: u64) -> ResizeError {
    ResizeError::WrongDirection {
        old_sectors: old.total_sectors + 1,
        new_sectors,
    }
}

fn bitmap_stream<R: ReadAt>(volume: &Volume<R>) -> Result<Stream, ResizeError> {
    let file = volume.file(RecordNumber::BITMAP)?;
    require_single_piece(&file, AttributeType::DATA, "")?;
    Ok(file.require(AttributeType::DATA, "")?)
}

fn allocated_size(stream: &Stream) -> u64 {
    match &stream.body {
        StreamBody::Resident(_) => 0,
        StreamBody::NonResident { sizes, .. } => sizes.allocated,
    }
}

/// Gives $Bitmap and $BadClus:$Bad the sizes (and $Bitmap the runs) that the new geometry asks for.
fn edit_system_files<R: ReadAt>(
    editor: &mut Editor<'_, R>,
    volume: &Volume<R>,
    step: u8,
    new: Geometry,
    bitmap: &Stream,
    moved: Option<RunList>,
    allocated: u64,
) -> Result<(), ResizeError> {
    let data = ClusterBitmap::bytes_for(new.clusters());
    let change = SizeChange {
        record: RecordNumber::BITMAP,
        before: (allocated_size(bitmap), bitmap.len()),
        after: (allocated, data),
    };
    let record = editor.record(RecordNumber::BITMAP)?;
    let sizes = NewSizes {
        allocated,
        data,
        initialized: data,
    };
    change_runs(record, "", sizes, |old| Ok(moved.unwrap_or_else(|| old.clone())))?;
    update_own_name(record, &change)?;
    update_root_entries(volume, editor, step, &[change])?;

    require_single_piece(&volume.file(RecordNumber::BAD_CLUS)?, AttributeType::DATA, BAD)?;
    let bytes = new.clusters() * u64::from(new.cluster_size);
    let sizes = NewSizes {
        allocated: bytes,
        data: bytes,
        initialized: 0,
    };
    let record = editor.record(RecordNumber::BAD_CLUS)?;
    change_runs(record, BAD, sizes, |old| {
        Ok(bad_cluster_runs(old, new.clusters()))
    })
}

/// Replaces the runs and sizes of one $DATA stream in a record.
fn change_runs(
    record: &mut Record,
    name: &str,
    sizes: NewSizes,
    runs: impl FnOnce(&RunList) -> Result<RunList, ResizeError>,
) -> Result<(), ResizeError> {
    let missing = NtfsError::MissingAttribute {
        record: record.number(),
        attribute: AttributeType::DATA,
    };
    let attribute = record
        .find(AttributeType::DATA, name)?
        .filter(Attribute::is_non_resident)
        .ok_or(missing)?;
    let new = with_runs(&attribute, &runs(&attribute.runs()?)?, Some(sizes));
    let (offset, length) = (attribute.offset(), attribute.bytes().len());
    Ok(record.replace_attribute(offset, length, &new)?)
}
