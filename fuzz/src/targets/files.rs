//! Larger files: the input is a valid file of the lab by its number, and changes of it; or, behind the highest number, a
//! file. Checksums are set right behind the changes, unless the input says otherwise.

use super::input::{Input, changes};
use super::{bases, parsers, sums};
use std::sync::OnceLock;
use winrefit_disk::ReadAt;
use winrefit_formats::evtx::{Group, Limits, Wanted};
use winrefit_formats::hive::{Hive, HiveEdit, HiveError, Key, RegistryValue, open_with_logs};
use winrefit_formats::{Bcd, BcdPartition, EventLog};

/// The file that the input means: one of `bases`, changed, or the input itself. `mend` sets checksums right.
fn file(data: &[u8], bases: &[Vec<u8>], mend: fn(&mut [u8])) -> Vec<u8> {
    let mut input = Input(data);
    let first = input.number(1) as usize;
    let is_mended = first & 0x80 == 0;
    let mut file = match bases.get(first & 0x7F) {
        Some(base) => {
            let mut file = base.clone();
            let length = input.below(0x100);
            // A file that was cut off.
            if length % 4 == 1 {
                file.truncate(file.len() * length / 0x100);
            }
            changes(&mut input, &mut file);
            file
        }
        None => input.0.to_vec(),
    };
    if is_mended {
        mend(&mut file);
    }
    file
}

const KEYS_MAX: usize = 2000;

/// Visits keys and values to a limit, as no caller does.
fn walk(key: &Key<'_>, depth: usize, left: &mut usize) -> Result<(), HiveError> {
    if *left == 0 || depth > 40 {
        return Ok(());
    }
    *left -= 1;
    let _ = (key.name(), key.last_written());
    for value in key.values()?.take(200) {
        let Ok(value) = value else { continue };
        let _ = (value.name(), value.kind());
        let data = value.data();
        if let (Ok(data), Ok(ranges)) = (&data, value.data_ranges()) {
            assert_eq!(
                data.len() as u64,
                ranges.iter().map(|range| range.len()).sum::<u64>()
            );
        }
        if let Ok(value) = value.decode() {
            let _ = (value.as_u64(), value.as_str().map(str::len));
        }
    }
    for subkey in key.subkeys()?.take(500) {
        let Ok(subkey) = subkey else { continue };
        let _ = key.subkey(subkey.name());
        let _ = walk(&subkey, depth + 1, left);
    }
    Ok(())
}

const SELECT: &str = "Select";

fn hives() -> &'static [Vec<u8>] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        vec![
            bases::windows_file(r"Windows\System32\config\SYSTEM"),
            bases::windows_file(r"Windows\System32\config\SOFTWARE"),
            bases::boot_store(),
        ]
    })
}

/// A hive and its log: opened, gone through, looked up, edited.
pub fn hive(data: &[u8]) {
    let mut input = Input(data);
    let is_logged = input.number(1) & 1 == 1;
    let (file, log) = if is_logged {
        interrupted(&mut input)
    } else {
        (file(input.0, hives(), sums::hive), Vec::new())
    };
    let logs: [&dyn ReadAt; 1] = [&log];
    if let Ok(current) = open_with_logs(&file, &logs) {
        let _ = (current.is_current(), current.replay());
        if let Ok(hive) = current.hive() {
            look(&hive);
        }
    }
    if let Ok(hive) = Hive::open(&file) {
        look(&hive);
    }
    edit(file, &logs);
}

/// A dirty hive and the log that completes it, both changed.
fn interrupted(input: &mut Input<'_>) -> (Vec<u8>, Vec<u8>) {
    let base = &hives()[0];
    let mut new = base.clone();
    let at = new.len() / 2;
    new[at] ^= 1;
    let last = new.len() - 1;
    new[last] ^= 0x10;
    let (mut hive, mut log) = winrefit_lab::hive::interrupted(base, &new);
    // What follows the log's head may be old entries.
    let split = input.number(1) as usize % (input.0.len() + 1);
    let (of_log, of_hive) = input.0.split_at(split);
    changes(&mut Input(of_log), &mut log);
    changes(&mut Input(of_hive), &mut hive);
    sums::hive_log(&mut log);
    sums::hive(&mut hive);
    (hive, log)
}

fn look(hive: &Hive<'_>) {
    let _ = (hive.is_dirty(), hive.last_written());
    if let Ok(root) = hive.root() {
        let mut left = KEYS_MAX;
        let _ = walk(&root, 0, &mut left);
    }
    let set = hive.current_control_set().ok().flatten().unwrap_or_default();
    for path in [
        SELECT,
        r"Microsoft\Windows NT\CurrentVersion",
        &format!(r"{set}\Services\wuauserv"),
        "Objects",
    ] {
        let _ = (
            hive.has_key(path),
            hive.dword(path, "Start"),
            hive.string(path, "ProductName"),
        );
        let _ = hive.strings(path, "DependOnService");
        if let Ok(Some(keys)) = hive.subkeys(path, 10) {
            assert!(keys.keys.len() <= 10);
        }
    }
}

