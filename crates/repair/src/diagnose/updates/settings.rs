//! What Windows is set to, and in what state it is, as far as that stops updates or veils the reasons.

use super::case::Case;
use super::words::{self, finding};
use crate::diagnose::evidence;
use crate::records::services::Need;
use crate::records::{ProgramKind, REAGENT_COPY, SOFTWARE_HIVE, SYSTEM_HIVE, State};
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;
use crate::text::Text;
use winrefit_formats::{ReAgent, ReAgentLocation};

/// `ImageState` of a Windows whose setup is complete.
const SETUP_COMPLETE: &str = "IMAGE_STATE_COMPLETE";
/// The folder that servicing works in; what is in it goes away.
const TEMPORARY_FOLDER: &str = "$winreagent";

pub(super) fn findings(case: &Case<'_>) -> Vec<FindingReport> {
    let found = [
        disabled(case, Need::Updates),
        disabled(case, Need::Volumes),
        temporary_folder(case),
        copies_differ(case),
        setup_not_finished(case),
        restart(case),
        incomplete(case),
    ];
    found.into_iter().flatten().collect()
}

fn disabled(case: &Case<'_>, need: Need) -> Option<FindingReport> {
    let system = case.records.system.as_ref()?;
    let services = system.services.iter().filter(|service| service.is_disabled());
    let services = services
        .filter_map(|service| service.known())
        .filter(|known| known.need == need);
    let set = system.control_set.as_str();
    let names: Vec<_> = services.collect();
    if names.is_empty() {
        return None;
    }
    let mut all: Vec<Evidence> = names
        .iter()
        .map(|known| {
            let what = format!(r"{set}\Services\{}, Start = 4 ({})", known.name, known.title);
            words::value(case, SYSTEM_HIVE, what)
        })
        .collect();
    let programs = case
        .records
        .software
        .iter()
        .flat_map(|software| &software.programs);
    let optimisers = programs.filter(|program| program.kind == ProgramKind::Optimiser);
    all.extend(optimisers.map(|program| words::value(case, SOFTWARE_HIVE, &program.name)));
    let names = Text::all_of(names.iter().map(|known| Text::raw(known.title)));
    Some(match need {
        Need::Updates => finding(
            "update-service-disabled",
            Severity::Warning,
            Confidence::Certain,
            [
                text!("A service that updates need is switched off"),
                text!(
                    "Disabled: {names}. Somebody, a policy or a program has done that; Windows itself does not.",
                    names
                ),
                text!(
                    "`winrefit reset-update` with --only services sets it back to what Windows has by default, or do so in services.msc. Where it was \
                     meant, updates are managed in another way."
                ),
            ],
            all,
        ),
        Need::Volumes => finding(
            "volume-service-disabled",
            Severity::Note,
            Confidence::Certain,
            [
                text!("A service that Windows needs to shrink volumes is switched off"),
                text!(
                    "Disabled: {names}. winrefit does not need it; Disk Management and diskpart do.",
                    names
                ),
                text!("Nothing has to be done for a repair by winrefit."),
            ],
            all,
        ),
    })
}

/// WinRE bound to a folder that servicing clears.
fn temporary_folder(case: &Case<'_>) -> Option<FindingReport> {
    let reagent = case.windows.readable_reagent();
    let is_temporary = |path: &str| path.to_lowercase().contains(TEMPORARY_FOLDER);
    let places = reagent
        .into_iter()
        .flat_map(|r| r.winre_location.iter().chain(&r.image_location));
    let number = case.windows.partition;
    let mut all: Vec<Evidence> = places
        .filter(|place| is_temporary(&place.path))
        .map(|place| {
            let source = text!(
                "partition {number}, {file}",
                number,
                file = crate::observe::REAGENT_XML
            );
            evidence(source, Text::raw(place.path.clone()))
        })
        .collect();
    let is_bound = !all.is_empty();
    // The newest command decides what holds.
    let set_image = |command: &str| command.to_lowercase().contains("/setreimage");
    let last = case
        .records
        .logs
        .commands
        .iter()
        .rev()
        .find(|c| set_image(&c.command));
    let last = last.filter(|c| is_temporary(&c.command) && c.error.unwrap_or(0) == 0);
    all.extend(last.map(|command| words::line(case, &command.place)));
    if all.is_empty() {
        return None;
    }
    Some(finding(
        "winre-in-temporary-folder",
        Severity::Warning,
        if is_bound {
            Confidence::Certain
        } else {
            Confidence::Likely
        },
        [
            text!("WinRE was bound to a folder that Windows clears"),
            text!(
                "$WinREAgent is where servicing works. Advice in forums lets `reagentc /setreimage` point to its Backup folder; \
                 once that is cleared, WinRE has no image."
            ),
            if case.is_image_gone() {
                text!(
                    "Take the steps for the missing image, and do not let `reagentc /setreimage` point to $WinREAgent again."
                )
            } else {
                text!(
                    "In Windows, copy Winre.wim to C:\\Windows\\System32\\Recovery (`xcopy /h`), then `reagentc /disable`, \
                     `reagentc /setreimage /path C:\\Windows\\System32\\Recovery`, `reagentc /enable`."
                )
            },
        ],
        all,
    ))
}

