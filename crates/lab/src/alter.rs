//! What happens to C: after it was made: flags, log, bad clusters, data at its end. The volume is one of our own
//! builder, whose $MFT, $MFTMirr and $Bitmap each lie in one run.

use crate::LabError;
use crate::profile::Quirk;
use winrefit_disk::Device;
use winrefit_ntfs::attribute::Attribute;
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::record::Record;
use winrefit_ntfs::runs::{Run, RunList};
use winrefit_ntfs::{AttributeType, Geometry, Lcn, RecordNumber, Volume, fixup};

/// Volume flag: chkdsk is to be run.
const DIRTY: u16 = 0x0001;
/// Place of the flags in $VOLUME_INFORMATION's value, and of the value in an attribute without a name.
const FLAGS_IN_ATTRIBUTE: usize = 0x18 + 10;
/// Fields of a non-resident attribute.
const ATTRIBUTE_LENGTH: usize = 4;
/// Distance of the bad clusters from the end of the volume, and their number.
const BAD_FROM_END_BYTES: u64 = 64 << 20;
const BAD_CLUSTERS: u64 = 3;
/// System files that a volume that was shrunk, grown and defragmented may have at its end.
const TAIL_SYSTEM_FILES: [RecordNumber; 2] = [RecordNumber::LOG_FILE, RecordNumber::BITMAP];
const FIRST_USER_RECORD: u64 = 24;
/// What is copied at once.
const COPY_BYTES: u64 = 1 << 20;

/// Does to the volume on `device` what the profile says, and returns how many free bytes that takes.
pub(crate) fn windows_volume(quirk: Quirk, device: &mut dyn Device) -> Result<u64, LabError> {
    match quirk {
        Quirk::Dirty => mark_dirty(device)?,
        Quirk::UncleanLog => write_log(device, [1, 1])?,
        // A hibernated Windows leaves both.
        Quirk::FastStartup | Quirk::Hibernated => write_log(device, [2, 0])?,
        Quirk::BadClusters => return mark_bad(device),
        Quirk::FullTail => fill_tail(device)?,
        _ => {}
    }
    Ok(0)
}

fn mark_dirty(device: &mut dyn Device) -> Result<(), LabError> {
    edit_record(device, RecordNumber::VOLUME, |record| {
        let information = record.find(AttributeType::VOLUME_INFORMATION, "")?;
        if let Some(at) = information.map(|attribute| attribute.offset() + FLAGS_IN_ATTRIBUTE) {
            record.bytes_mut()[at..at + 2].copy_from_slice(&DIRTY.to_le_bytes());
        }
        Ok(())
    })
}

/// Two restart pages of a log in use by one client; `version` is major and minor (libfsntfs documentation, "$LogFile").
fn write_log(device: &mut dyn Device, version: [u16; 2]) -> Result<(), LabError> {
    const PAGE_BYTES: usize = 4096;
    const SEQUENCE_NUMBERS: usize = 0x1E;
    const AREA: usize = 0x30;
    const CLIENTS: usize = 0x40;
    const CLIENT_BYTES: usize = 160;
    let (at, log_bytes) = {
        let volume = Volume::open(&*device)?;
        let log = volume.file(RecordNumber::LOG_FILE)?;
        let stream = log.require(AttributeType::DATA, "")?;
        (first_cluster(&volume.geometry(), stream.runs())?, stream.len())
    };
    let mut page = vec![0; PAGE_BYTES];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"RSTR");
    put(4, &(SEQUENCE_NUMBERS as u16).to_le_bytes());
    put(6, &((PAGE_BYTES / fixup::STRIDE + 1) as u16).to_le_bytes());
    put(0x10, &(PAGE_BYTES as u32).to_le_bytes());
    put(0x14, &(PAGE_BYTES as u32).to_le_bytes());
    put(0x18, &(AREA as u16).to_le_bytes());
    put(0x1A, &version[1].to_le_bytes());
    put(0x1C, &version[0].to_le_bytes());
    // One client: none free, the first in use, not clean.
    put(AREA + 0x08, &[1, 0, 0xFF, 0xFF, 0, 0, 0, 0]);
    put(AREA + 0x10, &44u32.to_le_bytes());
    put(AREA + 0x14, &((CLIENTS + CLIENT_BYTES) as u16).to_le_bytes());
    put(AREA + 0x16, &(CLIENTS as u16).to_le_bytes());
    put(AREA + 0x18, &log_bytes.to_le_bytes());
    let client = AREA + CLIENTS;
    put(client + 0x10, &[0xFF; 4]);
    put(client + 0x1C, &8u32.to_le_bytes());
    let name: Vec<u8> = "NTFS".encode_utf16().flat_map(u16::to_le_bytes).collect();
    put(client + 0x20, &name);
    for (number, at) in [(1u64, at), (2, at + PAGE_BYTES as u64)] {
        let mut page = page.clone();
        let lsn = 0x0010_0000 + number;
        page[AREA..AREA + 8].copy_from_slice(&lsn.to_le_bytes());
        fixup::protect(&mut page, number as u16);
        device.write_at(at, &page)?;
    }
    Ok(())
}

