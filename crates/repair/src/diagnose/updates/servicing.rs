//! What the servicing of WinRE says of itself: failed, broken off, placed nowhere, or known to do harm.

use super::case::Case;
use super::winre::{NO_SPACE, PHASE_OF_SPACE};
use super::words::{self, finding, hex, name};
use crate::diagnose::evidence;
use crate::kb::{self, Issue};
use crate::records::events::{Servicing, UpdateEvent};
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;
use crate::text::{Bytes, Text};

/// Servicing failed in a way that Microsoft does not explain.
pub(super) fn failed(case: &Case<'_>, updates: &[&UpdateEvent]) -> Option<FindingReport> {
    let failures = case.servicing_failures();
    let (event, phase, code) = failures
        .into_iter()
        .rev()
        .find(|(_, phase, code)| *phase != Some(PHASE_OF_SPACE) && *code != Some(NO_SPACE))?;
    let mut all = vec![words::servicing(case, event)];
    all.extend(updates.iter().map(|update| words::update(case, update)));
    let phase_words = phase.map_or_else(|| "?".to_owned(), |phase| phase.to_string());
    let code_words = code.map_or_else(|| "?".to_owned(), hex);
    Some(finding(
        "winre-servicing-failed",
        Severity::Warning,
        Confidence::Possible,
        [
            text!("Servicing of WinRE failed for another reason than space"),
            text!(
                "Windows gives the phase {phase} and the code {code}. Microsoft explains phase 2 only, which means too little \
                 space; what the others mean is not known.",
                phase = phase_words,
                code = code_words,
            ),
            text!(
                "Look at Logs\\WinREAgent\\setuperr.log in the Windows folder around that time. `reagentc /disable` and \
                 `reagentc /enable` put the image in place anew."
            ),
        ],
        all,
    ))
}

/// Servicing began, or was taken back, and nothing came after.
pub(super) fn unfinished(case: &Case<'_>) -> Option<FindingReport> {
    let last = case.records.events.servicing.last()?;
    let title = match last.what {
        Servicing::Started => text!("Servicing of WinRE began and did not end"),
        Servicing::Cancelled => text!("Servicing of WinRE was cancelled"),
        Servicing::RolledBack => text!("Servicing of WinRE was taken back"),
        Servicing::Succeeded { .. } | Servicing::Failed { .. } => return None,
    };
    Some(finding(
        "winre-servicing-unfinished",
        Severity::Warning,
        Confidence::Possible,
        [
            title,
            text!("The image may be the old one. It is replaced as a whole, so it is not half of either."),
            text!("Restart Windows and look for updates; look at the version of the image again afterwards."),
        ],
        vec![words::servicing(case, last)],
    ))
}

/// Win32 errors of reagentc that a place which is too small ends in: no suitable partition, disk full.
const NO_PLACE: [u32; 2] = [0x2, 0x70];

/// Windows looked for a place for WinRE, and found none with room: reagentc and Setup say so in their logs. Setup tries
/// several, so that one is refused means nothing where WinRE is in place.
pub(super) fn placement_failed(case: &Case<'_>) -> Option<FindingReport> {
    if case.room.is_some() {
        return None;
    }
    let logs = &case.records.logs;
    let is_enable = |command: &str| command.to_lowercase().contains("/enable");
    let enable = logs
        .commands
        .iter()
        .rev()
        .find(|command| is_enable(&command.command));
    let failed = enable.filter(|command| command.error.is_some_and(|error| NO_PLACE.contains(&error)));
    let too_little = |available: Option<u64>, required| available.zip(required).is_some_and(|(a, r)| a < r);
    let check = logs
        .space_checks
        .iter()
        .max_by_key(|check| check.place.time.clone());
    let check = check.filter(|check| too_little(check.available, check.required));
    // A place that was found later makes the test history.
    let check = check.filter(|_| enable.is_none() || failed.is_some());
    let mut all: Vec<Evidence> = failed
        .map(|command| words::line(case, &command.place))
        .into_iter()
        .collect();
    all.extend(check.map(|check| {
        let words = text!(
            "{available} available, {required} wanted, as Windows measured",
            available = Bytes(check.available.unwrap_or(0)),
            required = Bytes(check.required.unwrap_or(0))
        );
        evidence(words::line(case, &check.place).source, words)
    }));
    if all.is_empty() {
        return None;
    }
    let (severity, next) = if case.has_room_for_image() {
        (
            Severity::Note,
            text!(
                "There is room now. Run `reagentc /enable` in Windows, and check the place with `reagentc /info`."
            ),
        )
    } else {
        (
            Severity::Warning,
            text!("Make room (`winrefit plan`, `winrefit fix`), then run `reagentc /enable` in Windows."),
        )
    };
    Some(finding(
        "winre-placement-failed",
        severity,
        Confidence::Likely,
        [
            text!("Windows looked for a place for WinRE and found none"),
            text!(
                "`reagentc /enable` and Windows Setup take a partition of the recovery type only if the image fits with 52 MiB \
                 to spare. Else they take the Windows volume, or leave WinRE off."
            ),
            next,
        ],
        all,
    ))
}

/// An update that is known to leave a WinRE that does not start.
pub(super) fn may_not_start(case: &Case<'_>) -> Option<FindingReport> {
    let success = case.winre_success()?;
    let table = kb::table();
    let mut updates = success.kbs.iter().filter_map(|kb| table.update(*kb));
    let update = updates.find(|update| update.issue == Some(Issue::WinreMayNotStart))?;
    let cures = update.cured_by.iter().map(|kb| Text::raw(format!("KB{kb}")));
    let mut all = vec![words::update(case, success)];
    let number = case.windows.partition;
    all.push(evidence(
        text!("table of updates, KB{kb}", kb = Text::raw(update.kb.to_string())),
        text!(
            "Windows on partition {number} has installed it, and none that came later",
            number
        ),
    ));
    Some(finding(
        "winre-may-not-start",
        Severity::Warning,
        Confidence::Possible,
        [
            text!("The update installed last can leave a WinRE that does not start"),
            text!(
                "After {name} WinRE does not start on some machines. Whether this one is concerned cannot be told from the \
                 disk.",
                name = name(success)
            ),
            text!(
                "Install {cures} or a later update of WinRE, and try once whether WinRE starts (`reagentc /boottore`, then \
                 restart).",
                cures = Text::one_of(cures)
            ),
        ],
        all,
    ))
}
