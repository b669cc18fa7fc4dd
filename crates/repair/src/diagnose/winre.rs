//! Findings on the recovery environment of each Windows: is it on, is its image there, is there room for it.

use super::images::{describe, not_there, searched, where_from};
use super::{evidence, finding};
use crate::explain::size;
use crate::observation::{Content, Observation, Partition, WinRe, Windows};
use crate::observe::REAGENT_XML;
use crate::observe::images::{BACKUP_IMAGE, STAGED_IMAGE};
use crate::report::{Evidence, FindingReport, Severity};
use crate::rules::SIZE_BYTES_MAX;
use crate::select;
use crate::winre::{State, image_to_come_bytes, space_rules, state, waiting_image};

/// What a person runs in Windows to see where the recovery environment is.
const CHECK: &str = "`reagentc /info` has to name the recovery partition then: when it finds no room there, Windows \
                     puts the image on its own volume without saying so";

/// Findings on one Windows.
pub(super) fn of_windows(observation: &Observation, windows: &Windows) -> Vec<FindingReport> {
    let found = match state(observation, windows) {
        State::Unknown => unknown(windows),
        State::Disabled => disabled(observation, windows),
        State::Gone(place) => image_gone(observation, windows, place),
        State::Unreadable(place) => return unreadable(windows, place).into_iter().collect(),
        State::Elsewhere => elsewhere(windows),
        State::Present(place, image) => {
            let on_own_type = place.is_recovery_type();
            let outside = (!on_own_type).then(|| on_volume(observation, windows, place, image));
            return outside
                .into_iter()
                .chain(image_unreadable(place, image))
                .collect();
        }
    };
    vec![found]
}

fn at_reagent(windows: &Windows) -> String {
    format!("partition {}, {REAGENT_XML}", windows.partition)
}

/// What stands in ReAgent.xml.
fn pointer(windows: &Windows) -> Evidence {
    let reagent = windows.readable_reagent();
    let location = reagent.and_then(|r| r.winre_location.as_ref());
    let named = location.filter(|l| !l.path.is_empty()).map_or_else(
        || "no place named".to_owned(),
        |l| format!("byte {} of disk {}, {}", l.offset, l.guid, l.path),
    );
    let value = match reagent.and_then(|r| r.install_state) {
        Some(state) => format!("InstallState = {state}, {named}"),
        None => named,
    };
    evidence(at_reagent(windows), value)
}

fn unknown(windows: &Windows) -> FindingReport {
    const NEXT: &str = "Run `reagentc /disable` and `reagentc /enable` in Windows, which writes it anew.";
    match &windows.reagent {
        Some(Err(problem)) => finding(
            "reagent-unreadable",
            Severity::Warning,
            "ReAgent.xml cannot be read",
            "Which recovery partition this Windows uses is therefore unknown.",
            NEXT,
            vec![evidence(at_reagent(windows), problem.clone())],
        ),
        _ => finding(
            "reagent-missing",
            Severity::Warning,
            format!(
                "The Windows on partition {} has no ReAgent.xml",
                windows.partition
            ),
            "Without it there is no recovery environment that Windows would find or update.",
            NEXT,
            vec![evidence(at_reagent(windows), "not found")],
        ),
    }
}

/// The commands that put an image in place. `copy` says how it comes to where `reagentc /enable` takes it from.
fn enable_with(copy: &str) -> String {
    format!(
        "In that Windows, in a Command Prompt (not PowerShell) of an administrator: `reagentc /disable`; {copy}; \
         `reagentc /enable`. {CHECK}."
    )
}

fn image_gone(observation: &Observation, windows: &Windows, place: Option<&Partition>) -> FindingReport {
    let path = windows.image_path().unwrap_or_default();
    let detail = match place {
        Some(place) => format!(
            "ReAgent.xml of the Windows on partition {} says that it is {path} on partition {}. It is not there, so this \
             Windows has no working recovery environment, and gets no updates for one.",
            windows.partition, place.number
        ),
        None => format!(
            "ReAgent.xml of the Windows on partition {} names a place on this disk where no partition begins, so this \
             Windows has no working recovery environment, and gets no updates for one.",
            windows.partition
        ),
    };
    let own = observation.partition(windows.partition);
    let has = |at: &str| own.is_some_and(|own| own.image(at).is_some());
    let copy = if has(STAGED_IMAGE) {
        r"leave Winre.wim in C:\Windows\System32\Recovery".to_owned()
    } else if has(BACKUP_IMAGE) {
        r"`xcopy /h C:\$WinREAgent\Backup\Winre.wim C:\Windows\System32\Recovery\`".to_owned()
    } else {
        where_from(observation, windows)
    };
    let too_small = place.filter(|place| lacks_room(observation, place));
    let first = too_small.map_or(String::new(), |place| {
        format!(
            "First make partition {} large enough for it (`winrefit plan`). Then: ",
            place.number
        )
    });
    let mut next = first + &enable_with(&copy);
    if has(BACKUP_IMAGE) {
        next.push_str(
            " Do not let `reagentc /setreimage` point to $WinREAgent: Windows empties that folder.",
        );
    }
    let mut rests_on = vec![pointer(windows)];
    rests_on.extend(searched(observation, windows, place));
    finding(
        "winre-image-gone",
        Severity::Problem,
        "WinRE is enabled, but its image is gone",
        detail,
        next,
        rests_on,
    )
}

