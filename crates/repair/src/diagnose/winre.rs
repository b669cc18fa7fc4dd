//! Findings on the recovery environment of each Windows: is it on, is its image there, is there room for it.

use super::images::{describe, on_partition, searched, where_from};
use super::partitions::is_named;
use super::{disabled, evidence, finding};
use crate::advice::back_to_windows;
use crate::observation::{Content, Observation, Partition, WinRe, Windows};
use crate::observe::REAGENT_XML;
use crate::observe::images::{BACKUP_IMAGE, STAGED_IMAGE};
use crate::report::{Evidence, FindingReport, RuleReport, Severity};
use crate::rules::servicing;
use crate::text;
use crate::text::{Bytes, Text};
use crate::winre::{State, awaits_unknown_image, space_rules, state};

/// What a person runs in Windows afterwards, because success is told of a wrong place, too.
pub(super) fn check_place() -> Text {
    text!(
        "Check with `reagentc /info` that it names the recovery partition: where there is no room, Windows may put \
         the image on its own volume without saying so."
    )
}

/// Findings on one Windows.
pub(super) fn of_windows(observation: &Observation, windows: &Windows) -> Vec<FindingReport> {
    let found = match state(observation, windows) {
        State::Unknown => unknown(windows),
        State::Disabled => disabled::finding_on(observation, windows),
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

pub(super) fn at_reagent(windows: &Windows) -> Text {
    on_partition(windows.partition, REAGENT_XML)
}

/// What stands in ReAgent.xml.
pub(super) fn pointer(windows: &Windows) -> Evidence {
    let reagent = windows.readable_reagent();
    let location = reagent.and_then(|r| r.winre_location.as_ref());
    let named = location.filter(|l| !l.path.is_empty()).map_or_else(
        || text!("no place named"),
        |l| {
            text!(
                "byte {offset} of disk {disk}, {path}",
                offset = l.offset,
                disk = l.guid.to_string(),
                path = &l.path
            )
        },
    );
    let value = match reagent.and_then(|r| r.install_state) {
        Some(state) => Text::listed([Text::raw(format!("InstallState = {state}")), named]),
        None => named,
    };
    evidence(at_reagent(windows), value)
}

fn unknown(windows: &Windows) -> FindingReport {
    let next = text!("Run `reagentc /disable` and `reagentc /enable` in Windows, which writes it anew.");
    match &windows.reagent {
        Some(Err(problem)) => finding(
            "reagent-unreadable",
            Severity::Warning,
            text!("ReAgent.xml cannot be read"),
            text!("Which recovery partition this Windows uses is therefore unknown."),
            next,
            vec![evidence(at_reagent(windows), Text::raw(problem))],
        ),
        _ => finding(
            "reagent-missing",
            Severity::Warning,
            text!(
                "The Windows on partition {number} has no ReAgent.xml",
                number = windows.partition
            ),
            text!("Without it there is no recovery environment that Windows would find or update."),
            next,
            vec![evidence(at_reagent(windows), text!("not found"))],
        ),
    }
}

/// What goes before the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// Something that has to be done.
    Step,
    /// Something that makes them needless.
    OtherWay,
}

/// What a person types in Windows, one after another.
pub(super) fn in_command_prompt(before: Before, steps: impl IntoIterator<Item = Text>) -> Text {
    let steps = Text::facts(steps);
    match before {
        Before::Nothing => text!(
            "In that Windows, in a Command Prompt (not PowerShell) of an administrator: {steps}.",
            steps
        ),
        Before::Step => text!(
            "Then, in that Windows, in a Command Prompt (not PowerShell) of an administrator: {steps}.",
            steps
        ),
        Before::OtherWay => text!(
            "Without one, in that Windows, in a Command Prompt (not PowerShell) of an administrator: {steps}.",
            steps
        ),
    }
}

/// The commands that put an image in place. `copy` says how it comes to where `reagentc /enable` takes it from.
fn enable_with(before: Before, copy: Text) -> Text {
    let steps = [
        Text::raw("`reagentc /disable`"),
        copy,
        Text::raw("`reagentc /enable`"),
    ];
    in_command_prompt(before, steps)
}

fn image_gone(observation: &Observation, windows: &Windows, place: Option<&Partition>) -> FindingReport {
    let path = windows.image_path().unwrap_or_default();
    let detail = match place {
        Some(place) => text!(
            "ReAgent.xml of the Windows on partition {windows} says that it is {path} on partition {number}. It is \
             not there, so this Windows has no working recovery environment, and gets no updates for one.",
            windows = windows.partition,
            path,
            number = place.number
        ),
        None => text!(
            "ReAgent.xml of the Windows on partition {windows} names a place on this disk where no partition begins, \
             so this Windows has no working recovery environment, and gets no updates for one.",
            windows = windows.partition
        ),
    };
    let unknown = place.filter(|place| awaits_unknown_image(observation, place));
    let detail = Text::sentences([detail].into_iter().chain(unknown.map(|place| {
        text!(
            "Whether partition {number} has room for it cannot be judged without an image; `winrefit fix` with --size \
             1000MiB makes it as large as a new one would be, unless it is already.",
            number = place.number
        )
    })));
    let own = observation.partition(windows.partition);
    let has = |at: &str| own.is_some_and(|own| own.image(at).is_some());
    let copy = if has(STAGED_IMAGE) {
        text!(r"leave Winre.wim in C:\Windows\System32\Recovery")
    } else if has(BACKUP_IMAGE) {
        Text::raw(r"`xcopy /h C:\$WinREAgent\Backup\Winre.wim C:\Windows\System32\Recovery\`")
    } else {
        where_from(observation, windows)
    };
    let too_small = place.filter(|place| lacks_room(observation, place));
    let first = too_small.map(|place| {
        text!(
            "First make partition {number} large enough for it (`winrefit plan`, `winrefit fix`).",
            number = place.number
        )
    });
    let warning = has(BACKUP_IMAGE).then(|| {
        text!("Do not let `reagentc /setreimage` point to $WinREAgent: that folder is a temporary one.")
    });
    let before = first.as_ref().map_or(Before::Nothing, |_| Before::Step);
    let commands = [enable_with(before, copy), check_place()];
    let next = Text::sentences(first.into_iter().chain(commands).chain(warning));
    let mut rests_on = vec![pointer(windows)];
    rests_on.extend(searched(observation, windows, place));
    finding(
        "winre-image-gone",
        Severity::Problem,
        text!("WinRE is enabled, but its image is gone"),
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
            text!("partition {number}, first sector", number),
            text!("found: {found}", found = place.content.text()),
        ),
    ];
    let is_known = matches!(place.content, Content::Fat(_) | Content::ExFat | Content::Refs);
    match place.content {
        Content::DamagedNtfs(_) => None,
        _ if is_known && !place.is_recovery_type() => Some(finding(
            "winre-out-of-sight",
            Severity::Warning,
            text!(
                "WinRE of the Windows on partition {user} lies on a volume that is not NTFS",
                user
            ),
            text!(
                "winrefit does not look into partition {number}. Whether WinRE works cannot be told from here.",
                number
            ),
            text!("Look at `reagentc /info` in Windows."),
            rests_on,
        )),
        Content::BitLocker => Some(finding(
            "re-encrypted",
            Severity::Warning,
            text!(
                "The recovery partition {number} is encrypted by BitLocker",
                number
            ),
            text!(
                "Windows on partition {user} relies on it, and cannot start a recovery environment from there.",
                user
            ),
            text!(
                "In Windows, as administrator: give that partition a letter with diskpart (R:, for example), `manage-bde \
                 -off R:`, take the letter away, then `reagentc /disable` and `reagentc /enable`."
            ),
            rests_on,
        )),
        _ => Some(finding(
            "re-unreadable",
            Severity::Problem,
            text!("The recovery partition {number} holds no readable volume", number),
            text!(
                "Windows on partition {user} relies on it, so this Windows has no working recovery environment.",
                user
            ),
            text!(
                "Keep a copy of the disk. In Windows, `reagentc /disable` and `reagentc /enable` choose a place anew, \
                 if the image still exists."
            ),
            rests_on,
        )),
    }
}

