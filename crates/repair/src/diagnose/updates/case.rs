//! One Windows with all that is known of its recovery environment and its updates.

use super::others::is_unknown;
use super::winre::{NO_SPACE, PHASE_OF_SPACE};
use super::words;
use crate::advice::make_room;
use crate::explain::rfc3339;
use crate::kb::{self, Version};
use crate::observation::{Observation, Partition, WinRe, Windows};
use crate::records::events::{Servicing, ServicingEvent, UpdateEvent, UpdateStep};
use crate::records::logs::LinePlace;
use crate::records::{Records, SYSTEM_LOG, State as SourceState};
use crate::report::{Evidence, RuleReport};
use crate::rules::servicing;
use crate::text::Text;
use crate::winre::{State, partition_to_be_used, space_rules, state, waiting_image};

/// "Fatal error during installation" (Win32 1603) as an HRESULT: an installer failed, whichever.
pub(super) const INSTALLER_FAILED: u32 = 0x8007_0643;
/// Servicing of WinRE belongs to an update that failed within the hour: in units of FILETIME.
const BESIDE: u64 = 3600 * 10_000_000;

/// 30 days in units of FILETIME.
const MONTH: u64 = 30 * 24 * 3600 * 10_000_000;

/// A Windows and its records.
pub(super) struct Case<'c> {
    pub observation: &'c Observation,
    pub windows: &'c Windows,
    pub records: &'c Records,
    /// Where its image is, and the image; of a disabled one, the image that waits.
    pub image: Option<(&'c Partition, &'c WinRe)>,
    /// The room for servicing on the volume with the image in use.
    pub room: Option<RuleReport>,
}

impl<'c> Case<'c> {
    pub fn new(observation: &'c Observation, records: &'c Records) -> Option<Self> {
        let mut all = observation.windows.iter();
        let windows = all.find(|windows| windows.partition == records.partition)?;
        let present = match state(observation, windows) {
            State::Present(place, image) => Some((place, image)),
            _ => None,
        };
        let own = observation.partition(windows.partition)?;
        let waiting = || waiting_image(observation, windows).map(|image| (own, image));
        Some(Self {
            observation,
            windows,
            records,
            image: present.or_else(waiting),
            room: present.and_then(|(place, _)| place.free_bytes()).map(servicing),
        })
    }

    /// How the volume of the image gets room.
    pub fn make_room(&self) -> Text {
        match self.image {
            Some((place, _)) => make_room(self.observation, place),
            None => Text::empty(),
        }
    }

    /// Whether the image is in place, enabled.
    pub fn is_present(&self) -> bool {
        matches!(state(self.observation, self.windows), State::Present(..))
    }

    /// The build of this Windows.
    pub fn build(&self) -> Option<u32> {
        self.records.software.as_ref()?.build
    }

    /// Whether it may be a Server Core.
    pub fn is_server_core(&self) -> bool {
        let kind = self
            .records
            .software
            .as_ref()
            .and_then(|software| software.installation_type.as_deref());
        kind == Some("Server Core")
    }

    /// Version of the image, if it can be read.
    pub fn image_version(&self) -> Option<Version> {
        let (_, image) = self.image?;
        image.version.clone().ok().flatten().map(Version::from)
    }

    /// Whether a restart waits: of Windows Update, of servicing.
    pub fn waits_for_restart(&self) -> (bool, bool) {
        let software = self.records.software.as_ref();
        software.map_or((false, false), |s| (s.restart_required, s.restart_pending))
    }

