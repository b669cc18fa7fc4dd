//! Disks on which the power is cut.

use crate::common::disks::{Disk, Kind, Part, Style, disk, logical, part};
use crate::common::{MIB, poke};
use winrefit_disk::{MemoryDevice, ReadAt, SectorSize};
use winrefit_repair::plan::Request;

pub struct Case {
    pub name: &'static str,
    pub old: MemoryDevice,
    pub request: Request,
    /// What the plan has to be, and whether it takes two commits.
    pub strategy: &'static str,
    pub is_double: bool,
}

fn request(size: u64) -> Request {
    Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    }
}

fn tail(kind: Kind, mib: (u64, u64)) -> Part {
    Part {
        tail: true,
        ..part(kind, mib)
    }
}

fn case(name: &'static str, disk: &Disk, request: Request, strategy: &'static str) -> Case {
    Case {
        name,
        old: disk.build(),
        request,
        strategy,
        is_double: false,
    }
}

pub fn relocations() -> Vec<Case> {
    let first = [part(Kind::Recovery, (1, 9)), part(Kind::Windows, (9, 24))];
    let first_tail = [part(Kind::Recovery, (1, 9)), tail(Kind::Windows, (9, 34))];
    let reclaim = [
        part(Kind::Data, (1, 9)),
        part(Kind::Recovery, (9, 17)),
        part(Kind::Foreign, (17, 18)),
        tail(Kind::Windows, (18, 38)),
    ];
    // The front cannot grow for lack of space in the volume before.
    let mut full = reclaim.clone();
    full[0].fill = 4400;
    let two = |case: Case| Case {
        is_double: true,
        ..case
    };
    vec![
        case(
            "to unallocated space",
            &disk(Style::Gpt, 44, &first),
            request(14),
            "relocate",
        ),
        two(case(
            "in two commits",
            &disk(Style::Gpt, 35, &first_tail),
            request(14),
            "relocate",
        )),
        two(case(
            "in two commits, old place given away",
            &disk(Style::Gpt, 39, &full),
            Request {
                reclaim: true,
                ..request(12)
            },
            "relocate",
        )),
        two(case(
            "in two commits, MBR",
            &disk(Style::Mbr, 35, &first_tail),
            request(14),
            "relocate",
        )),
    ]
}

fn logical_disk(sector_size: SectorSize) -> Disk {
    let parts = [
        part(Kind::System, (1, 5)),
        logical(Kind::Windows, (6, 26), 2048),
        logical(Kind::Recovery, (27, 35), 2048),
        logical(Kind::Data, (36, 43), 2048),
    ];
    Disk {
        extended: Some((5 * 2048, 44 * 2048)),
        extended_after: 1,
        ..disk(Style::Mbr, 45, &parts)
    }
    .with_sectors(sector_size)
}

pub fn others() -> Vec<Case> {
    let bios = [
        part(Kind::System, (1, 5)),
        tail(Kind::Windows, (5, 25)),
        part(Kind::Recovery, (25, 33)),
    ];
    let stale = [
        part(Kind::Windows, (1, 16)),
        part(Kind::Stale, (16, 23)),
        part(Kind::Recovery, (23, 31)),
    ];
    let usual = [part(Kind::Windows, (1, 24)), part(Kind::Recovery, (24, 32))];
    let mut cases = vec![
        case(
            "MBR primary",
            &disk(Style::Mbr, 34, &bios),
            request(12),
            "shrink+grow-front",
        ),
        case(
            "MBR logical",
            &logical_disk(SectorSize::B512),
            request(12),
            "shrink+grow-front",
        ),
        case(
            "MBR logical, 4096",
            &logical_disk(SectorSize::B4096),
            request(12),
            "shrink+grow-front",
        ),
        case(
            "leftover removed",
            &disk(Style::Gpt, 32, &stale),
            Request {
                remove_stale: Some(2),
                ..request(12)
            },
            "grow-front",
        ),
        case(
            "primary damaged",
            &disk(Style::Gpt, 33, &usual),
            request(12),
            "shrink+grow-front",
        ),
        case(
            "backup damaged",
            &disk(Style::Gpt, 33, &usual),
            request(12),
            "shrink+grow-front",
        ),
        case(
            "disk has grown",
            &disk(Style::Gpt, 33, &usual),
            request(12),
            "grow-end",
        ),
    ];
    poke(&mut cases[4].old, 512 + 40, &[0xff]);
    let end = cases[5].old.size();
    poke(&mut cases[5].old, end - 512 + 40, &[0xff]);
    let mut bytes = cases[6].old.bytes().to_vec();
    bytes.resize(bytes.len() + 8 * MIB as usize, 0);
    cases[6].old = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    cases
}
