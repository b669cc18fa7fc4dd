//! Where the structures of a volume or disk lie, and changes of them that get past signatures, fixups and checksums.

use super::input::{Input, change};
use super::sums;
use winrefit_disk::{ByteRange, Device, ReadAt, ReadWindow};
use winrefit_ntfs::file::{Stream, StreamBody};
use winrefit_ntfs::{AttributeType, RecordNumber, Volume, fixup};

/// What has to be set right behind a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Raw,
    /// The update sequence of a structure with this signature.
    Fixups([u8; 4]),
    /// The start of a file, by what it begins with.
    File,
    /// An MBR or EBR.
    TableSector,
    /// A GPT header: its entries lie at the byte.
    GptHeader {
        entries: u64,
    },
    /// Entries of a GPT: the headers are set right by [`seal_gpt`].
    GptEntries,
}

/// A structure that may be changed.
#[derive(Debug, Clone, Copy)]
pub struct Structure {
    pub range: ByteRange,
    pub kind: Kind,
    /// Where a copy lies that has to be the same.
    pub copy: Option<u64>,
}

/// Longest part of a structure that is changed.
const PART_MAX: u64 = 72 << 10;

pub fn raw(start: u64, length: u64) -> Structure {
    Structure {
        range: ByteRange::new(start, start + length.min(PART_MAX)),
        kind: Kind::Raw,
        copy: None,
    }
}

/// The structures of the NTFS volume in `range` of `disk`.
pub fn of_volume(disk: &dyn ReadAt, range: ByteRange) -> Vec<Structure> {
    let window = ReadWindow::new(disk, range).expect("a partition on the disk");
    let volume = Volume::open(window).expect("a sound volume");
    let sector = u64::from(volume.geometry().sector_size);
    let boot = Structure {
        copy: Some(range.end - sector),
        ..raw(range.start, 512)
    };
    // Shadow copies have a header behind the boot sector.
    let mut found = vec![boot, raw(range.start + 0x1E00, 512)];
    if let Some(catalog) = catalog(disk, range) {
        found.push(raw(catalog, 0x4000));
    }
    for number in 0..volume.records() {
        let Ok(file) = volume.file(RecordNumber(number)) else {
            continue;
        };
        if !file.base().is_in_use() {
            continue;
        }
        for record in file.records() {
            found.extend(of_record(&volume, range.start, record.number().0));
        }
        let attributes = file.attributes().flatten();
        let streams = attributes.filter(|a| a.is_non_resident() && a.lowest_vcn().0 == 0);
        for attribute in streams {
            let name = String::from_utf16_lossy(&attribute.name());
            if let Ok(Some(stream)) = file.stream(attribute.type_code(), &name) {
                of_stream(
                    &volume,
                    range.start,
                    (number, &stream),
                    attribute.type_code(),
                    &mut found,
                );
            }
        }
    }
    found.retain(|one| one.range.end <= range.end && one.range.start < one.range.end);
    found
}

fn catalog(disk: &dyn ReadAt, range: ByteRange) -> Option<u64> {
    let header = disk.read_vec(range.start + 0x1E00, 64).ok()?;
    let offset = u64::from_le_bytes(header[48..56].try_into().ok()?);
    let is_there = header[0] == 0x6b && offset != 0 && offset < range.len();
    is_there.then_some(range.start + offset)
}

/// A file record, and its copy in $MFTMirr.
fn of_record<R: ReadAt>(volume: &Volume<R>, start: u64, number: u64) -> Option<Structure> {
    let geometry = volume.geometry();
    let size = u64::from(geometry.record_size);
    let cluster = u64::from(geometry.cluster_size);
    let (vcn, run) = volume
        .mft_runs()
        .find(winrefit_ntfs::Vcn(number * size / cluster))?;
    let within = number * size - vcn.0 * cluster;
    let at = start + geometry.offset_of(run.lcn?) + within;
    let mirror = start + geometry.offset_of(volume.boot().mft_mirr_lcn()) + number * size;
    Some(Structure {
        range: ByteRange::new(at, at + size),
        kind: Kind::Fixups(*b"FILE"),
        copy: (number < 4).then_some(mirror),
    })
}

