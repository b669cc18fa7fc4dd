//! Tables made here byte by byte and by sfdisk, edited, and read back by both.

mod damage;
mod logical;
#[cfg(unix)]
mod sfdisk;

use super::chs::ChsStyle;
use super::types::*;
use super::*;
use crate::LbaRange;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use winrefit_disk::{Device, Lba, MemoryDevice, ReadAt, SectorSize};

const SECTORS: u64 = 65536;
const SIGNATURE: u32 = 0x1234_abcd;

fn range(start: u64, end: u64) -> LbaRange {
    LbaRange::new(Lba(start), Lba(end))
}

fn put(sector: &mut [u8], slot: usize, type_code: u8, start: u32, sectors: u32) {
    let at = 446 + slot * 16;
    sector[at + 4] = type_code;
    sector[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
    sector[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
    sector[510..512].copy_from_slice(&[0x55, 0xaa]);
}

/// Two primary partitions, an extended one with three logical ones in it, and nothing else in use:
/// 1 at 2048..4096 (active), 2 at 4096..20480, extended 3 at 20480..61440,
/// 5 at 22528..30000, 6 at 34048..40000 with its EBR at 32000, 7 at 50000..61440 with its EBR at 49999.
fn disk(sector_size: SectorSize) -> MemoryDevice {
    let bytes = sector_size.bytes();
    let mut device = MemoryDevice::zeroed((SECTORS * bytes) as usize, sector_size);
    let mut sector = |lba: u64, entries: &[(usize, u8, u32, u32)]| {
        let at = (lba * bytes) as usize;
        for &(slot, type_code, start, sectors) in entries {
            put(
                &mut device.bytes_mut()[at..at + 512],
                slot,
                type_code,
                start,
                sectors,
            );
        }
    };
    let primary = [
        (0, PARTITION_IFS, 2048, 2048),
        (1, PARTITION_IFS, 4096, 16384),
        (2, PARTITION_XINT13_EXTENDED, 20480, 40960),
    ];
    sector(0, &primary);
    sector(
        20480,
        &[
            (0, PARTITION_IFS, 2048, 7472),
            (1, PARTITION_EXTENDED, 11520, 8000),
        ],
    );
    sector(
        32000,
        &[
            (0, PARTITION_MSFT_RECOVERY, 2048, 5952),
            (1, PARTITION_EXTENDED, 29519, 11441),
        ],
    );
    sector(49999, &[(0, PARTITION_LINUX, 1, 11440)]);
    let mbr = &mut device.bytes_mut()[..512];
    mbr[446] = 0x80;
    mbr[440..444].copy_from_slice(&SIGNATURE.to_le_bytes());
    mbr[..440].fill(0xc3);
    device
}

/// The same disk with 512-byte sectors, kept as the sectors that are in use.
#[derive(Clone)]
struct Sparse(BTreeMap<u64, Vec<u8>>);

impl Sparse {
    fn new() -> Self {
        static SECTORS_IN_USE: LazyLock<Sparse> = LazyLock::new(|| {
            let device = disk(SectorSize::B512);
            let places = [0, 20480, 32000, 49999];
            Sparse(
                places
                    .map(|lba| (lba, device.read_vec(lba * 512, 512).unwrap()))
                    .into(),
            )
        });
        SECTORS_IN_USE.clone()
    }
}

impl ReadAt for Sparse {
    fn size(&self) -> u64 {
        SECTORS * 512
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), winrefit_disk::DiskError> {
        assert_eq!((offset % 512, buf.len()), (0, 512));
        match self.0.get(&(offset / 512)) {
            Some(sector) => buf.copy_from_slice(sector),
            None => buf.fill(0),
        }
        Ok(())
    }
}

fn table(device: &MemoryDevice) -> Mbr {
    read_mbr(device, device.sector_size()).unwrap().usable().unwrap()
}

/// The device with the table's changes written.
fn written(device: &MemoryDevice, mbr: &Mbr) -> MemoryDevice {
    let mut device = device.clone();
    for write in mbr.writes() {
        let at = write.lba.offset(device.sector_size()).unwrap();
        device.write_at(at, &write.bytes).unwrap();
    }
    device
}

/// Number, first LBA, end, type.
fn summary(mbr: &Mbr) -> Vec<(u32, u64, u64, u8)> {
    let partitions = mbr.partitions().iter();
    partitions
        .map(|p| (p.number, p.range.start.0, p.range.end.0, p.type_code))
        .collect()
}

#[test]
fn primary_and_logical_partitions_are_read() {
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let device = disk(sector_size);
        let mbr = table(&device);
        let expected = [
            (1, 2048, 4096, 0x07),
            (2, 4096, 20480, 0x07),
            (3, 20480, 61440, 0x0f),
            (5, 22528, 30000, 0x07),
            (6, 34048, 40000, 0x27),
            (7, 50000, 61440, 0x83),
        ];
        assert_eq!(summary(&mbr), expected);
        assert_eq!(mbr.disk_signature(), SIGNATURE);
        let active: Vec<u32> = mbr
            .partitions()
            .iter()
            .filter(|p| p.active)
            .map(|p| p.number)
            .collect();
        assert_eq!(active, [1]);
        let slot = mbr.partition(6).unwrap().slot;
        assert_eq!(
            slot,
            MbrSlot::Logical {
                index: 2,
                ebr: Lba(32000)
            }
        );
        assert_eq!(
            mbr.table_sectors().map(|lba| lba.0).collect::<Vec<_>>(),
            [0, 20480, 32000, 49999]
        );
        assert_eq!(mbr.gaps(), [range(1, 2048), range(61440, SECTORS)]);
        let logical = [
            range(20481, 22528),
            range(30000, 32000),
            range(32001, 34048),
            range(40000, 49999),
        ];
        assert_eq!(mbr.logical_gaps(), logical);
        assert_eq!(mbr.writes(), []);
    }
}

#[test]
fn a_primary_partition_is_resized_and_moved_and_nothing_else() {
    let device = disk(SectorSize::B512);
    let mut mbr = table(&device);
    mbr.set_range(2, range(6144, 18432)).unwrap();
    let after = written(&device, &mbr);
    assert_eq!(summary(&table(&after))[1], (2, 6144, 18432, 0x07));
    let changed: Vec<usize> = (0..device.bytes().len())
        .filter(|&at| device.bytes()[at] != after.bytes()[at])
        .collect();
    // CHS addresses, start and length of the second entry.
    assert!(
        changed.iter().all(|at| (463..478).contains(at) && *at != 466),
        "{changed:?}"
    );
    let error = mbr.set_range(2, range(6144, 20481)).unwrap_err();
    assert!(
        matches!(
            error,
            MbrEditError::Layout(MbrError::Overlap { first: 2, second: 3 })
        ),
        "{error}"
    );
    let error = mbr.set_range(1, range(0, 4096)).unwrap_err();
    assert!(
        matches!(error, MbrEditError::Layout(MbrError::CoversTable { number: 1 })),
        "{error}"
    );
    let error = mbr.set_range(1, range(2048, 2048)).unwrap_err();
    assert!(
        matches!(error, MbrEditError::Layout(MbrError::Empty { number: 1 })),
        "{error}"
    );
    assert!(matches!(
        mbr.set_range(4, range(1, 2)),
        Err(MbrEditError::NoSuchPartition { number: 4 })
    ));
    assert_eq!(written(&device, &mbr), after);
}

#[test]
fn the_extended_partition_changes_its_end_only() {
    let mut mbr = table(&disk(SectorSize::B512));
    mbr.set_range(3, range(20480, SECTORS)).unwrap();
    let error = mbr.set_range(3, range(20480, 61439)).unwrap_err();
    assert!(
        matches!(
            error,
            MbrEditError::Layout(MbrError::LogicalOutside { number: 7, .. })
        ),
        "{error}"
    );
    let error = mbr.set_range(3, range(20479, SECTORS)).unwrap_err();
    assert!(
        matches!(error, MbrEditError::ExtendedStart { number: 3 }),
        "{error}"
    );
    assert!(mbr.set_range(3, range(20480, SECTORS + 1)).is_err());
}

#[test]
fn a_primary_partition_is_added_typed_and_removed() {
    let device = disk(SectorSize::B512);
    let mut mbr = table(&device);
    mbr.add_primary(4, PARTITION_IFS, range(61440, 63488)).unwrap();
    mbr.set_type(4, PARTITION_MSFT_RECOVERY).unwrap();
    mbr.set_type(5, PARTITION_MSFT_RECOVERY).unwrap();
    let after = written(&device, &mbr);
    let again = table(&after);
    assert_eq!(again.partition(4).unwrap().range, range(61440, 63488));
    assert_eq!(again.partition(4).unwrap().type_code, PARTITION_MSFT_RECOVERY);
    assert!(!again.partition(4).unwrap().active);
    assert_eq!(again.partition(5).unwrap().type_code, PARTITION_MSFT_RECOVERY);
    mbr.set_type(5, PARTITION_IFS).unwrap();
    mbr.remove_primary(4).unwrap();
    assert_eq!(mbr.writes(), []);
    let refused: [Result<(), MbrEditError>; 7] = [
        mbr.add_primary(1, PARTITION_IFS, range(61440, 63488)),
        mbr.add_primary(5, PARTITION_IFS, range(61440, 63488)),
        mbr.add_primary(4, PARTITION_EXTENDED, range(61440, 63488)),
        mbr.add_primary(4, PARTITION_IFS, range(61439, 63488)),
        mbr.set_type(3, PARTITION_IFS),
        mbr.set_type(2, 0),
        mbr.remove_primary(3),
    ];
    assert!(refused.iter().all(Result::is_err), "{refused:?}");
    assert_eq!(mbr.writes(), []);
}

#[test]
fn what_32_bits_cannot_say_is_refused() {
    struct Huge(Vec<u8>);
    impl ReadAt for Huge {
        fn size(&self) -> u64 {
            (1 << 33) * 512
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), winrefit_disk::DiskError> {
            self.0.read_at(offset, buf)
        }
    }
    let mut sector = vec![0; 512];
    put(&mut sector, 0, PARTITION_IFS, 2048, u32::MAX - 2047);
    let mut mbr = read_mbr(&Huge(sector), SectorSize::B512)
        .unwrap()
        .usable()
        .unwrap();
    assert_eq!(mbr.end(), Lba(1 << 32));
    mbr.set_range(1, range(4096, 1 << 32)).unwrap();
    let error = mbr.set_range(1, range(4096, (1 << 32) + 1)).unwrap_err();
    assert!(
        matches!(
            error,
            MbrEditError::Layout(MbrError::OutOfBounds { number: 1, .. })
        ),
        "{error}"
    );
    let error = mbr.set_range(1, range(1 << 32, 1 << 33)).unwrap_err();
    assert!(matches!(error, MbrEditError::TooLarge { .. }), "{error}");
}

#[test]
fn chs_fields_follow_the_table_s_style() {
    // All zeros in the table made here; as Windows and Linux write them in the other.
    let device = disk(SectorSize::B512);
    let mut mbr = table(&device);
    mbr.set_range(6, range(33000, 40000)).unwrap();
    let zero = written(&device, &mbr);
    assert_eq!(zero.bytes()[32000 * 512 + 447..][..3], [0; 3]);
    let mut device = device;
    for (at, field) in [(447, [0x20, 0x21, 0]), (451, [0x41, 1, 0])] {
        device.bytes_mut()[at..at + 3].copy_from_slice(&field);
    }
    let mut mbr = table(&device);
    mbr.set_range(6, range(33000, 40000)).unwrap();
    // 33000 = cylinder 2, head 13, sector 52 of the geometry 255 x 63; the end has not moved.
    let usual = written(&device, &mbr);
    assert_eq!(usual.bytes()[32000 * 512 + 447..][..3], [13, 52, 2]);
    assert_eq!(usual.bytes()[32000 * 512 + 451..][..3], [0; 3]);
}

#[test]
fn chs_fields_follow_a_partition_whose_ebr_moves_with_it() {
    let mut device = disk(SectorSize::B512);
    let field = |lba| ChsStyle::Geometry.field(lba);
    // Of each entry: where it is, its first sector, its end.
    let entries = |ebr: u64, start: u64| {
        [
            (446, 2048, 4096),
            (462, 4096, 20480),
            (478, 20480, 61440),
            (20480 * 512 + 446, 22528, 30000),
            (20480 * 512 + 462, 32000, 40000),
            (32000 * 512 + 446, 34048, 40000),
            (32000 * 512 + 462, ebr, 61440),
            (ebr as usize * 512 + 446, start, 61440),
        ]
    };
    for (at, first, end) in entries(49999, 50000) {
        device.bytes_mut()[at + 1..at + 4].copy_from_slice(&field(first));
        device.bytes_mut()[at + 5..at + 8].copy_from_slice(&field(end - 1));
    }
    let mut mbr = table(&device);
    mbr.set_range(7, range(45000, 61440)).unwrap();
    let after = written(&device, &mbr);
    for (at, first, end) in entries(44999, 45000) {
        let entry = &after.bytes()[at..at + 16];
        assert_eq!(
            (&entry[1..4], &entry[5..8]),
            (&field(first)[..], &field(end - 1)[..]),
            "entry at {at}"
        );
    }
}