    /// Events of updates that failed and did not succeed later, oldest first, one for each update: the newest. A later
    /// update of the same product counts, but for WinRE, whose updates share their titles with others. What is half a year
    /// older than the newest record is history.
    pub fn outstanding(&self) -> Vec<&'c UpdateEvent> {
        let events = &self.records.events.updates;
        let mut left: Vec<&UpdateEvent> = Vec::new();
        for event in events {
            match event.what {
                UpdateStep::Failed => {
                    left.retain(|earlier| !is_same(earlier, event));
                    left.push(event);
                }
                UpdateStep::Installed => {
                    left.retain(|earlier| !is_same(earlier, event) && !is_followed(earlier, event));
                }
                UpdateStep::Started | UpdateStep::Downloading => {}
            }
        }
        let newest = self.records.events.system_span.map_or(0, |(_, newest)| newest);
        left.retain(|event| is_winre(event) || newest.saturating_sub(event.place.time) <= 6 * MONTH);
        left
    }

    /// Whether an event is of an update of WinRE: by number or name, or because servicing of WinRE failed beside it.
    pub fn concerns_winre(&self, event: &UpdateEvent) -> bool {
        let is_near = |other: &ServicingEvent| {
            matches!(other.what, Servicing::Failed { .. })
                && other.place.time.abs_diff(event.place.time) <= BESIDE
        };
        let beside = || self.records.events.servicing.iter().any(is_near);
        is_winre(event) || event.code == Some(INSTALLER_FAILED) && is_unknown(event) && beside()
    }

    /// Failures of updates of WinRE that no success followed: neither of the same update nor of WinRE's servicing.
    pub fn winre_failures(&self) -> Vec<&'c UpdateEvent> {
        let serviced = self.last_success();
        let mut failures = self.outstanding();
        failures.retain(|event| {
            self.concerns_winre(event) && serviced.is_none_or(|time| event.place.time > time)
        });
        failures
    }

    /// Whether a line of a log was written after the last success of WinRE, by its date: logs have the time of the machine.
    pub fn is_outstanding(&self, place: &LinePlace) -> bool {
        let Some(success) = self.last_success().map(rfc3339) else {
            return true;
        };
        let date = |text: &str| text.get(..10).map(str::to_owned);
        place.time.as_deref().and_then(date) > date(&success)
    }

    /// Whether an update waits in the folder of WinRE's servicing. One that has lain there for a month before Windows ran
    /// last waits for nothing any more.
    pub fn is_staged(&self) -> bool {
        let Some(folder) = &self.records.work_folder else {
            return false;
        };
        let is_old = |(_, last): (u64, u64)| {
            folder
                .modified
                .is_some_and(|time| last.saturating_sub(time) > MONTH)
        };
        let says_so = |staged: &str| matches!(staged.trim().to_ascii_lowercase().as_str(), "true" | "1");
        folder.staged.as_deref().is_some_and(says_so) && !self.records.events.system_span.is_some_and(is_old)
    }

    /// Whether WinRE is on, and its image is not where it should be.
    pub fn is_image_gone(&self) -> bool {
        matches!(state(self.observation, self.windows), State::Gone(_))
    }

    /// Whether the recovery partition that would be used has room for the image that waits.
    pub fn has_room_for_image(&self) -> bool {
        let place = partition_to_be_used(self.observation);
        let rules = place.map(|partition| space_rules(self.observation, partition));
        rules.is_some_and(|rules| !rules.is_empty() && rules.iter().all(|rule| rule.met))
    }

    /// Whether the log System was read whole, so that what is not in it did not happen as far as it reaches back.
    pub fn has_whole_log(&self) -> bool {
        let source = self
            .records
            .sources
            .iter()
            .find(|source| source.path == SYSTEM_LOG);
        source.is_some_and(|source| match &source.state {
            SourceState::Read(reading) => !reading.newest_part && reading.damage.is_empty(),
            _ => false,
        })
    }

    /// Failures of updates of WinRE, made good or not.
    pub fn all_winre_failures(&self) -> impl Iterator<Item = &'c UpdateEvent> {
        let events = self.records.events.updates.iter();
        events.filter(|event| event.what == UpdateStep::Failed && is_winre(event))
    }

    /// The newest success of an update of WinRE.
    pub fn winre_success(&self) -> Option<&'c UpdateEvent> {
        let mut events = self.records.events.updates.iter().rev();
        events.find(|event| event.what == UpdateStep::Installed && is_winre(event))
    }

    /// The newest success of WinRE's servicing.
    pub fn serviced(&self) -> Option<&'c ServicingEvent> {
        let mut events = self.records.events.servicing.iter().rev();
        events.find(|event| matches!(event.what, Servicing::Succeeded { .. }))
    }

    /// When WinRE was updated last, as Windows says.
    pub fn last_success(&self) -> Option<u64> {
        let update = self.winre_success().map(|event| event.place.time);
        update.max(self.serviced().map(|event| event.place.time))
    }

    /// Failures of WinRE's servicing for want of space since its last success, the newest first.
    pub fn space_failures(&self) -> Vec<Evidence> {
        let failures = self.servicing_failures().into_iter().rev();
        let of_space =
            failures.filter(|(_, phase, code)| *phase == Some(PHASE_OF_SPACE) || *code == Some(NO_SPACE));
        of_space
            .take(3)
            .map(|(event, ..)| words::servicing(self, event))
            .collect()
    }

    /// Failures of WinRE's servicing since its last success.
    pub fn servicing_failures(&self) -> Vec<(&'c ServicingEvent, Option<i64>, Option<u32>)> {
        let success = self.last_success();
        let events = self.records.events.servicing.iter();
        events
            .filter(|event| success.is_none_or(|time| event.place.time > time))
            .filter_map(|event| match event.what {
                Servicing::Failed { phase, code } => Some((event, phase, code)),
                _ => None,
            })
            .collect()
    }
}