fn mark_bad(device: &mut dyn Device) -> Result<u64, LabError> {
    let (mut bits, clusters, cluster_bytes) = {
        let volume = Volume::open(&*device)?;
        let geometry = volume.geometry();
        let bits = ClusterBitmap::read(&volume)?;
        (bits, geometry.clusters(), u64::from(geometry.cluster_size))
    };
    let bad = clusters.saturating_sub(BAD_FROM_END_BYTES / cluster_bytes);
    let run = |lcn: Option<u64>, clusters| Run {
        lcn: lcn.map(Lcn),
        clusters,
    };
    let behind = bad + BAD_CLUSTERS;
    let runs = RunList(vec![
        run(None, bad),
        run(Some(bad), BAD_CLUSTERS),
        run(None, clusters - behind),
    ]);
    edit_record(device, RecordNumber::BAD_CLUS, |record| {
        set_runs(record, "$Bad", &runs)
    })?;
    bits.set_range(Lcn(bad), BAD_CLUSTERS, true);
    write_bitmap(device, &bits)?;
    Ok(BAD_CLUSTERS * cluster_bytes)
}

/// Moves the contents of all files, and of some system files, to the end of the volume, the last file foremost.
fn fill_tail(device: &mut dyn Device) -> Result<(), LabError> {
    let (mut bits, geometry, streams) = {
        let volume = Volume::open(&*device)?;
        let files = (FIRST_USER_RECORD..volume.records()).map(RecordNumber);
        let mut streams = Vec::new();
        for number in TAIL_SYSTEM_FILES.into_iter().chain(files) {
            let file = volume.file(number)?;
            if !file.base().is_in_use() {
                continue;
            }
            let stream = file.stream(AttributeType::DATA, "")?;
            let runs = stream.and_then(|stream| stream.runs().cloned());
            streams.extend(runs.map(|runs| (number, runs)));
        }
        (ClusterBitmap::read(&volume)?, volume.geometry(), streams)
    };
    let mut end = geometry.clusters();
    for (number, old) in streams {
        let clusters = old.clusters();
        end = end.saturating_sub(clusters);
        if bits.find_free(Lcn(end), Lcn(end + clusters), clusters).is_none() {
            let what = "a file at the end";
            return Err(LabError::NoPlace { what });
        }
        copy(device, &geometry, &old, end)?;
        for run in &old.0 {
            if let Some(lcn) = run.lcn {
                bits.set_range(lcn, run.clusters, false);
            }
        }
        bits.set_range(Lcn(end), clusters, true);
        let new = RunList(vec![Run {
            lcn: Some(Lcn(end)),
            clusters,
        }]);
        edit_record(device, number, |record| set_runs(record, "", &new))?;
    }
    write_bitmap(device, &bits)
}

