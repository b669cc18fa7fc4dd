//! One Windows with all that is known of its recovery environment and its updates.

use crate::kb::{self, Version};
use crate::observation::{Observation, Partition, WinRe, Windows};
use crate::records::Records;
use crate::records::events::{Servicing, ServicingEvent, UpdateEvent, UpdateStep};
use crate::report::RuleReport;
use crate::rules::servicing;
use crate::winre::{State, state, waiting_image};

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

    /// Events of updates that failed and did not succeed later, oldest first, one for each update: the newest.
    pub fn outstanding(&self) -> Vec<&'c UpdateEvent> {
        let events = &self.records.events.updates;
        let mut left: Vec<&UpdateEvent> = Vec::new();
        for event in events {
            match event.what {
                UpdateStep::Failed => {
                    left.retain(|earlier| !is_same(earlier, event));
                    left.push(event);
                }
                UpdateStep::Installed => left.retain(|earlier| !is_same(earlier, event)),
                UpdateStep::Started | UpdateStep::Downloading => {}
            }
        }
        left
    }

    /// Failures of updates of WinRE that no success followed: neither of the same update nor of WinRE's servicing.
    pub fn winre_failures(&self) -> Vec<&'c UpdateEvent> {
        let serviced = self.last_success();
        let mut failures = self.outstanding();
        failures.retain(|event| is_winre(event) && serviced.is_none_or(|time| event.place.time > time));
        failures
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
    one.title == other.title || one.kbs.iter().any(|kb| other.kbs.contains(kb))
}
