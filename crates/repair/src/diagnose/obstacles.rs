//! What stands in the way of a repair, as far as a quick look tells. `plan` refuses by the same codes.

use super::images::on_partition;
use super::{evidence, finding};
use crate::advice::{chkdsk, decrypt, inside, shut_down_fully};
use crate::observation::{Content, Observation, Partition};
use crate::plan::{has_shadow_copies, shadow_copies_text};
use crate::report::{FindingReport, Severity};
use crate::rules::SIZE_BYTES_MAX;
use crate::text::{Bytes, Text};
use crate::winre::is_foreign;
use crate::{counted, text};
use winrefit_ntfs::logfile::LogState;
use winrefit_ntfs::state::VolumeState;
use winrefit_ntfs::vss::ShadowCopies;

/// Obstacles on a disk. `wants_room` says whether a repair is due: some are of no account otherwise.
pub(super) fn of_disk(
    observation: &Observation,
    judged: &[&Partition],
    wants_room: bool,
) -> Vec<FindingReport> {
    let mut findings: Vec<_> = managed(observation).into_iter().collect();
    for partition in &observation.partitions {
        findings.extend(of_content(partition));
        if wants_room {
            findings.extend(shadow_copies(partition));
        }
    }
    findings.extend(judged.iter().filter_map(|partition| too_large(partition)));
    findings
}

fn managed(observation: &Observation) -> Option<FindingReport> {
    let mut all = observation.partitions.iter();
    let (partition, manager) = all.find_map(|p| Some((p, p.kind.manager()?)))?;
    Some(finding(
        "managed-disk",
        Severity::Warning,
        manager.text(),
        text!("Partitions of such a disk are not what they seem, so winrefit changes nothing on it."),
        text!("What is diagnosed here has to be cured with Windows' own tools."),
        vec![evidence(
            text!("partition {number}, type", number = partition.number),
            partition.kind.name().map_or_else(|| text!("unknown"), Text::raw),
        )],
    ))
}

fn of_content(partition: &Partition) -> Option<FindingReport> {
    let number = partition.number;
    let source = text!("partition {number}, boot sector", number);
    match &partition.content {
        Content::BitLocker => Some(finding(
            "bitlocker",
            Severity::Note,
            text!("Partition {number} is encrypted by BitLocker", number),
            text!("Nothing inside it can be read or changed from outside."),
            decrypt(),
            vec![evidence(source, Text::raw("-FVE-FS-"))],
        )),
        Content::Refs => Some(finding(
            "refs",
            Severity::Note,
            text!("Partition {number} is a ReFS volume", number),
            text!("ReFS volumes cannot be shrunk by anyone, and nothing inside it is looked at."),
            text!("Nothing has to be done about it."),
            vec![evidence(source, Text::raw("ReFS"))],
        )),
        Content::Unknown if is_foreign(partition) => Some(finding(
            "foreign-boot-sector",
            Severity::Warning,
            text!(
                "Partition {number} begins with no file system that is known",
                number
            ),
            text!(
                "It is encrypted by something else than BitLocker (VeraCrypt, for example), or damaged, or it holds a \
                 foreign file system. A Windows in it cannot be seen."
            ),
            text!(
                "If it is encrypted and has to change, decrypt it first. If it is damaged, keep a copy of the disk."
            ),
            vec![evidence(
                source,
                text!("neither empty nor of a known file system"),
            )],
        )),
        Content::Ntfs(ntfs) => {
            let bad = ntfs.bad_clusters.as_ref().ok()?;
            let count: u64 = bad.iter().map(|run| run.clusters).fold(0, u64::saturating_add);
            (count > 0).then(|| {
                finding(
                    "bad-clusters",
                    Severity::Warning,
                    text!("The volume on partition {number} has bad clusters", number),
                    text!("Windows has met sectors there that it could not read. A disk with bad sectors is failing."),
                    text!("Copy the disk to a new one. A repair is refused where bad clusters are in its way."),
                    vec![evidence(
                        text!("partition {number}, $BadClus", number),
                        counted!(count, "1 cluster", "{n} clusters"),
                    )],
                )
            })
        }
        _ => None,
    }
}