fn elsewhere(windows: &Windows) -> FindingReport {
    finding(
        "winre-on-another-disk",
        Severity::Warning,
        text!("WinRE is enabled, on a disk that is not this one"),
        text!(
            "ReAgent.xml of the Windows on partition {number} names a disk of another identity: a second disk, or the \
             one that this disk was cloned from. Whether it works cannot be told from here.",
            number = windows.partition
        ),
        text!(
            "Look at `reagentc /info` in Windows. If the other disk is gone, `reagentc /disable` and `reagentc \
             /enable` choose a place anew."
        ),
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
            text!("WinRE lies on the Windows volume itself"),
        )
    } else {
        ("winre-on-data-volume", text!("WinRE lies on a volume for data"))
    };
    let unused = observation
        .partitions
        .iter()
        .find(|p| p.is_recovery_type() && !is_named(observation, p));
    let instead = match unused {
        Some(unused) => text!(
            "Recovery partition {number} is there and not used.",
            number = unused.number
        ),
        None => text!("This disk has no recovery partition."),
    };
    let detail = Text::sentences([
        instead,
        text!(
            "WinRE works like this, and for its updates 250 MiB have to be free on partition {number}. But it shares \
             that volume's fate: it does not start when the volume is damaged, and Windows does not enable it there \
             once BitLocker encrypts the volume.",
            number
        ),
    ]);
    let room = place.free_bytes().map(servicing);
    let next = match unused {
        Some(unused) => Text::sentences([
            text!(
                "To use partition {number}: `reagentc /disable` and `reagentc /enable` in Windows, if it is large \
                 enough.",
                number = unused.number
            ),
            check_place(),
        ]),
        None => stays(own, &room, number),
    };
    let mut rests_on = vec![
        pointer(windows),
        evidence(on_partition(number, &image.path), describe(image)),
    ];
    rests_on.extend(room.iter().map(|rule| {
        let source = text!("partition {number}, $Bitmap", number);
        evidence(source, &rule.arithmetic)
    }));
    let severity = if room.is_some_and(|rule| !rule.met) {
        Severity::Problem
    } else {
        Severity::Warning
    };
    finding(code, severity, title, detail, next, rests_on)
}

