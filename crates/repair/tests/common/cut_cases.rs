//! The repairs whose power is cut: small disks, one for each strategy and each kind of table and sector.

use crate::common::disks::{Disk, Kind, Part, Style, disk, logical, part};
use crate::common::{Layout, MIB, REQUEST, disk_guid, poke, target};
use crate::update::{ALL, layout};
use winrefit_disk::{ByteRange, Event, Lba, MemoryDevice, ReadAt, Recording, SectorSize, Window};
use winrefit_formats::gpt::types;
use winrefit_formats::{Gpt, Guid, LbaRange, Partition, PartitionName, ReAgentTemplate};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_repair::commands::{fix, reset_update};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;
use winrefit_repair::reset::ResetRequest;

/// What is asked for.
pub enum Asked {
    Fix(Request),
    Reset(ResetRequest),
}

pub struct Case {
    pub old: MemoryDevice,
    pub asked: Asked,
    /// What the plan has to be, and how many commits it takes.
    pub strategy: &'static str,
    pub commits: usize,
}

impl Case {
    /// The disk that the repair leaves, and every write and flush that leads there.
    pub fn repaired(&self) -> (MemoryDevice, Vec<Event>) {
        let mut subject = target(Recording::new(self.old.clone()));
        let report = match &self.asked {
            Asked::Fix(request) => fix(&mut subject, request, &mut |_| true, &mut |_| ()),
            Asked::Reset(request) => reset_update(&mut subject, request, &mut |_| true, &mut |_| ()),
        };
        let report = report.expect("a report");
        assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
        assert_eq!(report.plan.expect("a plan").strategy, self.strategy);
        subject.device.into_parts()
    }
}

fn request(size: u64) -> Request {
    Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    }
}

fn case(old: MemoryDevice, strategy: &'static str) -> Case {
    Case {
        old,
        asked: Asked::Fix(request(12)),
        strategy,
        commits: 1,
    }
}

fn with(case: Case, request: Request, commits: usize) -> Case {
    Case {
        asked: Asked::Fix(request),
        commits,
        ..case
    }
}

fn tail(kind: Kind, mib: (u64, u64)) -> Part {
    Part {
        tail: true,
        ..part(kind, mib)
    }
}

/// Windows with the recovery partition right behind it.
fn usual(windows: Part) -> Disk {
    disk(Style::Gpt, 33, &[windows, part(Kind::Recovery, (24, 32))])
}

fn plain() -> Disk {
    usual(part(Kind::Windows, (1, 24)))
}

fn full() -> Disk {
    usual(tail(Kind::Windows, (1, 24)))
}

pub fn grow_end() -> Case {
    let parts = [part(Kind::Windows, (1, 16)), part(Kind::Recovery, (16, 24))];
    case(disk(Style::Gpt, 30, &parts).build(), "grow-end")
}

pub fn grow_front() -> Case {
    let parts = [part(Kind::Windows, (1, 16)), part(Kind::Recovery, (21, 29))];
    case(disk(Style::Gpt, 30, &parts).build(), "grow-front")
}

pub fn shrink() -> Case {
    case(plain().build(), "shrink+grow-front")
}

pub fn shrink_4096() -> Case {
    case(
        plain().with_sectors(SectorSize::B4096).build(),
        "shrink+grow-front",
    )
}

pub fn data() -> Case {
    case(full().build(), "shrink+grow-front")
}

pub fn data_4096() -> Case {
    case(
        full().with_sectors(SectorSize::B4096).build(),
        "shrink+grow-front",
    )
}

/// NTFS's own files lie in the tail, too.
pub fn system_data() -> Case {
    let layout = Layout {
        full_tail: true,
        ..Layout::default()
    };
    with(case(layout.build(), "shrink+grow-front"), REQUEST, 1)
}

/// A $MFT for which the gap is too small.
pub fn body_in_clusters() -> Case {
    let layout = Layout {
        recovery_files: 600,
        ..Layout::default()
    };
    with(case(layout.build(), "shrink+grow-front"), REQUEST, 1)
}

pub fn relocate() -> Case {
    let parts = [part(Kind::Recovery, (1, 9)), part(Kind::Windows, (9, 24))];
    with(
        case(disk(Style::Gpt, 44, &parts).build(), "relocate"),
        request(14),
        1,
    )
}

fn first_tail(style: Style) -> Disk {
    let parts = [part(Kind::Recovery, (1, 9)), tail(Kind::Windows, (9, 34))];
    disk(style, 35, &parts)
}

pub fn relocate_twice() -> Case {
    with(case(first_tail(Style::Gpt).build(), "relocate"), request(14), 2)
}

pub fn relocate_twice_mbr() -> Case {
    with(case(first_tail(Style::Mbr).build(), "relocate"), request(14), 2)
}

/// The front cannot grow for lack of space in the volume before, which gets the old place.
pub fn reclaim() -> Case {
    let mut parts = [
        part(Kind::Data, (1, 9)),
        part(Kind::Recovery, (9, 17)),
        part(Kind::Foreign, (17, 18)),
        tail(Kind::Windows, (18, 38)),
    ];
    parts[0].fill = 4400;
    let request = Request {
        reclaim: true,
        ..request(12)
    };
    with(case(disk(Style::Gpt, 39, &parts).build(), "relocate"), request, 2)
}