/// Copies the clusters of `from` to clusters in a row.
fn copy(device: &mut dyn Device, geometry: &Geometry, from: &RunList, to: u64) -> Result<(), LabError> {
    let mut target = geometry.offset_of(Lcn(to));
    for run in &from.0 {
        let source = run.lcn.map(|lcn| geometry.offset_of(lcn));
        let length = run.clusters * u64::from(geometry.cluster_size);
        for done in (0..length).step_by(COPY_BYTES as usize) {
            let count = COPY_BYTES.min(length - done);
            if let Some(source) = source {
                let bytes = device.read_vec(source + done, count as usize)?;
                device.write_at(target + done, &bytes)?;
            }
        }
        target += length;
    }
    Ok(())
}

fn write_bitmap(device: &mut dyn Device, bits: &ClusterBitmap) -> Result<(), LabError> {
    let (at, length) = {
        let volume = Volume::open(&*device)?;
        let geometry = volume.geometry();
        let file = volume.file(RecordNumber::BITMAP)?;
        let stream = file.require(AttributeType::DATA, "")?;
        let clusters = stream.runs().map_or(0, RunList::clusters);
        let length = clusters * u64::from(geometry.cluster_size);
        (first_cluster(&geometry, stream.runs())?, length)
    };
    let mut bytes = bits.bytes().to_vec();
    bytes.resize(length as usize, 0);
    Ok(device.write_at(at, &bytes)?)
}

fn first_cluster(geometry: &Geometry, runs: Option<&RunList>) -> Result<u64, LabError> {
    let first = runs.and_then(|runs| runs.0.first()?.lcn);
    let what = "a change of a system file";
    first
        .map(|lcn| geometry.offset_of(lcn))
        .ok_or(LabError::NoPlace { what })
}

/// Changes a record, and its copy in $MFTMirr where it has one.
fn edit_record(
    device: &mut dyn Device,
    number: RecordNumber,
    change: impl FnOnce(&mut Record) -> Result<(), LabError>,
) -> Result<(), LabError> {
    let (places, bytes) = {
        let volume = Volume::open(&*device)?;
        let geometry = volume.geometry();
        let raw = volume.read_raw_record(number)?;
        let mut record = volume.read_record(number)?;
        change(&mut record)?;
        let within = number.0 * u64::from(geometry.record_size);
        let mirror = volume.file(RecordNumber::MFT_MIRR)?;
        let mirrored = mirror.require(AttributeType::DATA, "")?.len();
        let boot = volume.boot();
        let mut places = vec![geometry.offset_of(boot.mft_lcn()) + within];
        if within < mirrored {
            places.push(geometry.offset_of(boot.mft_mirr_lcn()) + within);
        }
        (places, fixup::protect_over(record.bytes(), &raw))
    };
    for at in places {
        device.write_at(at, &bytes)?;
    }
    Ok(())
}

/// Gives the $DATA stream of this name other clusters, as many as before.
fn set_runs(record: &mut Record, name: &str, runs: &RunList) -> Result<(), LabError> {
    let Some(stream) = record.find(AttributeType::DATA, name)? else {
        return Ok(());
    };
    let (offset, length) = (stream.offset(), stream.bytes().len());
    let new = with_runs(&stream, runs);
    Ok(record.replace_attribute(offset, length, &new)?)
}

fn with_runs(stream: &Attribute<'_>, runs: &RunList) -> Vec<u8> {
    let mut bytes = stream.bytes()[..stream.mapping_pairs_offset()].to_vec();
    bytes.extend(runs.encode());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let length = bytes.len() as u32;
    bytes[ATTRIBUTE_LENGTH..ATTRIBUTE_LENGTH + 4].copy_from_slice(&length.to_le_bytes());
    bytes
}
