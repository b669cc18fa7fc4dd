//! The events of Windows that lab disks have: providers, identifiers, fields.
//!
//! Providers, levels and fields of WindowsUpdateClient, Service Control Manager, Kernel-General and EventLog are as in a
//! System.evtx of Windows 10; those of WinREAgent as in its published schema. The strings of MsiInstaller follow
//! Microsoft's list of its messages; of Defrag 259 the message is known, the order of its strings is made up after it.

use crate::evidence::{Happening, Past};
use crate::evtx::{Event, Payload, Provider, Value};
use crate::time::{MINUTE, SECOND};
use uuid::{Uuid, uuid};

/// Bit of the keywords of classic events.
const CLASSIC: u64 = 0x0080_0000_0000_0000;
/// Bit of the keywords of events with a manifest.
const MANIFEST: u64 = 0x8000_0000_0000_0000;
/// Name space of the GUIDs of updates, made from their titles.
const UPDATES: Uuid = uuid!("7b6f3c52-0f0e-4d55-8a6c-6c1f2a6de0a4");
/// Windows Update itself, as events have it.
pub(crate) const UPDATE_SERVICE: Uuid = uuid!("8b24b027-1dee-babb-9a95-3517dfb9c552");

const UPDATE_CLIENT: Provider = Provider::Manifest {
    name: "Microsoft-Windows-WindowsUpdateClient",
    guid: uuid!("945a8954-c147-4acd-923f-40c45405a658"),
};
const WINRE_AGENT: Provider = Provider::Manifest {
    name: "Microsoft-Windows-WinREAgent",
    guid: uuid!("1f7a6c55-5532-573b-35b7-2107e43a6ef5"),
};
const KERNEL_GENERAL: Provider = Provider::Manifest {
    name: "Microsoft-Windows-Kernel-General",
    guid: uuid!("a68ca8b7-004f-d7b6-a698-07e2de0f1f5d"),
};
const TIME_SERVICE: Provider = Provider::Manifest {
    name: "Microsoft-Windows-Time-Service",
    guid: uuid!("06edcfeb-0fd0-4e53-acca-a6f8bbf81bcb"),
};
const SERVICE_MANAGER: Provider = Provider::ManifestSource {
    name: "Service Control Manager",
    guid: "{555908d1-a6d7-4695-8e1e-26931d2012f4}",
    source: "Service Control Manager",
};
const EVENT_LOG: Provider = Provider::Classic { name: "EventLog" };
const INSTALLER: Provider = Provider::Classic { name: "MsiInstaller" };
const DEFRAG: Provider = Provider::Classic {
    name: "Microsoft-Windows-Defrag",
};

/// The GUID of the update of that title.
pub(crate) fn update_guid(title: &str) -> Uuid {
    Uuid::new_v5(&UPDATES, title.as_bytes())
}

/// Whether the events of it are in `Application.evtx` instead of `System.evtx`.
pub(crate) fn is_application(what: &Happening) -> bool {
    matches!(
        what,
        Happening::InstallerFailed { .. } | Happening::ShrinkAnalysed { .. }
    )
}