/// The copy of ReAgent.xml beside the image says something else than Windows' own.
fn copies_differ(case: &Case<'_>) -> Option<FindingReport> {
    let own = case.windows.readable_reagent()?;
    let (number, copy) = case.records.reagent_copy.as_ref()?;
    if own.winre_location == copy.winre_location {
        return None;
    }
    let said = |reagent: &ReAgent| {
        let location = reagent.winre_location.as_ref();
        let place =
            |l: &ReAgentLocation| text!("byte {offset}, {path}", offset = l.offset, path = l.path.as_str());
        location.map_or_else(|| text!("no place named"), place)
    };
    let at = |number: u32, file| text!("partition {number}, {file}", number, file);
    Some(finding(
        "reagent-copy-differs",
        Severity::Note,
        Confidence::Certain,
        [
            text!("The copy of ReAgent.xml beside the image names another place than Windows' own"),
            text!(
                "Windows goes by its own one. The copy was left as it was when the partition was moved or made anew."
            ),
            text!("Nothing has to be done. `reagentc /disable` and `reagentc /enable` write both anew."),
        ],
        vec![
            evidence(at(case.windows.partition, crate::observe::REAGENT_XML), said(own)),
            evidence(at(*number, REAGENT_COPY), said(copy)),
        ],
    ))
}

fn setup_not_finished(case: &Case<'_>) -> Option<FindingReport> {
    let mut all = Vec::new();
    let software = case.records.software.as_ref();
    let state = software.and_then(|software| software.image_state.as_deref());
    let unfinished = state.filter(|state| !state.eq_ignore_ascii_case(SETUP_COMPLETE));
    all.extend(
        unfinished
            .map(|state| words::value(case, SOFTWARE_HIVE, format!(r"Setup\State, ImageState = {state}"))),
    );
    let in_progress = case
        .records
        .system
        .as_ref()
        .is_some_and(|system| system.setup_in_progress);
    all.extend(in_progress.then(|| {
        words::value(
            case,
            SYSTEM_HIVE,
            r"Setup, SystemSetupInProgress or OOBEInProgress",
        )
    }));
    if all.is_empty() {
        return None;
    }
    Some(finding(
        "setup-not-finished",
        Severity::Warning,
        Confidence::Certain,
        [
            text!("Windows Setup has not finished, or Windows is in audit mode"),
            text!("Until that is over reagentc refuses with 4c7, and WinRE is enabled at its end."),
            text!("Finish Setup (or sysprep) first; then look again."),
        ],
        all,
    ))
}

/// A restart that waits, where no finding speaks of it already.
fn restart(case: &Case<'_>) -> Option<FindingReport> {
    let (required, pending) = case.waits_for_restart();
    let told = case.room.as_ref().is_some_and(|rule| rule.met) && !case.winre_failures().is_empty();
    if told || !(required || pending) {
        return None;
    }
    Some(finding(
        "restart-pending",
        Severity::Note,
        Confidence::Certain,
        [
            text!("Windows waits for a restart to finish updates"),
            text!("Errors of updates that are shown until then may go away with it."),
            text!("Restart Windows before you judge its updates."),
        ],
        words::restart(case),
    ))
}

/// Sources that are missing or damaged: nothing found there means nothing.
fn incomplete(case: &Case<'_>) -> Option<FindingReport> {
    let number = case.windows.partition;
    let all: Vec<Evidence> = case
        .records
        .sources
        .iter()
        .filter_map(|source| {
            let what = match &source.state {
                State::Missing if source.is_expected => text!("not found"),
                State::Unreadable(problem) => text!("cannot be read: {problem}", problem = problem.as_str()),
                State::Read(reading) if !reading.damage.is_empty() => {
                    let first = reading.damage.first().map_or("", String::as_str);
                    text!("damaged in places: {first}", first)
                }
                _ => return None,
            };
            Some(evidence(
                text!("partition {number}, {path}", number, path = source.path),
                what,
            ))
        })
        .collect();
    if all.is_empty() {
        return None;
    }
    Some(finding(
        "records-incomplete",
        Severity::Note,
        Confidence::Certain,
        [
            text!("Records of Windows are missing or damaged"),
            text!("What they would have said is unknown: that nothing was found in them means nothing."),
            text!("Take the other findings as they are; look in Event Viewer if Windows starts."),
        ],
        all,
    ))
}
