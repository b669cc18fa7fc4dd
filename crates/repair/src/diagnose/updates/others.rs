//! Failures that have nothing to do with WinRE, each with its own next step.

use super::case::{Case, INSTALLER_FAILED};
use super::words::{self, finding, hex};
use crate::diagnose::evidence;
use crate::kb::{self, Kind};
use crate::records::events::UpdateEvent;
use crate::records::{ProgramKind, SOFTWARE_HIVE};
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;
use crate::text::{Bytes, Text};

/// `CBS_E_INSTALLERS_FAILED`: among others, the system partition has too little room.
const SYSTEM_PARTITION: u32 = 0x800F_0922;
/// Damage of the component store: missing sources and payloads, corrupt manifests and components.
const STORE_DAMAGED: [u32; 4] = [0x800F_081F, 0x800F_0831, 0x8007_3701, 0x8007_3712];
/// An event of Windows Installer belongs to a failed update if it is no further away: 15 minutes in units of FILETIME.
const NEAR: u64 = 15 * 60 * 10_000_000;
/// Most events that one finding cites.
const CITED_MAX: usize = 4;
/// A system partition below this is smaller than Windows Setup has ever made one on such a disk.
const SMALL_SYSTEM_BYTES: u64 = 100 << 20;
/// Free bytes below which updates of the boot files are known to fail: 15 MB.
const SYSTEM_FREE_BYTES: u64 = 15 << 20;

/// What an update that failed is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Product {
    NetFramework,
    Defender,
    SqlServer,
    Office,
    Unknown,
}

pub(super) fn findings(case: &Case<'_>) -> Vec<FindingReport> {
    let mut others = case.outstanding();
    others.retain(|event| !case.concerns_winre(event));
    let with_code = |code| {
        others
            .iter()
            .copied()
            .filter(|event| event.code == Some(code))
            .collect::<Vec<_>>()
    };
    let failed = with_code(INSTALLER_FAILED);
    let mut found: Vec<FindingReport> = [
        Product::NetFramework,
        Product::Defender,
        Product::SqlServer,
        Product::Office,
        Product::Unknown,
    ]
    .into_iter()
    .filter_map(|product| {
        let of_product: Vec<_> = failed
            .iter()
            .copied()
            .filter(|event| product_of(event) == product)
            .collect();
        (!of_product.is_empty()).then(|| installer(case, product, &of_product))
    })
    .collect();
    let left_over = left_over(case, !with_code(SYSTEM_PARTITION).is_empty());
    if left_over.is_none() || system_space(case).is_some_and(|(tight, _)| tight) {
        found.extend(system_partition(case, &with_code(SYSTEM_PARTITION)));
    }
    found.extend(left_over);
    found.extend(component_store(case));
    if !case.outstanding().is_empty() {
        found.extend(antivirus(case));
    }
    found
}

/// Whether nothing is known of what an update is of.
pub(super) fn is_unknown(event: &UpdateEvent) -> bool {
    product_of(event) == Product::Unknown
}

fn product_of(event: &UpdateEvent) -> Product {
    let title = event.title.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| title.contains(word));
    let is_defender = event
        .kbs
        .iter()
        .any(|kb| kb::table().update(*kb).is_some_and(|u| u.kind == Kind::Defender));
    if is_defender || has(&["defender"]) {
        Product::Defender
    } else if has(&[".net framework", ".net core", "microsoft .net"]) {
        Product::NetFramework
    } else if has(&["sql server"]) {
        Product::SqlServer
    } else if has(&[
        "microsoft office",
        "office 20",
        "microsoft 365",
        "outlook 20",
        "excel 20",
        "word 20",
        "visio 20",
    ]) {
        Product::Office
    } else {
        Product::Unknown
    }
}

