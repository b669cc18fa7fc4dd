//! Findings on the boot store: whether it starts the recovery environment that ReAgent.xml names.

use super::winre::pointer;
use super::{evidence, finding};
use crate::boot::{BootContent, BootStore, Break, Outcome, agrees, outcome};
use crate::observation::{Observation, Windows};
use crate::report::{Evidence, FindingReport, Severity};
use crate::text;
use crate::text::Text;
use crate::winre::{State, state};

fn anew() -> Text {
    text!(
        "In that Windows, in a Command Prompt of an administrator: `reagentc /disable`, then `reagentc /enable`, \
         which writes both anew."
    )
}

/// Findings on all stores that may be in use.
pub(super) fn of_disk(observation: &Observation) -> Vec<FindingReport> {
    let mut findings = Vec::new();
    let in_use = observation.boot_stores.iter();
    for store in in_use.filter(|store| !observation.is_leftover(store)) {
        match &store.content {
            Err(problem) => findings.push(unreadable(store, problem)),
            Ok(content) => {
                if observation.lacks_boot_manager(store) {
                    findings.push(no_boot_manager(store));
                }
                let windows = observation.windows.iter();
                let windows = windows.filter(|windows| observation.may_start(store, windows));
                findings.extend(windows.filter_map(|windows| of_way(observation, (store, content), windows)));
            }
        }
    }
    findings
}

fn unreadable(store: &BootStore, problem: &Text) -> FindingReport {
    finding(
        "boot-store-unreadable",
        Severity::Warning,
        text!(
            "The boot store on partition {number} cannot be read",
            number = store.partition
        ),
        text!(
            "Windows starts from it, and finds its recovery environment through it. Whether both work cannot be told \
             from here."
        ),
        text!(
            "If Windows does not start: from installation media, `bootrec /rebuildbcd` or `bcdboot` makes it anew; \
             then `reagentc /enable` in Windows."
        ),
        vec![evidence(store.place(), problem)],
    )
}

fn no_boot_manager(store: &BootStore) -> FindingReport {
    let path = store.boot_manager_path;
    finding(
        "no-boot-manager",
        Severity::Warning,
        text!(
            "The active partition, {number}, has no boot manager",
            number = store.partition
        ),
        text!(
            "The machine starts {path} from it, and that is not there: neither Windows nor WinRE starts from this disk.",
            path
        ),
        text!(
            r"From installation media: give the partition a letter with diskpart (S:, for example), then `bcdboot C:\Windows /s S: /f BIOS`."
        ),
        vec![evidence(store.place(), text!("{path} is not beside it", path))],
    )
}

fn of_way(
    observation: &Observation,
    (store, content): (&BootStore, &BootContent),
    windows: &Windows,
) -> Option<FindingReport> {
    let gone = match state(observation, windows) {
        State::Disabled | State::Unknown => return None,
        State::Gone(place) => place.map(|place| place.number),
        _ => None,
    };
    match outcome(observation, content, windows) {
        Outcome::Whole { partition, path } if !agrees(observation, windows, partition, &path) => {
            Some(disagrees((store, windows), partition, &path))
        }
        // That the image is gone from its place is told by another finding.
        Outcome::Broken(Break::NoFile {
            partition,
            problem: None,
            ..
        }) if gone == Some(partition) => None,
        Outcome::Broken(broken) => Some(broken_chain(store, windows, &broken)),
        _ => None,
    }
}

/// What stands in the store, and how it was read.
fn in_store(store: &BootStore, value: Text) -> Vec<Evidence> {
    let read = store.reading().map(|how| evidence(store.place(), how));
    [evidence(store.place(), value)].into_iter().chain(read).collect()
}

fn disagrees((store, windows): (&BootStore, &Windows), partition: u32, path: &str) -> FindingReport {
    let mut rests_on = vec![pointer(windows)];
    rests_on.extend(in_store(
        store,
        text!("WinRE is {path} on partition {partition}", path, partition),
    ));
    let serviced = match windows.recovery_partition {
        Some(named) => {
            text!(
                "ReAgent.xml decides what updates service: the one on partition {named}.",
                named
            )
        }
        None => text!("ReAgent.xml decides what updates service: none on this disk."),
    };
    let started = text!(
        "The boot store decides what starts when Windows on partition {windows} fails: the image on partition \
         {partition}.",
        windows = windows.partition,
        partition
    );
    finding(
        "boot-store-disagrees",
        Severity::Warning,
        text!("ReAgent.xml and the boot store name different recovery environments"),
        Text::sentences([
            started,
            serviced,
            text!("So the one that starts gets no updates."),
        ]),
        Text::sentences([anew(), text!("`reagentc /info` shows what it then names.")]),
        rests_on,
    )
}

fn broken_chain(store: &BootStore, windows: &Windows, broken: &Break) -> FindingReport {
    let mut rests_on = in_store(store, broken.text());
    rests_on.push(pointer(windows));
    finding(
        "boot-chain-broken",
        Severity::Warning,
        text!("WinRE is enabled, but the boot store does not lead to it"),
        text!(
            "The way from the boot manager over the loader of Windows on partition {number} to WinRE ends early, so \
             WinRE does not start by itself when Windows fails.",
            number = windows.partition
        ),
        anew(),
        rests_on,
    )
}