fn shadow_copies(partition: &Partition) -> Option<FindingReport> {
    let number = partition.number;
    let found = &partition.ntfs()?.state.as_ref().ok()?.shadow_copies;
    let count = match found {
        ShadowCopies::NoHeader | ShadowCopies::NoCatalog => return None,
        ShadowCopies::Catalog(catalog) if catalog.stores.is_empty() => return None,
        ShadowCopies::Catalog(catalog) => Some(catalog.stores.len() as u64),
        ShadowCopies::Damaged(_) => None,
    };
    Some(finding(
        "shadow-copies",
        Severity::Note,
        has_shadow_copies(number, count),
        text!(
            "They do not survive that a border of the volume moves, so such a repair is refused unless it is told to \
             give them up."
        ),
        text!("Delete them in Windows, or give --drop-shadow-copies to plan and fix."),
        vec![evidence(
            text!("partition {number}, System Volume Information", number),
            shadow_copies_text(count),
        )],
    ))
}

fn too_large(partition: &Partition) -> Option<FindingReport> {
    let (number, bytes) = (partition.number, partition.range.len());
    (bytes > SIZE_BYTES_MAX).then(|| {
        finding(
            "recovery-volume-too-large",
            Severity::Warning,
            text!(
                "Partition {number} is too large to be a WinRE partition alone",
                number
            ),
            text!("Recovery partitions over 2 GiB are makers' factory images: they are not made larger."),
            inside(number),
            vec![evidence(text!("partition {number}", number), Bytes(bytes))],
        )
    })
}

/// A volume that Windows has not left for good.
pub(super) fn at_rest(partition: &Partition, state: &VolumeState) -> Option<FindingReport> {
    let number = partition.number;
    let (code, title, detail, next) = match state.log {
        LogState::FastStartup { .. } if !state.hibernated && !state.is_dirty() => (
            "fast-startup",
            text!(
                "The volume on partition {number} was left by Fast Startup",
                number
            ),
            text!(
                "Windows may hold changes of the volume that are not on it yet. It is not changed like this."
            ),
            shut_down_fully(),
        ),
        LogState::InUse if !state.hibernated && !state.is_dirty() => (
            "unclean-log",
            text!(
                "The volume on partition {number} was not unmounted cleanly",
                number
            ),
            text!("Its $LogFile holds changes that only Windows may finish. It is not changed like this."),
            shut_down_fully(),
        ),
        log if state.hibernated || state.is_dirty() || !log.is_at_rest() => {
            let (title, detail, next) = not_at_rest(number, state);
            ("volume-not-at-rest", title, detail, next)
        }
        _ => return None,
    };
    let hibernated = if state.hibernated {
        text!("hibernated")
    } else {
        text!("not hibernated")
    };
    let rests_on = vec![
        evidence(on_partition(number, "$LogFile"), log_text(state.log)),
        evidence(on_partition(number, "$Volume"), flags_text(state)),
        evidence(on_partition(number, "hiberfil.sys"), hibernated),
    ];
    Some(finding(code, Severity::Warning, title, detail, next, rests_on))
}

/// What of several things it is, the one that has to be dealt with first.
fn not_at_rest(number: u32, state: &VolumeState) -> (Text, Text, Text) {
    let is_dirty = state.is_dirty();
    if state.hibernated {
        let dirty = match is_dirty {
            true => text!("The volume is marked dirty, too: Windows wants chkdsk to look at it."),
            false => Text::empty(),
        };
        let running =
            text!("hiberfil.sys holds a running Windows; a changed volume would be damaged when it resumes.");
        let then = is_dirty.then(chkdsk).unwrap_or_default();
        return (
            text!("Windows on partition {number} is hibernated", number),
            Text::sentences([running, dirty]),
            Text::sentences([shut_down_fully(), then]),
        );
    }
    if is_dirty {
        return (
            text!("The volume on partition {number} is marked dirty", number),
            text!("Windows wants chkdsk to look at it before anything else does."),
            chkdsk(),
        );
    }
    (
        text!("The $LogFile of partition {number} cannot be read", number),
        text!("Whether the volume was left cleanly cannot be told. It is not changed like this."),
        chkdsk(),
    )
}

fn flags_text(state: &VolumeState) -> Text {
    let flags = format!("{:#06x}", state.flags);
    if state.is_dirty() {
        text!("flags {flags}: marked dirty", flags)
    } else {
        text!("flags {flags}", flags)
    }
}

fn log_text(log: LogState) -> Text {
    match log {
        LogState::Uninitialized => text!("new"),
        LogState::Clean => text!("closed cleanly"),
        LogState::InUse => text!("in use: not closed cleanly"),
        LogState::FastStartup { minor } => text!(
            "version {version}: Fast Startup or hibernation",
            version = format!("2.{minor}")
        ),
        LogState::Damaged => text!("no readable restart page"),
    }
}