fn of_stream<R: ReadAt>(
    volume: &Volume<R>,
    start: u64,
    (number, stream): (u64, &Stream),
    attribute: AttributeType,
    found: &mut Vec<Structure>,
) {
    let geometry = volume.geometry();
    let StreamBody::NonResident { runs, .. } = &stream.body else {
        return;
    };
    let places = runs.0.iter().filter_map(|run| {
        let length = run.clusters * u64::from(geometry.cluster_size);
        Some((start + geometry.offset_of(run.lcn?), length))
    });
    let signature = match (attribute, number) {
        (AttributeType::INDEX_ALLOCATION, _) => Some(*b"INDX"),
        (AttributeType::DATA, 2) => Some(*b"RSTR"),
        (AttributeType::DATA, 0 | 1 | 7) => return,
        _ => None,
    };
    for (place, length) in places.take(4) {
        match signature {
            Some(signature) => {
                // Pages of the log as its own restart page says; blocks of directories have the same size.
                let blocks = (0..length / 4096).take(if signature == *b"RSTR" { 2 } else { 8 });
                found.extend(blocks.map(|block| Structure {
                    range: ByteRange::new(place + block * 4096, place + (block + 1) * 4096),
                    kind: Kind::Fixups(signature),
                    copy: None,
                }));
            }
            None => {
                let kind = if number < 24 { Kind::Raw } else { Kind::File };
                found.push(Structure {
                    kind,
                    ..raw(place, length.min(stream.len().next_multiple_of(512)))
                });
                // Its last part, where a WIM has its XML.
                if length > PART_MAX {
                    found.push(raw(place + length - 4096, 4096));
                }
            }
        }
    }
}

/// Makes up to `max` changes of the structures, as the input says.
pub fn mutate(input: &mut Input<'_>, device: &mut dyn Device, structures: &[Structure], max: usize) {
    for _ in 0..max {
        if input.is_empty() || structures.is_empty() {
            return;
        }
        let structure = structures[input.below(structures.len())];
        let how = input.number(1);
        mutate_one(input, device, structure, how);
    }
}

fn mutate_one(input: &mut Input<'_>, device: &mut dyn Device, structure: Structure, how: u64) {
    let Structure { range, kind, copy } = structure;
    let Ok(on_disk) = device.read_vec(range.start, range.len() as usize) else {
        return;
    };
    let mut bytes = on_disk.clone();
    let mut end = bytes.len();
    if let Kind::Fixups(signature) = kind {
        let _ = fixup::apply(&mut bytes, signature, "", 0);
        let used_at = if signature == *b"FILE" { 0x18 } else { 0x1C };
        let used = u32::from_le_bytes(bytes[used_at..used_at + 4].try_into().unwrap());
        // Behind what is used nothing is read.
        end = (used as usize).clamp(64, end - 64) + 64;
    }
    for _ in 0..=how & 3 {
        change(input, &mut bytes[..end]);
    }
    let is_mended = how & 0xF0 != 0xF0;
    match kind {
        Kind::Fixups(_) if is_mended => bytes = fixup::protect_over(&bytes, &on_disk),
        Kind::File if is_mended => mend_file(&mut bytes),
        Kind::TableSector if is_mended => sums::mbr(&mut bytes),
        Kind::GptHeader { entries } if is_mended => {
            let entries = device.read_vec(entries, 16_384).unwrap_or_default();
            sums::gpt(&mut bytes, &entries);
        }
        _ => {}
    }
    if device.write_at(range.start, &bytes).is_err() {
        return;
    }
    // One in four leaves the copy as it was.
    if let Some(copy) = copy.filter(|_| how & 0x0C != 0x0C) {
        let _ = device.write_at(copy, &bytes);
    }
    if kind == Kind::GptEntries && is_mended {
        seal_gpt(device);
    }
}

/// Sets the checksums of both copies of a GPT right.
fn seal_gpt(device: &mut dyn Device) {
    let size = device.sector_size().bytes();
    let last = device.size() - size;
    for (at, entries) in [(size, 2 * size), (last, last - 16_384)] {
        let Ok(mut header) = device.read_vec(at, size as usize) else {
            return;
        };
        let entries = device.read_vec(entries, 16_384).unwrap_or_default();
        sums::gpt(&mut header, &entries);
        let _ = device.write_at(at, &header);
    }
}

fn mend_file(bytes: &mut [u8]) {
    if bytes.starts_with(b"regf") {
        sums::hive(bytes);
    } else if bytes.starts_with(b"ElfFile") {
        sums::evtx(bytes);
    }
}