/// The events of something that happened.
pub(crate) fn of(past: &Past) -> Vec<Event> {
    let time = past.time;
    match past.what {
        Happening::UpdateDownloading(title) => vec![update(time, 44, title, None)],
        Happening::UpdateStarted(title) => vec![update(time, 43, title, None)],
        Happening::UpdateInstalled(title) => vec![update(time, 19, title, None)],
        Happening::UpdateFailed { title, code } => vec![update(time, 20, title, Some(code))],
        Happening::ServicingStarted => vec![servicing(time, 4500, Payload::Empty)],
        Happening::ServicingSucceeded { version } => {
            vec![servicing(
                time,
                4501,
                Payload::Named(vec![("Version", text(version))]),
            )]
        }
        Happening::ServicingFailed { phase, code } => {
            let fields = vec![
                ("ErrorPhase", Value::Int32(phase)),
                ("Errorcode", Value::Int32(code as i32)),
            ];
            vec![servicing(time, 4502, Payload::Named(fields))]
        }
        Happening::ServicingCancelled => vec![servicing(time, 4503, Payload::Empty)],
        Happening::ServicingRolledBack => vec![servicing(time, 4504, Payload::Empty)],
        Happening::ServiceNotStarted { service, error } => {
            let fields = vec![
                ("param1", text(service)),
                ("param2", Value::Text(format!("%%{error}"))),
            ];
            vec![manager(time, 7000, 49_152, 2, fields)]
        }
        Happening::StartTypeChanged {
            service,
            name,
            from,
            to,
        } => {
            vec![start_type(time, service, name, from, to)]
        }
        Happening::InstallerFailed {
            product,
            version,
            manufacturer,
        } => installer_failed(time, product, version, manufacturer),
        Happening::ShrinkAnalysed { file, last_cluster } => vec![shrink_analysed(time, file, last_cluster)],
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// An event without anything special.
fn plain(time: u64, provider: Provider, id: u16, payload: Payload) -> Event {
    Event {
        time,
        provider,
        id,
        qualifiers: None,
        version: 0,
        level: 4,
        task: 0,
        opcode: 0,
        keywords: MANIFEST,
        activity: None,
        process: (4, 8),
        by_system: true,
        payload,
    }
}

fn update(time: u64, id: u16, title: &str, code: Option<u32>) -> Event {
    let mut fields = vec![
        ("updateTitle", text(title)),
        ("updateGuid", Value::Guid(update_guid(title))),
        ("updateRevisionNumber", Value::UInt32(200)),
    ];
    if id == 19 || id == 20 {
        fields.push(("serviceGuid", Value::Guid(UPDATE_SERVICE)));
    }
    if let Some(code) = code {
        fields.insert(0, ("errorCode", Value::HexInt32(code)));
    }
    Event {
        version: 1,
        level: if id == 20 { 2 } else { 4 },
        task: 1,
        opcode: if id == 44 { 12 } else { 13 },
        keywords: MANIFEST
            | match id {
                19 => 0x18,
                20 => 0x28,
                43 => 0x2008,
                _ => 0x2004,
            },
        process: (2876, 3472),
        ..plain(time, UPDATE_CLIENT, id, Payload::Named(fields))
    }
}

fn servicing(time: u64, id: u16, payload: Payload) -> Event {
    Event {
        level: if id == 4502 { 2 } else { 4 },
        // One servicing is one activity; the day tells them apart.
        activity: Some(Uuid::new_v5(&UPDATES, &(time / crate::time::DAY).to_le_bytes())),
        process: (5120, 6044),
        ..plain(time, WINRE_AGENT, id, payload)
    }
}

fn manager(time: u64, id: u16, qualifiers: u16, level: u8, fields: Vec<(&'static str, Value)>) -> Event {
    Event {
        qualifiers: Some(qualifiers),
        level,
        keywords: MANIFEST | CLASSIC,
        process: (596, 2520),
        by_system: id == 7040,
        ..plain(time, SERVICE_MANAGER, id, Payload::Named(fields))
    }
}

fn start_type(time: u64, service: &str, name: &str, from: &str, to: &str) -> Event {
    let fields = vec![
        ("param1", text(service)),
        ("param2", text(from)),
        ("param3", text(to)),
        ("param4", text(name)),
    ];
    manager(time, 7040, 16_384, 4, fields)
}

fn classic(
    time: u64,
    provider: Provider,
    id: u16,
    qualifiers: u16,
    strings: Vec<String>,
    binary: Vec<u8>,
) -> Event {
    Event {
        qualifiers: Some(qualifiers),
        keywords: CLASSIC,
        by_system: false,
        ..plain(time, provider, id, Payload::Strings { strings, binary })
    }
}

fn installer_failed(time: u64, product: &str, version: &str, manufacturer: &str) -> Vec<Event> {
    let null = || "(NULL)".to_owned();
    let guid = update_guid(product)
        .braced()
        .to_string()
        .to_uppercase()
        .into_bytes();
    let failed = vec![
        format!("Product: {product} -- Installation failed."),
        null(),
        null(),
        null(),
        null(),
        null(),
        String::new(),
    ];
    let status = vec![
        product.to_owned(),
        version.to_owned(),
        "1033".to_owned(),
        "1603".to_owned(),
        manufacturer.to_owned(),
        null(),
        String::new(),
    ];
    let event = |time, id, strings| Event {
        by_system: true,
        ..classic(time, INSTALLER, id, 0, strings, guid.clone())
    };
    vec![event(time, 11_708, failed), event(time + SECOND, 1033, status)]
}

fn shrink_analysed(time: u64, file: &str, last_cluster: u64) -> Event {
    let strings = vec![
        "(C:)".to_owned(),
        file.to_owned(),
        format!("{last_cluster:#x}"),
        format!("{:#x}", last_cluster / 2),
        "-S--D".to_owned(),
        "<analysis>".to_owned(),
        format!("fsutil volume querycluster C: {last_cluster:#x}"),
    ];
    classic(time, DEFRAG, 259, 0, strings, Vec::new())
}

/// Services that come and go, with their names.
const BUSY: &[(&str, &str)] = &[
    ("Windows Update", "wuauserv"),
    ("Background Intelligent Transfer Service", "BITS"),
    ("Windows Modules Installer", "TrustedInstaller"),
    ("Delivery Optimization", "DoSvc"),
    ("Update Orchestrator Service", "UsoSvc"),
    ("Software Protection", "sppsvc"),
    ("Microsoft Account Sign-in Assistant", "wlidsvc"),
    ("Windows Biometric Service", "WbioSrvc"),
    ("Windows Error Reporting Service", "WerSvc"),
    ("Volume Shadow Copy", "VSS"),
];

/// The hives that programs load and unload.
const HIVES: &[&str] = &[
    r"\??\C:\Windows\AppCompat\Programs\Amcache.hve",
    r"\??\C:\Users\Administrator\NTUSER.DAT",
    r"\SystemRoot\System32\Config\SOFTWARE",
];

/// The event of this number among those that fill a System.evtx every day.
pub(crate) fn everyday(number: u64, time: u64) -> Event {
    let round = number / 10;
    let (service, name) = BUSY[(round as usize + number as usize) % BUSY.len()];
    match number % 10 {
        1 if round.is_multiple_of(6) => {
            let title = format!(
                "Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.403.{round}.0) - \
                 Current Channel (Broad)"
            );
            update(time, 19, &title, None)
        }
        3 => {
            let hive = HIVES[round as usize % HIVES.len()];
            let fields = vec![
                ("HiveNameLength", Value::UInt32(hive.len() as u32)),
                ("HiveName", text(hive)),
                ("KeysUpdated", Value::UInt32((number % 900) as u32)),
                ("DirtyPages", Value::UInt32((number % 90) as u32)),
            ];
            plain(time, KERNEL_GENERAL, 16, Payload::Named(fields))
        }
        9 if round.is_multiple_of(5) => Event {
            by_system: false,
            ..plain(
                time,
                TIME_SERVICE,
                35,
                Payload::Titled {
                    title: "TMP_EVENT_TIME_SOURCE_CHOSEN",
                    fields: vec![
                        ("TimeSource", text("time.windows.com,0x9")),
                        ("TimeSourceRefId", Value::UInt32(638_694_196)),
                        ("CurrentStratumNumber", Value::UInt32(3)),
                    ],
                },
            )
        },
        6 if round.is_multiple_of(4) => {
            let uptime = (number * 3600).to_string();
            let strings = ["", "", "", "", &uptime, "60", "0 UTC"]
                .map(str::to_owned)
                .to_vec();
            classic(time, EVENT_LOG, 6013, 32_768, strings, Vec::new())
        }
        6 => {
            let both = ["demand start", "auto start"];
            let (from, to) = if round.is_multiple_of(2) {
                (both[0], both[1])
            } else {
                (both[1], both[0])
            };
            start_type(time, "Background Intelligent Transfer Service", "BITS", from, to)
        }
        step => {
            let state = if step % 2 == 0 { "running" } else { "stopped" };
            // The service and its state once more, for programs: "wuauserv/4".
            let short = format!("{name}/{}\0", if step % 2 == 0 { 4 } else { 1 });
            let binary = short.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let fields = vec![
                ("param1", text(service)),
                ("param2", text(state)),
                ("", Value::Binary(binary)),
            ];
            manager(time, 7036, 16_384, 4, fields)
        }
    }
}

/// The events of a start of the computer.
pub(crate) fn start_of_windows(time: u64, build: u32) -> Vec<Event> {
    let fields = vec![
        ("MajorVersion", Value::UInt32(10)),
        ("MinorVersion", Value::UInt32(0)),
        ("BuildVersion", Value::UInt32(build)),
        ("StartTime", Value::FileTime(time)),
    ];
    let about = ["10.00.", &build.to_string(), "", "Multiprocessor Free", "0"].map(str::to_owned);
    vec![
        plain(time, KERNEL_GENERAL, 12, Payload::Named(fields)),
        classic(time + MINUTE, EVENT_LOG, 6009, 32_768, about.to_vec(), Vec::new()),
        classic(time + MINUTE, EVENT_LOG, 6005, 32_768, Vec::new(), vec![0; 24]),
    ]
}

/// The event of this number among those that fill an Application.evtx every day.
pub(crate) fn everyday_application(number: u64, time: u64) -> Event {
    let package = format!(r"C:\Windows\Installer\{:x}.msi", 0x1a2b3 + number);
    let id = if number.is_multiple_of(2) { 1040 } else { 1042 };
    let strings = vec![package, (3000 + number).to_string(), "(NULL)".to_owned()];
    classic(time, INSTALLER, id, 0, strings, Vec::new())
}