/// A Windows relies on the partition, and no volume is there. Of a damaged one there is a finding anyway.
fn unreadable(windows: &Windows, place: &Partition) -> Option<FindingReport> {
    let (number, user) = (place.number, windows.partition);
    let rests_on = vec![
        pointer(windows),
        evidence(
            format!("partition {number}, first sector"),
            format!("found: {}", place.content.name()),
        ),
    ];
    match place.content {
        Content::DamagedNtfs(_) => None,
        Content::BitLocker => Some(finding(
            "re-encrypted",
            Severity::Warning,
            format!("The recovery partition {number} is encrypted by BitLocker"),
            format!(
                "Windows on partition {user} relies on it, and cannot start a recovery environment from there."
            ),
            "In Windows, decrypt that partition (manage-bde -off), then `reagentc /disable` and `reagentc /enable`.",
            rests_on,
        )),
        _ => Some(finding(
            "re-unreadable",
            Severity::Problem,
            format!("The recovery partition {number} holds no readable volume"),
            format!(
                "Windows on partition {user} relies on it, so this Windows has no working recovery environment."
            ),
            "Keep a copy of the disk. In Windows, `reagentc /disable` and `reagentc /enable` choose a place anew, if the \
             image still exists.",
            rests_on,
        )),
    }
}

fn elsewhere(windows: &Windows) -> FindingReport {
    finding(
        "winre-on-another-disk",
        Severity::Warning,
        "WinRE is enabled, on a disk that is not this one",
        format!(
            "ReAgent.xml of the Windows on partition {} names a disk of another identity: a second disk, or the one that \
             this disk was cloned from. Whether it works cannot be told from here.",
            windows.partition
        ),
        "Look at `reagentc /info` in Windows. If the other disk is gone, `reagentc /disable` and `reagentc /enable` \
         choose a place anew.",
        vec![pointer(windows)],
    )
}

/// The image is in use, and not on a partition of its own.
fn on_volume(
    observation: &Observation,
    windows: &Windows,
    place: &Partition,
    image: &WinRe,
) -> FindingReport {
    let number = place.number;
    let own = number == windows.partition;
    let (code, title) = if own {
        (
            "winre-on-windows-volume",
            "WinRE lies on the Windows volume itself",
        )
    } else {
        ("winre-on-data-volume", "WinRE lies on a volume for data")
    };
    let unused = observation
        .partitions
        .iter()
        .find(|p| p.is_recovery_type() && !is_named(observation, p));
    let instead = match unused {
        Some(unused) => format!("Recovery partition {} is there and not used.", unused.number),
        None => "This disk has no recovery partition.".to_owned(),
    };
    let detail = format!(
        "{instead} WinRE works like this, and for its updates 250 MiB have to be free on partition {number}. But it \
         shares that volume's fate: it does not start when the volume is damaged, and Windows does not enable it there \
         once BitLocker encrypts the volume."
    );
    let next = match unused {
        Some(unused) => format!(
            "To use partition {}: `reagentc /disable` and `reagentc /enable` in Windows, if it is large enough. {CHECK}.",
            unused.number
        ),
        None => "It can stay. A recovery partition of its own is better: `winrefit plan` shows whether one can be made."
            .to_owned(),
    };
    let mut rests_on = vec![
        pointer(windows),
        evidence(format!("partition {number}, {}", image.path), describe(image)),
    ];
    rests_on.extend(place.free_bytes().map(|free| {
        evidence(
            format!("partition {number}, $Bitmap"),
            crate::rules::servicing(free).arithmetic,
        )
    }));
    finding(code, Severity::Warning, title, detail, next, rests_on)
}

fn image_unreadable(place: &Partition, image: &WinRe) -> Option<FindingReport> {
    let problem = image.version.as_ref().err()?;
    Some(finding(
        "winre-image-unreadable",
        Severity::Warning,
        "The WinRE image cannot be read",
        "Its header or its description is damaged, so its version is unknown, and it may not start.",
        "Replace Winre.wim with one of the same Windows build.",
        vec![evidence(
            format!("partition {}, {}", place.number, image.path),
            problem.clone(),
        )],
    ))
}

