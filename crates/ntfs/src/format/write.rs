//! Writing the volume: contents and file records in one pass over the records, then what depends on all of them.

use super::data::Writer;
use super::layout::{Allocator, Layout};
use super::record::RecordBuilder;
use super::system::{Security, System};
use super::tree::{self, FIRST_USER_RECORD, Kind, OBJECT_IDS, QUOTA, REPARSE_POINTS, RESERVED, Tree};
use super::{FileData, FormatError, FormatOptions, Written, attrdef, boot, index, security};
use crate::bitmap::ClusterBitmap;
use crate::index::I30;
use crate::record::{FLAG_DIRECTORY, FLAG_IN_USE, FLAG_VIEW_INDEX};
use crate::types::{AttributeType as Type, Geometry, Lcn};
use winrefit_disk::Device;

/// The $MFT has a multiple of so many records.
const RECORDS_UNIT: u64 = 64;
/// Free records at least, for whoever mounts the volume.
const SPARE_RECORDS: u64 = 16;
/// Record flag: in $Extend.
const FLAG_IN_EXTEND: u16 = 0x0004;

/// Formats the device and writes the files.
pub(super) fn write(
    options: &FormatOptions,
    geometry: Geometry,
    mut tree: Tree,
    device: &mut dyn Device,
) -> Result<Written, FormatError> {
    let records = (tree.nodes.len() as u64 + SPARE_RECORDS).next_multiple_of(RECORDS_UNIT);
    let secure = security::secure(&geometry);
    let (layout, allocator) = Layout::plan(&geometry, records, secure.stream.len() as u64)?;
    let upcase = tree.upcase.to_bytes();
    let system = System {
        options,
        geometry,
        layout: &layout,
        records,
        bitmap_bytes: ClusterBitmap::bytes_for(geometry.clusters()),
        secure: &secure,
        upcase: &upcase,
    };
    for number in 0..FIRST_USER_RECORD {
        if let Some((runs, bytes)) = system.data(number) {
            tree.nodes[number as usize].sizes = (system.sizes(&runs, bytes).allocated, bytes);
        }
    }
    let mut pass = Pass {
        system: &system,
        tree,
        allocator,
        writer: Writer::new(device, geometry),
        mirror: Vec::new(),
    };
    pass.erase_boot_sectors()?;
    pass.write_records()?;
    pass.write_system_files()
}

struct Pass<'a, 'd> {
    system: &'a System<'a>,
    tree: Tree,
    allocator: Allocator,
    writer: Writer<'d>,
    /// The records that $MFTMirr repeats.
    mirror: Vec<u8>,
}

impl Pass<'_, '_> {
    /// Boot sectors are written last: before that, there must be no volume to be seen, nor an old one.
    fn erase_boot_sectors(&mut self) -> Result<(), FormatError> {
        let geometry = self.system.geometry;
        let empty = vec![0; geometry.sector_size as usize];
        self.writer.write(0, &empty)?;
        self.writer.write(self.backup_boot_sector(), &empty)?;
        self.writer.flush()
    }

    /// The last sector of the partition, behind the volume's own.
    fn backup_boot_sector(&self) -> u64 {
        let geometry = self.system.geometry;
        geometry.total_sectors * u64::from(geometry.sector_size)
    }

    fn write_records(&mut self) -> Result<(), FormatError> {
        let geometry = self.system.geometry;
        let record_size = geometry.record_size;
        let mft = geometry.offset_of(Lcn(self.system.layout.mft.lcn));
        let mirror_bytes = self.system.layout.mirrored_records as usize * record_size as usize;
        // Records are gathered apart, since contents are written in between.
        let gather = 1024 * record_size as usize;
        let (mut records, mut at) = (Vec::with_capacity(gather), mft);
        for number in 0..self.system.records {
            records.extend(self.record(number)?);
            if records.len() >= gather || number + 1 == self.system.records {
                if at == mft {
                    self.mirror = records.iter().copied().take(mirror_bytes).collect();
                }
                self.writer.write(at, &records)?;
                at += records.len() as u64;
                records.clear();
            }
        }
        let end = mft + self.system.layout.mft.clusters * u64::from(geometry.cluster_size);
        self.writer.write(at, &vec![0; (end - at) as usize])
    }

    /// One record. The content of its file is written on the way.
    fn record(&mut self, number: u64) -> Result<Vec<u8>, FormatError> {
        let record_size = self.system.geometry.record_size;
        let Some(node) = self.tree.nodes.get(number as usize) else {
            return RecordBuilder::unused(number, record_size).finish();
        };
        let is_file = !node.name.is_empty();
        if !is_file && !RESERVED.contains(&number) {
            return RecordBuilder::unused(number, record_size).finish();
        }
        let (attributes, is_directory) = (node.attributes, node.is_directory());
        let (flags, links) = (record_flags(number, attributes), u16::from(is_file));
        let mut record = RecordBuilder::new(tree::reference(number), record_size, flags, links);
        let time = self.system.options.time;
        let security = self.security(number, is_directory);
        let by_number = match &security {
            Security::Number(number) => Some(*number),
            Security::Own(_) => None,
        };
        let information = tree::standard_information(attributes, time, by_number);
        record.resident(Type::STANDARD_INFORMATION, "", &information);
        if is_file {
            record.resident(Type::FILE_NAME, "", &self.tree.file_name(number, time));
        }
        if let Security::Own(descriptor) = security {
            record.resident(Type::SECURITY_DESCRIPTOR, "", &descriptor);
        }
        if is_directory {
            self.add_directory(number, &mut record)?;
        } else if number < FIRST_USER_RECORD {
            self.system.add_attributes(number, &mut record);
        } else {
            self.add_content(number, &mut record)?;
        }
        record.finish()
    }