/// An edit changes the value it is of, to what it says, and the hive is as good as before.
fn edit(file: Vec<u8>, logs: &[&dyn ReadAt]) {
    for (path, name) in [
        (r"ControlSet001\Services\wuauserv", "Start"),
        (r"Microsoft\Windows NT\CurrentVersion", "CurrentBuild"),
    ] {
        let Ok(mut edit) = HiveEdit::begin(&file, logs) else {
            return;
        };
        let Ok(Some(key)) = edit.hive().key(path) else {
            continue;
        };
        let Ok(Some(value)) = key.value(name) else {
            continue;
        };
        let Ok(mut data) = value.data() else { continue };
        let (kind, length) = (value.kind(), data.len());
        data.fill(3);
        if edit.overwrite(path, name, &data).is_err() {
            continue;
        }
        let writes = edit.writes().expect("memory can be read");
        let mut after = file.clone();
        for write in &writes {
            let at = write.offset as usize;
            after[at..at + write.bytes.len()].copy_from_slice(&write.bytes);
        }
        assert_eq!(after.len(), file.len());
        let hive = Hive::open(&after).expect("an edited hive opens");
        assert!(!hive.is_dirty());
        // Where the data lies in cells that hold the way to it, the hive was damaged before.
        let changed: usize = writes.iter().map(|write| write.bytes.len()).sum();
        assert!(changed <= length, "{changed} bytes for {length} of type {kind}");
        if let Ok(Some(RegistryValue::Dword(number))) = hive.value(path, name) {
            assert!(number == 0x0303_0303 || length == 0);
        }
    }
}

/// A boot store: read, followed, made to name another partition.
pub fn bcd(data: &[u8]) {
    let store = file(data, &hives()[2..], sums::hive);
    let Ok(hive) = Hive::open(&store) else { return };
    let Ok(bcd) = Bcd::read(&hive) else { return };
    let _ = (
        bcd.default_loader(),
        bcd.default_winre(),
        bcd.unknown_devices().len(),
    );
    for object in bcd.objects().iter().take(50) {
        let _ = bcd.winre_of(object.id);
    }
    let _ = bcd.loaders_with_recovery().count();
    let partitions: Vec<BcdPartition> = bcd
        .objects()
        .iter()
        .flat_map(|object| &object.elements)
        .filter_map(|element| match &element.value {
            winrefit_formats::bcd::ElementValue::Device(device) => device.kind.partition(),
            _ => None,
        })
        .collect();
    for from in partitions.iter().take(4) {
        let to = moved(*from);
        let Ok(edits) = bcd.repoint(from, &to) else {
            continue;
        };
        let Ok(mut edit) = HiveEdit::begin(&store, &[]) else {
            continue;
        };
        if edits.iter().any(|one| one.apply(&mut edit).is_err()) {
            continue;
        }
        let mut after = store.clone();
        for write in edit.writes().expect("memory can be read") {
            let at = write.offset as usize;
            after[at..at + write.bytes.len()].copy_from_slice(&write.bytes);
        }
        let _ = Bcd::read(&Hive::open(&after).expect("an edited store opens"));
    }
}

fn moved(from: BcdPartition) -> BcdPartition {
    match from {
        BcdPartition::Gpt { disk, .. } => BcdPartition::Gpt {
            disk,
            partition: winrefit_formats::Guid::from_u128(77),
        },
        BcdPartition::Mbr { signature, .. } => BcdPartition::Mbr {
            signature,
            offset: 0x7777_0000,
        },
    }
}

fn event_logs() -> &'static [Vec<u8>] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let logs = r"Windows\System32\winevt\Logs";
        let whole = bases::windows_file(&format!(r"{logs}\System.evtx"));
        let mut one = whole.clone();
        // One chunk: less to do for each input.
        one.truncate(4096 + 0x1_0000);
        vec![
            one,
            bases::windows_file(&format!(r"{logs}\Application.evtx")),
            whole,
        ]
    })
}

/// An event log, read as the diagnosis reads it.
pub fn evtx(data: &[u8]) {
    let file = file(data, event_logs(), sums::evtx);
    let groups = [
        Group {
            wanted: &[
                Wanted {
                    provider: "Microsoft-Windows-WindowsUpdateClient",
                    ids: &[19, 20, 43, 44],
                },
                Wanted {
                    provider: "Microsoft-Windows-WinREAgent",
                    ids: &[4500, 4501, 4502, 4503, 4504],
                },
            ],
            events_max: 2000,
        },
        Group {
            wanted: &[Wanted {
                provider: "MsiInstaller",
                ids: &[],
            }],
            events_max: 3,
        },
    ];
    if let Ok(log) = EventLog::read_groups(&file, &groups, Limits::default().bytes_max) {
        assert!(log.events.len() <= 2003);
        for damage in &log.damage {
            let _ = damage.to_string();
        }
        for event in &log.events {
            let _ = format!("{event:?}");
        }
    }
}

fn wims() -> &'static [Vec<u8>] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let template = winrefit_formats::WimTemplate {
            guid: winrefit_formats::Guid::from_u128(5),
            name: "Microsoft Windows Recovery Environment (x64)".to_owned(),
            version: winrefit_formats::WimVersion {
                major: 10,
                minor: 0,
                build: 20348,
                sp_build: 587,
            },
            architecture: winrefit_formats::WimArchitecture::Amd64,
            size_bytes: 0,
        };
        let skeleton = template.build();
        vec![[skeleton.head, skeleton.tail].concat()]
    })
}

pub fn wim(data: &[u8]) {
    parsers::wim(&file(data, wims(), |_| ()));
}