fn disabled(observation: &Observation, windows: &Windows) -> FindingReport {
    let image = waiting_image(observation, windows);
    let staged = image.is_some_and(|image| image.path == STAGED_IMAGE);
    let free: Vec<&Partition> = observation
        .partitions
        .iter()
        .filter(|p| p.is_recovery_type() && p.ntfs().is_some() && !is_in_use(observation, p))
        .filter(|p| p.range.len() <= SIZE_BYTES_MAX)
        .collect();
    let waits = match image {
        Some(image) => format!("Its image waits in {} ({}).", image.path, size(image.size_bytes)),
        None => "Its image is nowhere on this Windows volume.".to_owned(),
    };
    let (place, before) = room(observation, &free, image);
    let copy = match image {
        Some(_) if staged => None,
        Some(image) => Some(format!(
            r"`xcopy /h C:{} C:\Windows\System32\Recovery\`",
            image.path
        )),
        None => Some(where_from(observation, windows)),
    };
    let enable = match copy {
        None => "run `reagentc /enable` in Windows as administrator".to_owned(),
        Some(copy) => format!(
            "in Windows, in a Command Prompt (not PowerShell) of an administrator: {copy}; `reagentc /enable`"
        ),
    };
    let next = capital(&format!("{before}{enable}. {CHECK}."));
    let mut rests_on = vec![pointer(windows)];
    rests_on.extend(searched(observation, windows, None));
    finding(
        "winre-disabled",
        Severity::Warning,
        format!(
            "WinRE of the Windows on partition {} is disabled",
            windows.partition
        ),
        format!("This Windows has no recovery environment, and gets no updates for one. {waits} {place}"),
        next,
        rests_on,
    )
}