/// An installer that Windows Update started failed.
fn installer(case: &Case<'_>, product: Product, events: &[&UpdateEvent]) -> FindingReport {
    let mut all: Vec<Evidence> = events
        .iter()
        .rev()
        .take(CITED_MAX)
        .map(|event| words::update(case, event))
        .collect();
    let near = case.records.events.installer.iter().rev().filter(|other| {
        events
            .iter()
            .any(|event| event.place.time.abs_diff(other.place.time) <= NEAR)
    });
    let by_installer: Vec<Evidence> = near
        .take(CITED_MAX)
        .map(|event| words::other(case, event))
        .collect();
    let has_installer = !by_installer.is_empty();
    all.extend(by_installer);
    let (code, title, next) = match product {
        Product::NetFramework => (
            "net-framework-update-fails",
            text!("An update of .NET Framework fails, which has nothing to do with WinRE"),
            text!(
                "Run Microsoft's .NET Framework Repair Tool; if that does not help, the troubleshooter for installing and \
                 removing programs, which mends the registration of patches; last, remove .NET Framework and install it anew."
            ),
        ),
        Product::Defender => (
            "defender-update-fails",
            text!("An update of Microsoft Defender fails, which has nothing to do with WinRE"),
            text!(
                "This often passes by itself. Else run `MpCmdRun -removedefinitions -all` and `MpCmdRun \
                 -signatureupdate` in the folder Windows Defender of Program Files, or install the platform package by hand; remove what is left of other antivirus programs."
            ),
        ),
        Product::SqlServer => (
            "sql-server-update-fails",
            text!("An update of SQL Server fails, which has nothing to do with WinRE"),
            text!(
                "Look at Summary.txt in Setup Bootstrap\\Log of SQL Server, and run the update's package by hand. Missing files \
                 of the Windows Installer cache have to be put back first."
            ),
        ),
        Product::Office => (
            "office-update-fails",
            text!("An update of Office fails, which has nothing to do with WinRE"),
            text!(
                "Run the update's package by hand; if it fails, repair Office in Apps and features, and try again."
            ),
        ),
        Product::Unknown if has_installer => (
            "installer-fails",
            text!("A package of Windows Installer fails"),
            text!(
                "The event of MsiInstaller names the product. Install its package by hand with a log (`msiexec /i ... /l*v`); the \
                 troubleshooter for installing and removing programs mends broken registrations."
            ),
        ),
        Product::Unknown => (
            "update-fails",
            text!("An update fails with a code that only says that its installer failed"),
            text!(
                "Look up the update by its number, and install it by hand from the Microsoft Update Catalog to see its error."
            ),
        ),
    };
    let sure = product != Product::Unknown || has_installer;
    finding(
        code,
        Severity::Warning,
        if sure {
            Confidence::Likely
        } else {
            Confidence::Possible
        },
        [
            title,
            if product == Product::Unknown {
                text!(
                    "0x80070643 is what Windows Update shows for every installer that failed; this one is not known here."
                )
            } else {
                text!(
                    "0x80070643 is what Windows Update shows for every installer that failed. A larger recovery partition does not help."
                )
            },
            next,
        ],
        all,
    )
}

/// The system partition, and whether it is small or full.
fn system_space(case: &Case<'_>) -> Option<(bool, Evidence)> {
    let (number, free_bytes) = case.records.system_partition?;
    let size_bytes = case.observation.partition(number)?.range.len();
    let tight = size_bytes < SMALL_SYSTEM_BYTES || free_bytes < SYSTEM_FREE_BYTES;
    let words = text!(
        "system partition of {size}, {free} of it free",
        size = Bytes(size_bytes),
        free = Bytes(free_bytes)
    );
    Some((tight, evidence(text!("partition {number}", number), words)))
}

fn system_partition(case: &Case<'_>, events: &[&UpdateEvent]) -> Option<FindingReport> {
    if events.is_empty() {
        return None;
    }
    let mut all: Vec<Evidence> = events
        .iter()
        .rev()
        .take(CITED_MAX)
        .map(|e| words::update(case, e))
        .collect();
    let space = system_space(case);
    let (confidence, detail) = if space.as_ref().is_some_and(|(tight, _)| *tight) {
        (
            Confidence::Likely,
            text!(
                "{code} is another error than 0x80070643: boot files did not fit on the system partition, which is small or full.",
                code = hex(SYSTEM_PARTITION)
            ),
        )
    } else {
        (
            Confidence::Possible,
            text!(
                "{code} is another error than 0x80070643: often boot files do not fit on the system partition. This one has \
                 room as far as can be told, so the reason may be another.",
                code = hex(SYSTEM_PARTITION)
            ),
        )
    };
    all.extend(space.map(|(_, evidence)| evidence));
    Some(finding(
        "system-partition-small",
        Severity::Warning,
        confidence,
        [
            text!("An update of Windows fails, most likely for want of space on the system partition"),
            detail,
            text!(
                "In Windows, give the system partition a letter (`mountvol S: /s`) and remove what is not needed: fonts under \
                 EFI\\Microsoft\\Boot\\Fonts, a computer maker's old firmware files. winrefit does not change that partition."
            ),
        ],
        all,
    ))
}