/// What to do where there is no recovery partition that WinRE could go to.
fn stays(own: bool, room: &Option<RuleReport>, number: u32) -> Text {
    let missing = match room {
        None => text!(
            "It can stay while 250 MiB are free there, which `winrefit verify` measures, and BitLocker is off."
        ),
        Some(rule) if rule.met => text!("It can stay while 250 MiB are free there and BitLocker is off."),
        Some(rule) => text!(
            "Free {size} more on partition {number}, or let WinRE have another place.",
            size = Bytes(rule.required_bytes.saturating_sub(rule.available_bytes)),
            number
        ),
    };
    let place = if own {
        text!(
            "A recovery partition of its own is better: `winrefit plan --create` shows whether one can be made, `winrefit \
             fix --create` makes it."
        )
    } else {
        Text::sentences([
            text!("A recovery partition of its own is better."),
            back_to_windows(),
        ])
    };
    Text::sentences([missing, place])
}

fn image_unreadable(place: &Partition, image: &WinRe) -> Option<FindingReport> {
    let problem = image.version.as_ref().err()?;
    Some(finding(
        "winre-image-unreadable",
        Severity::Warning,
        text!("The WinRE image cannot be read"),
        text!("Its header or its description is damaged, so its version is unknown, and it may not start."),
        text!("Replace Winre.wim with one of the same Windows build."),
        vec![evidence(
            on_partition(place.number, &image.path),
            Text::raw(problem),
        )],
    ))
}

/// Whether a partition has not the room that the rules want.
pub(super) fn lacks_room(observation: &Observation, partition: &Partition) -> bool {
    space_rules(observation, partition).iter().any(|rule| !rule.met)
}