/// Whether a recovery partition has room for the image that is to come; and what has to be done before it comes.
fn room(observation: &Observation, free: &[&Partition], image: Option<&WinRe>) -> (String, String) {
    match free {
        [] => (
            "There is no recovery partition for it, so Windows would put it on its own volume.".to_owned(),
            "`winrefit plan` shows whether a recovery partition can be made. Without one, ".to_owned(),
        ),
        [only] => {
            let number = only.number;
            let chosen = select::recovery_partition(observation, None).is_ok_and(|p| p.number == number);
            let option = if chosen {
                String::new()
            } else {
                format!(" --recovery-partition {number}")
            };
            match image {
                Some(_) if lacks_room(observation, only) => (
                    format!("Recovery partition {number} is too small for it and its updates."),
                    format!(
                        "Enlarge the partition first: `winrefit plan TARGET{option}`, then `winrefit fix`. Then "
                    ),
                ),
                Some(_) => (
                    format!("Recovery partition {number} has room for it and its updates."),
                    String::new(),
                ),
                None => (
                    format!(
                        "Recovery partition {number} is {} large and holds none either.",
                        size(only.range.len())
                    ),
                    String::new(),
                ),
            }
        }
        several => {
            let numbers: Vec<String> = several.iter().map(|p| p.number.to_string()).collect();
            (
                format!(
                    "Recovery partitions {} are there; which one Windows takes depends on their room.",
                    numbers.join(" and ")
                ),
                "Choose one and look whether it is large enough: `winrefit plan TARGET --recovery-partition N`. Then "
                    .to_owned(),
            )
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn lacks_room(observation: &Observation, partition: &Partition) -> bool {
    space_rules(observation, partition).iter().any(|rule| !rule.met)
}

/// A recovery partition that is judged, and has not the room that the rules want.
pub(super) fn space(
    observation: &Observation,
    partition: &Partition,
    several: bool,
) -> Option<FindingReport> {
    let rules = space_rules(observation, partition);
    let broken: Vec<_> = rules.iter().filter(|rule| !rule.met).collect();
    let missing = broken
        .iter()
        .map(|rule| rule.required_bytes.saturating_sub(rule.available_bytes))
        .max()?;
    let number = partition.number;
    let which = if several {
        format!("Recovery partition {number}")
    } else {
        "The recovery partition".to_owned()
    };
    let (title, consequence) = if image_to_come_bytes(observation, partition) > 0 {
        (
            format!("{which} is too small for the image that is to come"),
            "Until then the image fits in without room for its updates, or Windows puts it on its own volume.",
        )
    } else {
        (
            format!("{which} is too small for its next update"),
            "Until then Windows Update cannot service WinRE: the update fails with 0x80070643, or is silently not \
             offered.",
        )
    };
    let next = if several {
        format!("Run `winrefit plan TARGET --recovery-partition {number}` to see how room can be made.")
    } else {
        "Run `winrefit plan` to see how room can be made, then `winrefit fix`.".to_owned()
    };
    let source = format!("partition {number}, $Bitmap");
    Some(finding(
        "re-too-small",
        Severity::Problem,
        title,
        format!(
            "{} more have to be free on partition {number}. {consequence}",
            size(missing)
        ),
        next,
        broken
            .iter()
            .map(|rule| evidence(source.clone(), format!("{}: {}", rule.code, rule.arithmetic)))
            .collect(),
    ))
}

/// Several Windows with a recovery partition each.
pub(super) fn several(observation: &Observation, used: &[&Partition]) -> Option<FindingReport> {
    if used.len() < 2 {
        return None;
    }
    let of = |windows: &Windows| {
        let recovery = windows.recovery_partition?;
        Some(evidence(
            at_reagent(windows),
            format!("uses recovery partition {recovery}"),
        ))
    };
    let numbers: Vec<String> = used.iter().map(|p| p.number.to_string()).collect();
    Some(finding(
        "several-windows",
        Severity::Note,
        "Several Windows use recovery partitions of their own",
        format!(
            "Each is judged by itself: {}. A repair enlarges one at a time.",
            numbers.join(", ")
        ),
        "Say which one with --recovery-partition N, for plan and for fix.",
        observation.windows.iter().filter_map(of).collect(),
    ))
}

/// Whether ReAgent.xml of any Windows on the disk names the partition.
pub(super) fn is_named(observation: &Observation, partition: &Partition) -> bool {
    observation
        .windows
        .iter()
        .any(|w| w.recovery_partition == Some(partition.number))
}

/// Whether an enabled WinRE is on the partition.
fn is_in_use(observation: &Observation, partition: &Partition) -> bool {
    observation.windows.iter().any(
        |w| matches!(state(observation, w), State::Present(place, _) if place.number == partition.number),
    )
}

/// A recovery partition that no Windows names.
pub(super) fn unnamed(
    observation: &Observation,
    partition: &Partition,
    named: Option<u32>,
) -> Option<FindingReport> {
    if !partition.is_recovery_type() || is_named(observation, partition) {
        return None;
    }
    let number = partition.number;
    let in_use = observation
        .windows
        .iter()
        .any(|w| matches!(state(observation, w), State::Present(..) | State::Gone(_)));
    if in_use && crate::winre::hidden_windows(observation).is_none() {
        return Some(leftover(partition));
    }
    let mut rests_on = vec![evidence(
        "ReAgent.xml of every Windows found",
        "none names this partition",
    )];
    if partition.ntfs().is_some() && partition.images().next().is_none() && !observation.windows.is_empty() {
        rests_on.push(evidence(format!("partition {number}"), not_there()));
        return Some(finding(
            "re-empty",
            Severity::Note,
            format!("Recovery partition {number} holds no WinRE image"),
            "It is formatted, and no Windows on this disk uses it.",
            "Nothing has to be done about the partition; `reagentc /enable` puts an image there if it has room.",
            rests_on,
        ));
    }
    let chosen = select::recovery_partition(observation, named).is_ok_and(|p| p.number == number);
    (!chosen).then(|| {
        finding(
            "no-windows-reference",
            Severity::Warning,
            format!("No Windows on this disk refers to recovery partition {number}"),
            "It may belong to another disk, or be a leftover. It is not changed unless it is named.",
            format!("If you know that it is the right one, add --recovery-partition {number}."),
            rests_on,
        )
    })
}

/// Another recovery partition is the active one.
fn leftover(partition: &Partition) -> FindingReport {
    let number = partition.number;
    let source = format!("partition {number}");
    let mut rests_on: Vec<Evidence> = partition
        .images()
        .map(|image| evidence(format!("{source}, {}", image.path), describe(image)))
        .collect();
    if rests_on.is_empty() {
        let found = match partition.ntfs() {
            Some(_) => not_there(),
            None => format!("holds no NTFS volume; found: {}", partition.content.name()),
        };
        rests_on.push(evidence(source, found));
    }
    let kind = if partition.range.len() > SIZE_BYTES_MAX {
        "Of this size it is probably a computer maker's factory image."
    } else {
        "Upgrades of Windows leave such partitions behind."
    };
    finding(
        "leftover-recovery-partition",
        Severity::Note,
        format!(
            "Recovery partition {number} of {} is not the active one",
            size(partition.range.len())
        ),
        format!("No Windows on this disk names it in its ReAgent.xml, and another place is in use. {kind}"),
        "It is not touched unless it is asked for.",
        rests_on,
    )
}