/// The folder of servicing, left behind.
fn left_over(case: &Case<'_>, update_fails: bool) -> Option<FindingReport> {
    let folder = case.records.work_folder.as_ref()?;
    let running = case.records.events.servicing.last();
    let is_at_work = matches!(
        running.map(|event| &event.what),
        Some(crate::records::events::Servicing::Started)
    );
    let (required, pending) = case.waits_for_restart();
    // An update that waits for its restart lies there; and the last copy of an image is not to be put aside.
    if is_at_work || case.is_staged() || required || pending || case.is_image_gone() {
        return None;
    }
    let number = case.windows.partition;
    let names = Text::listed(folder.names.iter().map(|name| Text::raw(name.clone())));
    let source = text!("partition {number}, {folder}", number, folder = r"\$WinREAgent");
    let words = match &folder.staged {
        Some(staged) => text!("holds {names}; staged: {staged}", names, staged = staged.as_str()),
        None => text!("holds {names}", names),
    };
    let mut all = vec![match folder.modified {
        Some(time) => crate::diagnose::evidence_at(source, words, time),
        None => evidence(source, words),
    }];
    let events = case.outstanding();
    let failing = events
        .iter()
        .rev()
        .find(|event| event.code == Some(SYSTEM_PARTITION));
    all.extend(failing.map(|event| words::update(case, event)));
    let detail = if update_fails {
        text!(
            "Servicing of WinRE works in $WinREAgent and removes it when it is done. A folder that was left behind, with rights \
             from another disk for example, is known to make cumulative updates fail with 0x800F0922."
        )
    } else {
        text!(
            "Servicing of WinRE works in $WinREAgent and removes it when it is done. It takes space, and little else."
        )
    };
    Some(finding(
        "winreagent-left-over",
        if update_fails {
            Severity::Warning
        } else {
            Severity::Note
        },
        Confidence::Likely,
        [
            text!("Servicing of WinRE has left its folder behind"),
            detail,
            text!(
                "In Windows, copy Backup\\Winre.wim out of it if there is one: it may be the last copy of the image. Then rename \
                 C:\\$WinREAgent and look for updates."
            ),
        ],
        all,
    ))
}

fn component_store(case: &Case<'_>) -> Option<FindingReport> {
    let codes = case
        .records
        .logs
        .servicing_codes
        .iter()
        .filter(|seen| STORE_DAMAGED.contains(&seen.code));
    let in_log = codes.map(|seen| words::line(case, &seen.last));
    let failures = case.outstanding();
    let failures = failures
        .iter()
        .rev()
        .filter(|event| event.code.is_some_and(|code| STORE_DAMAGED.contains(&code)));
    let by_event: Vec<Evidence> = failures
        .take(CITED_MAX)
        .map(|event| words::update(case, event))
        .collect();
    let has_event = !by_event.is_empty();
    let all: Vec<Evidence> = in_log.chain(by_event).collect();
    if all.is_empty() {
        return None;
    }
    Some(finding(
        "component-store-damaged",
        if has_event {
            Severity::Warning
        } else {
            Severity::Note
        },
        if has_event {
            Confidence::Likely
        } else {
            Confidence::Possible
        },
        [
            text!("The component store of Windows seems to be damaged"),
            text!(
                "Servicing did not find files that it needs, or found them changed. Updates fail until they are mended."
            ),
            text!(
                "In Windows: `dism /online /cleanup-image /restorehealth`, then `sfc /scannow`, restart, look for updates."
            ),
        ],
        all,
    ))
}

/// Other protection against malware, where something fails.
fn antivirus(case: &Case<'_>) -> Option<FindingReport> {
    let programs = case.records.software.as_ref()?.programs.iter();
    let all: Vec<Evidence> = programs
        .filter(|program| program.kind == ProgramKind::Antivirus)
        .take(CITED_MAX)
        .map(|program| words::value(case, SOFTWARE_HIVE, &program.name))
        .collect();
    if all.is_empty() {
        return None;
    }
    Some(finding(
        "antivirus-present",
        Severity::Note,
        Confidence::Possible,
        [
            text!("Another antivirus program is installed"),
            text!("Such programs can block installers. Whether this one did cannot be told from the disk."),
            text!("If updates go on failing, switch it off or remove it for as long as the update takes."),
        ],
        all,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::events::{EventPlace, UpdateStep};

    fn product(title: &str) -> Product {
        let place = EventPlace {
            log: "",
            record: 1,
            provider: "WindowsUpdateClient",
            id: 20,
            time: 0,
        };
        product_of(&UpdateEvent {
            place,
            what: UpdateStep::Failed,
            code: Some(INSTALLER_FAILED),
            kbs: winrefit_formats::kb_numbers(title),
            title: title.to_owned(),
        })
    }

    #[test]
    fn products_are_told_by_title_or_number() {
        use Product::*;
        for (title, due) in [
            (
                "2024-01 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 10 Version 22H2 for x64 (KB5033909)",
                NetFramework,
            ),
            (
                "Update f\u{fc}r Microsoft Defender Antivirus \u{2013} KB4052623 (Version 4.18.23110.3)",
                Defender,
            ),
            ("Aktualisierung (KB2267602)", Defender),
            (
                "Security Update for SQL Server 2019 RTM GDR (KB5046859)",
                SqlServer,
            ),
            (
                "Security Update for Microsoft Office 2016 (KB5002138) 64-Bit Edition",
                Office,
            ),
            ("2024-01 Update for Windows 10 (KB5001716)", Unknown),
        ] {
            assert_eq!(product(title), due, "{title}");
        }
    }
}
