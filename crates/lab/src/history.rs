//! The files in which a lab Windows keeps its past: event logs, hives, log files, folders of Windows Update.

use crate::content::{self, ARCHIVE, HIDDEN, SYSTEM};
use crate::evidence::{EvidenceSpec, HiveState, RegistryFact};
use crate::hive::{self, HiveError};
use crate::identity::TIME;
use crate::profile::Profile;
use crate::software::software_hive;
use crate::sources::Generated;
use crate::system_hive::system_hive;
use crate::volumes::NewFile;
use crate::{eventlogs, textlogs};
use winrefit_ntfs::format::FileData;

/// Length of the image in `\$WinREAgent\Scratch`; its content is of no account.
const SCRATCH_IMAGE_BYTES: u64 = 2 << 20;

/// Files that every Windows has below `SoftwareDistribution` and `catroot2`: path, length.
const STORES: &[(&str, u64)] = &[
    (r"Windows\SoftwareDistribution\DataStore\DataStore.edb", 1 << 20),
    (r"Windows\SoftwareDistribution\DataStore\Logs\edb.log", 256 << 10),
    (
        r"Windows\SoftwareDistribution\Download\3f2a6c5b0d7e4a19\windows10.0-kb5034122-x64.cab",
        96 << 10,
    ),
    (r"Windows\System32\catroot2\edb.log", 64 << 10),
    (r"Windows\System32\catroot2\dberr.txt", 3 << 10),
    (
        r"Windows\System32\catroot2\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}\catdb",
        512 << 10,
    ),
];

/// All of them. `event_log_bytes` as in [`crate::CreateOptions`].
pub(crate) fn files(
    profile: &Profile,
    seed: u64,
    event_log_bytes: Option<u64>,
) -> Result<Vec<NewFile>, HiveError> {
    let evidence = &profile.evidence;
    let release = &profile.windows;
    let now = eventlogs::newest(evidence);
    let mut files = hives(profile)?;
    let mut put = |path, data| files.push((path, ARCHIVE, data));
    if let Some(log) = eventlogs::system(evidence, release, event_log_bytes) {
        put(r"Windows\System32\winevt\Logs\System.evtx", log);
    }
    put(
        r"Windows\System32\winevt\Logs\Application.evtx",
        eventlogs::application(evidence),
    );
    for (path, bytes) in [
        (
            r"Windows\Logs\ReAgent\ReAgent.log",
            textlogs::reagent(evidence, now),
        ),
        (
            r"Windows\Logs\CBS\CBS.log",
            textlogs::component_store(evidence, release, now),
        ),
        (r"Windows\Panther\setupact.log", textlogs::panther(evidence, TIME)),
        (
            r"Windows\SoftwareDistribution\ReportingEvents.log",
            textlogs::reporting_events(evidence, now),
        ),
    ] {
        put(path, FileData::Bytes(bytes));
    }
    if let Some((all, errors)) = textlogs::servicing(evidence) {
        put(r"Windows\Logs\WinREAgent\setupact.log", FileData::Bytes(all));
        put(r"Windows\Logs\WinREAgent\setuperr.log", FileData::Bytes(errors));
    }
    for (path, size_bytes) in STORES {
        let generated = Generated {
            size_bytes: *size_bytes,
            seed,
        };
        put(path, FileData::Reader(Box::new(generated)));
    }
    if evidence.servicing_folder {
        files.extend(servicing_folder(seed));
    }
    Ok(files)
}

/// What a servicing of WinRE that did not end leaves besides `Backup`.
fn servicing_folder(seed: u64) -> [NewFile; 2] {
    let mut image = b"MSWIM\0\0\0".to_vec();
    image.resize(4096, 0);
    content::fill(seed, 0, &mut image[8..]);
    [
        (
            r"$WinREAgent\Scratch\update.wim",
            ARCHIVE,
            FileData::Zeroed {
                size: SCRATCH_IMAGE_BYTES,
                pieces: vec![(0, image)],
            },
        ),
        (
            r"$WinREAgent\WinREServicingManager.xml",
            HIDDEN | SYSTEM,
            FileData::Bytes(textlogs::SERVICING_STATE.to_vec()),
        ),
    ]
}

/// SOFTWARE and SYSTEM with their logs.
fn hives(profile: &Profile) -> Result<Vec<NewFile>, HiveError> {
    let EvidenceSpec {
        registry,
        software_hive: software_state,
        system_hive: system_state,
        ..
    } = profile.evidence;
    let version = profile.recovery.registry_version;
    let software = |facts: &[RegistryFact]| software_hive(&profile.windows, version, facts, TIME);
    let system = |facts: &[RegistryFact]| system_hive(facts, TIME);
    let mut files = hive_files(
        software_state,
        registry,
        software,
        [
            r"Windows\System32\config\SOFTWARE",
            r"Windows\System32\config\SOFTWARE.LOG1",
            r"Windows\System32\config\SOFTWARE.LOG2",
        ],
    )?;
    files.extend(hive_files(
        system_state,
        registry,
        system,
        [
            r"Windows\System32\config\SYSTEM",
            r"Windows\System32\config\SYSTEM.LOG1",
            r"Windows\System32\config\SYSTEM.LOG2",
        ],
    )?);
    Ok(files)
}

/// A hive and its two logs, as far as they are there.
fn hive_files(
    state: HiveState,
    facts: &[RegistryFact],
    make: impl Fn(&[RegistryFact]) -> Result<Vec<u8>, HiveError>,
    [hive, log1, log2]: [&'static str; 3],
) -> Result<Vec<NewFile>, HiveError> {
    let file = |path, bytes| (path, ARCHIVE, FileData::Bytes(bytes));
    let log = |path, bytes| (path, ARCHIVE | HIDDEN | SYSTEM, FileData::Bytes(bytes));
    Ok(match state {
        HiveState::Missing => Vec::new(),
        HiveState::Sound => vec![file(hive, make(facts)?)],
        HiveState::Dirty(newest) => {
            let (bytes, log_bytes) = hive::interrupted(&make(facts)?, &make(&[facts, newest].concat())?);
            // Windows uses both logs in turn; this one is empty as after a clean shutdown.
            vec![file(hive, bytes), log(log1, log_bytes), log(log2, Vec::new())]
        }
    })
}
