//! Event logs and text logs: full to the brim, and made so that reading them is as dear as can be.

use crate::common::image::Image;
use crate::disks::{Disk, bytes};
use crate::measure::{USUAL, all, alone, budget};
use winrefit_lab::evtx::{Event, LogName, LogWriter, Payload, Provider, Value};
use winrefit_lab::{CreateOptions, Profile, create};
use winrefit_ntfs::format::FileData;

const SYSTEM: &str = r"Windows\System32\winevt\Logs\System.evtx";
const APPLICATION: &str = r"Windows\System32\winevt\Logs\Application.evtx";
const UPDATES: Provider = Provider::Manifest {
    name: "Microsoft-Windows-WindowsUpdateClient",
    guid: uuid::Uuid::from_u128(0x945a_8954_c147_4acd_923f_40c4_5405_a658),
};
const INSTALLER: Provider = Provider::Classic { name: "MsiInstaller" };

fn event(provider: Provider, id: u16, number: u64, payload: Payload) -> Event {
    Event {
        time: 133_485_408_000_000_000 + number,
        provider,
        id,
        qualifiers: None,
        version: 0,
        level: 2,
        task: 1,
        opcode: 13,
        keywords: 1 << 63,
        activity: None,
        process: (4, 8),
        by_system: true,
        payload,
    }
}

/// A log of so many events, each as `payload` makes it.
fn log(channel: &'static str, count: u64, make: impl Fn(u64) -> Event) -> Vec<u8> {
    let computer = "PC";
    let mut writer = LogWriter::new(LogName { channel, computer }, false);
    (0..count).for_each(|number| writer.push(&make(number)));
    writer.finish()
}

/// A System log of 128 MiB as the lab makes them, on a whole Windows disk.
#[test]
fn a_system_log_of_128_mib() {
    let _alone = alone();
    let profile = Profile::find("server2022").unwrap();
    let options = CreateOptions {
        files: Some(200),
        event_log: Some(128 << 20),
        ..CreateOptions::default()
    };
    let mut image = Image::new(profile.disk_size_bytes, 512);
    create(profile, &options, &mut image).unwrap();
    let outcomes = all("System.evtx of 128 MiB", image, (USUAL, USUAL));
    assert!(outcomes.diagnose.is_ok() && outcomes.plan.is_ok());
}

/// Failed updates, each with a title that fills a chunk.
#[test]
fn events_of_60_kib() {
    let _alone = alone();
    let title = "\u{9519}".repeat(29_000);
    let full = |number| {
        let fields = vec![
            ("updateTitle", Value::Text(title.clone())),
            ("errorCode", Value::HexInt32(0x8007_0643)),
        ];
        event(UPDATES, 20, number, Payload::Named(fields))
    };
    let installer = |number| {
        let strings = vec!["1603".to_owned(), title.clone()];
        let binary = Vec::new();
        event(INSTALLER, 11708, number, Payload::Strings { strings, binary })
    };
    let files = vec![
        bytes(SYSTEM, log("System", 1000, full)),
        bytes(APPLICATION, log("Application", 600, installer)),
    ];
    let disk = Disk {
        mib: 260,
        border: 230,
        ..Disk::with(files)
    };
    all("events of 60 KiB", disk.build(), (USUAL, USUAL));
}

/// Every record of every chunk mentions the wanted providers, and none is theirs.
#[test]
fn records_full_of_wanted_names() {
    let _alone = alone();
    let names = "Microsoft-Windows-WindowsUpdateClient Microsoft-Windows-WinREAgent ".repeat(6);
    let make = |number| {
        let strings = vec![names.clone(); 8];
        let provider = Provider::Classic { name: "Somebody" };
        let binary = Vec::new();
        event(provider, 20, number, Payload::Strings { strings, binary })
    };
    let disk = Disk {
        mib: 220,
        border: 190,
        ..Disk::with(vec![bytes(SYSTEM, log("System", 9000, make))])
    };
    all(
        "records full of wanted names",
        disk.build(),
        (USUAL, budget(64, 60)),
    );
}

fn long(path: &str, size: u64, end: Vec<u8>) -> (String, FileData) {
    let pieces = vec![(size - end.len() as u64, end)];
    (path.to_owned(), FileData::Zeroed { size, pieces })
}

/// Text logs of a GiB: one of a single line, one of empty lines, one in which every line is a result.
#[test]
fn text_logs_of_a_gib() {
    let _alone = alone();
    let results: Vec<u8> = (0..60_000)
        .flat_map(|at| {
            let line = format!(
                "2024-01-09 10:{:02}:00, Error CBS 0x80070643 KB{at} WinRE partition 0x800f0828\r\n",
                at % 60
            );
            line.into_bytes()
        })
        .collect();
    let files = vec![
        long(r"Windows\Logs\CBS\CBS.log", 1 << 30, vec![b'x'; 6 << 20]),
        long(r"Windows\Logs\ReAgent\ReAgent.log", 1 << 30, vec![b'\n'; 6 << 20]),
        long(
            r"Windows\Panther\setupact.log",
            1 << 30,
            b"\xff\xfe\n\0".repeat(1 << 20),
        ),
        long(r"Windows\Logs\WinREAgent\setupact.log", 1 << 30, results.clone()),
        long(
            r"Windows\SoftwareDistribution\ReportingEvents.log",
            1 << 30,
            results,
        ),
    ];
    let disk = Disk {
        mib: 6 << 10,
        border: (6 << 10) - 30,
        ..Disk::with(files)
    };
    let outcomes = all("text logs of a GiB", disk.build(), (USUAL, USUAL));
    assert!(outcomes.diagnose.is_ok());
}
