//! Random small disks, and what one asks for on them.

use crate::common::disks::{Disk, Kind, Part, Style};
use proptest::prelude::*;
use winrefit_disk::SectorSize;
use winrefit_repair::plan::Request;

const MIB: u64 = 1 << 20;

#[derive(Debug, Clone)]
pub struct Case {
    pub disk: Disk,
    pub request: Request,
}

/// One partition that may be there.
#[derive(Debug, Clone)]
struct Item {
    kind: Kind,
    /// Partitions lie in the order of these.
    key: u16,
    /// They have numbers in the order of these.
    number_key: u16,
    is_there: bool,
    kib: u64,
    /// Unallocated sectors of 512 bytes before it.
    gap: u64,
    fill_percent: u64,
    tail: bool,
    cluster_log: u32,
}

fn gap() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => Just(0),
        1 => (1u64..260).prop_map(|n| n * 8),
        3 => (1u64..24).prop_map(|mib| mib * 2048),
    ]
}

fn item(kind: Kind, presence: f64, mib: std::ops::Range<u64>) -> impl Strategy<Value = Item> {
    // Most partitions end on whole MiB.
    let size = (mib, prop::bool::weighted(0.15), 0u64..252);
    let size = size.prop_map(|(mib, is_odd, odd)| mib * 1024 + if is_odd { odd * 4 } else { 0 });
    let made = (
        0u64..90,
        prop::bool::weighted(0.3),
        9u32..17,
        prop::bool::weighted(0.7),
    );
    (
        any::<u16>(),
        any::<u16>(),
        prop::bool::weighted(presence),
        size,
        gap(),
        made,
    )
        .prop_map(
            move |(key, number_key, is_there, kib, gap, (fill_percent, tail, cluster_log, is_usual))| Item {
                kind,
                key,
                number_key,
                is_there,
                kib,
                gap,
                fill_percent,
                tail,
                cluster_log: if is_usual { 12 } else { cluster_log },
            },
        )
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    (
        item(Kind::System, 0.7, 4..6),
        item(Kind::Reserved, 0.5, 1..3),
        item(Kind::Windows, 1.0, 10..36),
        item(Kind::Data, 0.5, 6..30),
        item(Kind::Recovery, 1.0, 6..13),
        item(Kind::Stale, 0.3, 6..10),
        item(Kind::Foreign, 0.3, 1..5),
    )
        .prop_map(|(a, b, c, d, e, f, g)| {
            let mut items = vec![a, b, c, d, e, f, g];
            items.retain(|item| item.is_there);
            items.sort_by_key(|item| item.key);
            items
        })
}

pub fn case() -> impl Strategy<Value = Case> {
    let table = (
        any::<bool>(),
        prop::bool::weighted(0.25),
        // Which of an MBR disk's partitions are logical.
        prop::bool::weighted(0.6),
        (0usize..7, 1usize..7),
        prop_oneof![4 => Just(2048u64), 3 => Just(63), 1 => Just(8), 1 => Just(3 * 2048 + 40)],
    );
    let around = (
        prop_oneof![8 => Just(2048u64), 1 => Just(64), 1 => Just(4 * 2048)],
        prop_oneof![1 => Just(64u64), 4 => Just(2048), 3 => (2u64..30).prop_map(|mib| mib * 2048)],
        gap(),
    );
    let asked = (
        0u64..18,
        0u64..6,
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.2),
    );
    (items(), table, around, asked, any::<u64>()).prop_map(make)
}

type Asked = (u64, u64, bool, bool, bool);
type TableOf = (bool, bool, bool, (usize, usize), u64);

fn make((items, table, around, asked, seed): (Vec<Item>, TableOf, (u64, u64, u64), Asked, u64)) -> Case {
    let (is_gpt, large_sectors, any_logical, logical, distance) = table;
    let style = if is_gpt { Style::Gpt } else { Style::Mbr };
    let logical = match style {
        Style::Gpt => 0..0,
        Style::Mbr => logical_range(items.len(), any_logical, logical),
    };
    let (mut at, last_gap, extended_gap) = around;
    let mut placed = Vec::new();
    let (mut first_ebr, mut extended_end) = (None, 0);
    for (index, item) in items.iter().enumerate() {
        at += item.gap;
        let is_logical = logical.contains(&index);
        let ebr = is_logical.then(|| {
            if at.is_multiple_of(8) {
                distance.next_multiple_of(8)
            } else {
                distance
            }
        });
        first_ebr = first_ebr.or(ebr.map(|_| at));
        // The first EBR is where the extended partition begins, whatever gap there is.
        let start = at + ebr.unwrap_or(0);
        let end = start + item.kib * 2;
        let room = item.kib.saturating_sub(4 << 10);
        let part = Part {
            // An active partition is a primary one.
            kind: if is_logical && item.kind == Kind::System {
                Kind::Data
            } else {
                item.kind
            },
            start,
            end,
            ebr,
            fill: room * item.fill_percent / 100,
            tail: item.tail && matches!(item.kind, Kind::Windows | Kind::Data),
            cluster: 1 << item.cluster_log,
        };
        let room = matches!(item.kind, Kind::Recovery | Kind::Stale | Kind::System);
        let fill = match (room, part.tail) {
            (true, _) => part.fill / 4,
            // It is there twice for a moment.
            (_, true) => part.fill * 2 / 5 + 128,
            _ => part.fill,
        };
        placed.push((item.number_key, Part { fill, ..part }));
        at = end;
        if is_logical && !logical.contains(&(index + 1)) {
            at += extended_gap;
            extended_end = at;
        }
    }
    // A chain is in the order of the disk here; numbers of primary partitions are not always.
    if asked.2 {
        let is_logical = |part: &Part| part.ebr.is_some();
        placed.sort_by_key(|(key, part)| (is_logical(part), if is_logical(part) { 0 } else { *key }));
    }
    let parts: Vec<Part> = placed.into_iter().map(|(_, part)| part).collect();
    let disk = Disk {
        style,
        sector_size: SectorSize::B512,
        sectors: (at + last_gap).next_multiple_of(8),
        parts,
        extended: first_ebr.map(|start| (start, extended_end)),
        extended_after: (seed % 4) as usize,
        seed,
    };
    let can_be_large = disk.parts.iter().all(|p| p.start % 8 == 0 && p.end % 8 == 0);
    let disk = if large_sectors && can_be_large {
        disk.with_sectors(SectorSize::B4096)
    } else {
        disk
    };
    let request = request(&disk, asked);
    Case { disk, request }
}

fn logical_range(count: usize, wanted: bool, (first, length): (usize, usize)) -> std::ops::Range<usize> {
    if !wanted && count <= 4 {
        return 0..0;
    }
    // At most three primary ones beside the extended one.
    let least = count.saturating_sub(3).max(1);
    let length = length.clamp(least, count);
    let first = first.min(count - length);
    first..first + length
}

fn request(disk: &Disk, (more, free, _, reclaim, remove): Asked) -> Request {
    let recovery = disk
        .parts
        .iter()
        .find(|part| part.kind == Kind::Recovery)
        .unwrap();
    let bytes = (recovery.end - recovery.start) * disk.sector_size.bytes();
    let stale = disk.number_of(Kind::Stale).or(disk.number_of(Kind::Data));
    Request {
        size_bytes: Some(bytes + more * MIB),
        free_bytes: Some(free * MIB),
        recovery_partition: None,
        drop_shadow_copies: false,
        reclaim,
        remove_stale: stale.filter(|_| remove),
        create: false,
    }
}