    fn security(&self, number: u64, is_directory: bool) -> Security {
        if number < FIRST_USER_RECORD {
            super::system::security(number)
        } else if is_directory {
            Security::Number(security::DIRECTORY)
        } else {
            Security::Number(security::FILE)
        }
    }

    /// Writes and adds a file's content.
    fn add_content(&mut self, number: u64, record: &mut RecordBuilder) -> Result<(), FormatError> {
        let geometry = self.system.geometry;
        let Some(node) = self.tree.nodes.get_mut(number as usize) else {
            return Ok(());
        };
        let (name_units, (_, size)) = (node.name.len(), node.sizes);
        let Kind::File(data) = &mut node.kind else {
            return Ok(());
        };
        let data = data.take().unwrap_or(FileData::Bytes(Vec::new()));
        if tree::fits_record(&geometry, name_units, size) {
            let mut value = vec![0; size as usize];
            data.read_at(0, &mut value)?;
            record.resident(Type::DATA, "", &value);
            return Ok(());
        }
        let runs = self.allocator.allocate(geometry.clusters_for(size))?;
        self.writer.write_stream(&runs, &data)?;
        record.non_resident(Type::DATA, "", &runs, self.system.sizes(&runs, size));
        Ok(())
    }

    /// Writes and adds a directory's index.
    fn add_directory(&mut self, number: u64, record: &mut RecordBuilder) -> Result<(), FormatError> {
        let geometry = self.system.geometry;
        let time = self.system.options.time;
        let entries: Vec<Vec<u8>> = self
            .tree
            .children(number)
            .map(|child| {
                let key = self.tree.file_name(child, time);
                index::name_entry(tree::reference(child).to_raw(), &key)
            })
            .collect();
        let small = index::small_root_bytes(&entries);
        if super::record::resident_bytes(I30, small) <= record.room() {
            let root = index::small_root(index::FILE_NAMES, &entries, &geometry);
            record.resident(Type::INDEX_ROOT, I30, &root);
            return Ok(());
        }
        let tree = index::tree(index::FILE_NAMES, entries, &geometry);
        let bytes = tree.blocks.len() as u64;
        let bits = index::block_bitmap(tree.blocks.len() / geometry.index_block_size as usize);
        let runs = self.allocator.allocate(geometry.clusters_for(bytes))?;
        self.writer.write_stream(&runs, &FileData::Bytes(tree.blocks))?;
        record.resident(Type::INDEX_ROOT, I30, &tree.root);
        record.non_resident(
            Type::INDEX_ALLOCATION,
            I30,
            &runs,
            self.system.sizes(&runs, bytes),
        );
        if super::record::resident_bytes(I30, bits.len()) <= record.room() {
            record.resident(Type::BITMAP, I30, &bits);
        } else {
            let bytes = bits.len() as u64;
            let runs = self.allocator.allocate(geometry.clusters_for(bytes))?;
            self.writer.write_stream(&runs, &FileData::Bytes(bits))?;
            record.non_resident(Type::BITMAP, I30, &runs, self.system.sizes(&runs, bytes));
        }
        Ok(())
    }

    /// Everything else; the boot sectors last, behind a barrier.
    fn write_system_files(mut self) -> Result<Written, FormatError> {
        let System {
            options,
            geometry,
            layout,
            records,
            ..
        } = *self.system;
        let backup_at = self.backup_boot_sector();
        let bitmap = self.allocator.into_bitmap();
        let last_used = bitmap.last_used_from(Lcn(0)).map_or(0, |lcn| lcn.0 + 1);
        let written = Written {
            clusters: geometry.clusters(),
            free_clusters: bitmap.free_clusters(),
            end_of_used: Lcn(last_used),
            records,
        };
        let mut record_bits = vec![0; (records / 8) as usize];
        for (number, node) in self.tree.nodes.iter().enumerate() {
            if !node.name.is_empty() || RESERVED.contains(&(number as u64)) {
                record_bits[number / 8] |= 1 << (number % 8);
            }
        }
        let streams = [
            (layout.mirror, self.mirror),
            (layout.upcase, self.system.upcase.to_vec()),
            (layout.attrdef, attrdef::table()),
            (layout.secure, self.system.secure.stream.clone()),
            (layout.bitmap, bitmap.bytes().to_vec()),
            (layout.log, vec![0xFF; layout.log_bytes as usize]),
            (layout.mft_bitmap, record_bits),
        ];
        for (extent, bytes) in streams {
            self.writer
                .write_stream(&extent.runs(), &FileData::Bytes(bytes))?;
        }
        self.writer.flush()?;
        let sector = boot::sector(options, &geometry, layout);
        let mut backup = sector.to_vec();
        backup.resize(geometry.sector_size as usize, 0);
        let mut boot = backup.clone();
        boot.resize(super::layout::BOOT_BYTES as usize, 0);
        self.writer
            .write_stream(&layout.boot.runs(), &FileData::Bytes(boot))?;
        self.writer.write(backup_at, &backup)?;
        self.writer.flush()?;
        Ok(written)
    }
}

/// The flags of a record in use, by its number and its attributes in $FILE_NAME.
fn record_flags(number: u64, attributes: u32) -> u16 {
    let mut flags = FLAG_IN_USE;
    if attributes & tree::DIRECTORY != 0 {
        flags |= FLAG_DIRECTORY;
    }
    if attributes & tree::VIEW_INDEX != 0 {
        flags |= FLAG_VIEW_INDEX;
    }
    if [QUOTA, OBJECT_IDS, REPARSE_POINTS].contains(&number) {
        flags |= FLAG_IN_EXTEND;
    }
    flags
}