/// Whether the event is of an update of WinRE.
pub(super) fn is_winre(event: &UpdateEvent) -> bool {
    kb::table().is_winre(&event.kbs, &event.title)
}

/// Whether two events are of the same update. Titles are in one language on one machine, but may change with it.
fn is_same(one: &UpdateEvent, other: &UpdateEvent) -> bool {
    let by_title = !one.title.is_empty() && one.title == other.title;
    by_title || one.kbs.iter().any(|kb| other.kbs.contains(kb))
}

/// Whether a later event is of a later update of the same thing: titles that differ in numbers only.
fn is_followed(earlier: &UpdateEvent, later: &UpdateEvent) -> bool {
    let words = |event: &UpdateEvent| -> String {
        let letters = event.title.chars().filter(|letter| letter.is_alphabetic());
        letters.flat_map(char::to_lowercase).collect()
    };
    let earlier_words = words(earlier);
    !is_winre(earlier) && !earlier_words.is_empty() && earlier_words == words(later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::events::EventPlace;

    fn event(title: &str) -> UpdateEvent {
        UpdateEvent {
            place: EventPlace {
                log: "",
                record: 1,
                provider: "WindowsUpdateClient",
                id: 20,
                time: 0,
            },
            what: UpdateStep::Failed,
            code: Some(INSTALLER_FAILED),
            title: title.to_owned(),
            kbs: winrefit_formats::kb_numbers(title),
        }
    }

    #[test]
    fn the_same_update_is_told_by_number_or_title() {
        assert!(is_same(
            &event("Sicherheitsupdate (KB5034441)"),
            &event("Security Update (KB5034441)")
        ));
        assert!(is_same(&event("An update"), &event("An update")));
        assert!(!is_same(&event(""), &event("")));
        assert!(!is_same(
            &event("2024-01 Update (KB5034275)"),
            &event("2024-02 Update (KB5034685)")
        ));
    }

    #[test]
    fn a_later_update_of_the_same_product_follows_but_not_one_of_winre() {
        let followed = |one: &str, other: &str| is_followed(&event(one), &event(other));
        assert!(followed(
            "2024-01 Cumulative Update for .NET Framework 3.5 and 4.8 (KB5034275)",
            "2024-02 Cumulative Update for .NET Framework 3.5 and 4.8 (KB5034685)"
        ));
        assert!(!followed(
            "2024-01 Cumulative Update for .NET Framework 3.5 and 4.8 (KB5034275)",
            "2024-02 Cumulative Update for Windows 10 Version 22H2 (KB5034763)"
        ));
        assert!(!followed(
            "2024-01 Security Update for Windows 10 Version 22H2 (KB5034441)",
            "2024-02 Security Update for Windows 10 Version 22H2 (KB5030000)"
        ));
        assert!(!followed("", "2024-02 (KB5034685)"));
    }
}
