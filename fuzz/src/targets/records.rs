//! Parts of NTFS by themselves: the input is the part.

use winrefit_ntfs::attribute::{FileName, parse_attribute_list};
use winrefit_ntfs::boot::{BOOT_SECTOR_BYTES, BootSector};
use winrefit_ntfs::index::{BLOCK_HEADER, ROOT_HEADER, entries};
use winrefit_ntfs::record::Record;
use winrefit_ntfs::runs::{RunList, RunsPlace};
use winrefit_ntfs::upcase::UpCase;
use winrefit_ntfs::{AttributeType, RecordNumber, fixup};

const RECORD: RecordNumber = RecordNumber(77);

/// A boot sector.
pub fn boot(data: &[u8]) {
    let mut bytes = [0; BOOT_SECTOR_BYTES];
    let length = data.len().min(bytes.len());
    bytes[..length].copy_from_slice(&data[..length]);
    let Ok(mut boot) = BootSector::parse(&bytes) else {
        return;
    };
    assert_eq!(boot.bytes(), &bytes);
    let geometry = boot.geometry();
    let _ = (
        geometry.clusters(),
        geometry.volume_bytes(),
        boot.mft_lcn(),
        boot.serial(),
    );
    boot.set_hidden_sectors(7);
    assert_eq!(
        BootSector::parse(boot.bytes())
            .expect("still a boot sector")
            .hidden_sectors(),
        7
    );
}

/// Mapping pairs: what can be decoded comes back after it was encoded, and can be moved.
pub fn runs(data: &[u8]) {
    let place = RunsPlace {
        record: RECORD,
        attribute: AttributeType::DATA,
    };
    let Ok(list) = RunList::decode(data, place) else {
        return;
    };
    assert!(list.clusters() >= list.allocated_clusters());
    assert_eq!(
        RunList::decode(&list.encode(), place).expect("what was encoded"),
        list
    );
    for (vcn, run) in list.with_vcns() {
        let found = list.find(vcn);
        assert!(run.clusters == 0 || found == Some((vcn, run)), "{found:?}");
    }
    let highest = list
        .0
        .iter()
        .filter_map(|run| Some(run.lcn?.0 + run.clusters))
        .max();
    if highest.is_none_or(|highest| highest < 1 << 40) {
        let _ = list.rebased(1 << 20).encode();
    }
    let mut joined = RunList::default();
    list.0.iter().for_each(|&run| joined.push(run));
    assert_eq!(joined.clusters(), list.clusters());
}

/// A file record of any size, its fixups as they are or made right.
pub fn record(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let size = [1024, 4096, 512, rest.len()][usize::from(first & 3)];
    let mut raw = rest.to_vec();
    raw.resize(size, 0);
    if first & 4 == 0 && raw.len() >= 512 {
        raw[..4].copy_from_slice(b"FILE");
        raw[4..6].copy_from_slice(&0x30u16.to_le_bytes());
        raw[6..8].copy_from_slice(&(size as u16 / 512 + 1).to_le_bytes());
        fixup::protect(&mut raw, 5);
    }
    let Ok(record) = Record::parse(RECORD, raw) else {
        return;
    };
    let _ = (
        record.base(),
        record.next_attribute_id(),
        record.stored_number(),
        record.bytes_used(),
    );
    for attribute in record.attributes() {
        let Ok(attribute) = attribute else { continue };
        let _ = (
            attribute.name(),
            attribute.sizes(),
            attribute.total_allocated(),
            attribute.end_vcn(),
        );
        let _ = (
            attribute.flags(),
            attribute.id(),
            attribute.compression_unit(),
            attribute.is_indexed(),
        );
        if let Some(value) = attribute.value() {
            list(value);
            index_with(value, ROOT_HEADER);
            if let Some(name) = FileName::parse(value) {
                let _ = name.display_name();
            }
        } else if let Ok(runs) = attribute.runs() {
            assert_eq!(runs.0.len(), attribute.runs_iter().count());
        }
        let (at, length) = (attribute.offset(), attribute.bytes().len());
        assert!(at + length <= record.bytes().len());
    }
}

/// An attribute list.
pub fn list(data: &[u8]) {
    if let Ok(list) = parse_attribute_list(RECORD, data) {
        assert!(
            list.len() <= data.len() / 0x1A + 1,
            "{} entries in {} bytes",
            list.len(),
            data.len()
        );
    }
}

/// A node of an index: a root, or a block.
pub fn index(data: &[u8]) {
    index_with(data, ROOT_HEADER);
    index_with(data, BLOCK_HEADER);
    if let Ok(table) = UpCase::from_bytes(data) {
        assert_eq!(table.to_bytes(), data);
    }
}

fn index_with(node: &[u8], header: usize) {
    let Ok(found) = entries(node, header, RECORD, None) else {
        return;
    };
    assert!(found.len() <= node.len() / 0x10);
    for entry in &found {
        let _ = (entry.reference(), entry.flags(), entry.subnode());
        if let Some(name) = FileName::parse(entry.key()) {
            let _ = name.display_name();
        }
    }
}