pub fn remove_stale() -> Case {
    let parts = [
        part(Kind::Windows, (1, 16)),
        part(Kind::Stale, (16, 23)),
        part(Kind::Recovery, (23, 31)),
    ];
    let request = Request {
        remove_stale: Some(2),
        ..request(12)
    };
    with(
        case(disk(Style::Gpt, 32, &parts).build(), "grow-front"),
        request,
        1,
    )
}

pub fn mbr_primary() -> Case {
    let parts = [
        part(Kind::System, (1, 5)),
        tail(Kind::Windows, (5, 25)),
        part(Kind::Recovery, (25, 33)),
    ];
    case(disk(Style::Mbr, 34, &parts).build(), "shrink+grow-front")
}

fn logical_disk(sector_size: SectorSize) -> MemoryDevice {
    let parts = [
        part(Kind::System, (1, 5)),
        logical(Kind::Windows, (6, 26), 2048),
        logical(Kind::Recovery, (27, 35), 2048),
        logical(Kind::Data, (36, 43), 2048),
    ];
    let disk = Disk {
        extended: Some((5 * 2048, 44 * 2048)),
        extended_after: 1,
        ..disk(Style::Mbr, 45, &parts)
    };
    disk.with_sectors(sector_size).build()
}

pub fn mbr_logical() -> Case {
    case(logical_disk(SectorSize::B512), "shrink+grow-front")
}

pub fn mbr_logical_4096() -> Case {
    case(logical_disk(SectorSize::B4096), "shrink+grow-front")
}

pub fn primary_damaged() -> Case {
    let mut case = shrink();
    poke(&mut case.old, 512 + 40, &[0xff]);
    case
}

pub fn backup_damaged() -> Case {
    let mut case = shrink();
    let end = case.old.size();
    poke(&mut case.old, end - 512 + 40, &[0xff]);
    case
}

pub fn disk_has_grown() -> Case {
    let mut bytes = plain().build().bytes().to_vec();
    bytes.resize(bytes.len() + 8 * MIB as usize, 0);
    case(MemoryDevice::from_bytes(bytes, SectorSize::B512), "grow-end")
}

/// A disk whose only volume is C:, with an image that `reagentc /disable` has put there. It ends at `end`, in MiB of `size`.
fn without_recovery(end: u64, size: u64) -> MemoryDevice {
    let lba = |mib: u64| Lba(mib * MIB / 512);
    let mut device = MemoryDevice::zeroed((size * MIB) as usize, SectorSize::B512);
    let mut gpt = Gpt::new(disk_guid(), lba(size).0, SectorSize::B512).expect("a table");
    gpt.add(Partition {
        number: 2,
        type_guid: types::PARTITION_BASIC_DATA_GUID,
        unique_guid: Guid::from_u128(77),
        range: LbaRange::new(lba(1), lba(end)),
        attributes: 0,
        name: PartitionName::new("Basic data partition").expect("a name"),
    })
    .expect("room");
    gpt.write_protective_mbr(&mut device).expect("room");
    gpt.write(&mut device).expect("room");
    let options = FormatOptions {
        hidden_sectors: lba(1).0,
        ..FormatOptions::new(lba(end - 1).0)
    };
    let mut volume = VolumeBuilder::new(options).expect("a volume");
    let noise = crate::common::disks::noise(1 << 20, 3);
    let files = [
        (
            r"Windows\System32\Recovery\ReAgent.xml",
            FileData::Bytes(ReAgentTemplate::default().to_bytes()),
        ),
        (
            r"Windows\System32\Recovery\Winre.wim",
            crate::common::disks::wim(),
        ),
        (
            r"Windows\Boot\DVD\EFI\boot.sdi",
            FileData::Bytes(vec![0x5D; 30_000]),
        ),
        (r"Users\noise.bin", FileData::Bytes(noise)),
    ];
    for (path, data) in files {
        volume.add_file(path, 0, data).expect("room");
    }
    let mut part = Window::new(&mut device, ByteRange::new(MIB, end * MIB)).expect("on the disk");
    volume.write_to(&mut part).expect("room");
    device
}

pub fn create() -> Case {
    case(without_recovery(24, 64), "create")
}

pub fn create_twice() -> Case {
    with(case(without_recovery(39, 40), "create"), request(12), 2)
}

fn to_reset(sector_size: SectorSize) -> Case {
    let layout = Layout {
        sector_size,
        ..layout(&[("wuauserv", 4), ("BITS", 4), ("TrustedInstaller", 4)])
    };
    Case {
        asked: Asked::Reset(ALL),
        ..case(layout.build(), "reset-update")
    }
}

pub fn reset() -> Case {
    to_reset(SectorSize::B512)
}

pub fn reset_4096() -> Case {
    to_reset(SectorSize::B4096)
}
