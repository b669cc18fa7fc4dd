//! What Windows has written down, as parts of the report.

use crate::explain::rfc3339;
use crate::kb;
use crate::records::events::{EventPlace, Servicing, UpdateStep};
use crate::records::services::{AUTOMATIC, DISABLED, MANUAL, Service};
use crate::records::usage::Usage;
use crate::records::{Records, State};
use crate::report::{
    FileUsageReport, RegistryReport, Report, ServiceReport, SourceReport, TimelineReport, UsageReport,
};
use crate::text;
use crate::text::Text;

/// Most entries of the timeline, the newest ones.
const TIMELINE_MAX: usize = 200;

/// Adds what was read of each Windows, and of the recovery volume.
pub(in crate::commands) fn add_records(report: &mut Report, records: &[Records], usage: Option<&Usage>) {
    report.timeline = records.iter().flat_map(timeline).collect();
    report.timeline.sort_by(|one, other| one.time.cmp(&other.time));
    let surplus = report.timeline.len().saturating_sub(TIMELINE_MAX);
    report.timeline.drain(..surplus);
    report.sources = records.iter().flat_map(sources).collect();
    for windows in &mut report.windows {
        let of_it = records
            .iter()
            .find(|records| records.partition == windows.partition);
        windows.registry = of_it.and_then(registry);
        let software = of_it.and_then(|records| records.software.as_ref());
        if let Some(software) = software {
            // With the changes that waited in the hive's logs.
            windows.product = software.product.clone();
            windows.display_version = software.display_version.clone();
        }
    }
    if let (Some(recovery), Some(usage)) = (report.recovery.as_mut(), usage) {
        recovery.usage = Some(usage_report(usage));
    }
}

fn timeline(records: &Records) -> Vec<TimelineReport> {
    let entry = |place: &EventPlace, what: Text, kind| TimelineReport {
        time: rfc3339(place.time),
        partition: records.partition,
        source: place.words(),
        what,
        kind,
    };
    let events = &records.events;
    let updates = events.updates.iter().filter_map(|event| {
        let kind = match event.what {
            UpdateStep::Failed => "failure",
            // Most machines install definitions every day: of what succeeded only WinRE's updates are told.
            _ if !kb::table().is_winre(&event.kbs, &event.title) => return None,
            UpdateStep::Installed => "success",
            UpdateStep::Started | UpdateStep::Downloading => "other",
        };
        Some(entry(&event.place, event.words(), kind))
    });
    let servicing = events.servicing.iter().map(|event| {
        let kind = match event.what {
            Servicing::Succeeded { .. } => "success",
            Servicing::Failed { .. } => "failure",
            _ => "other",
        };
        entry(&event.place, event.words(), kind)
    });
    let installer = events
        .installer
        .iter()
        .map(|event| entry(&event.place, event.words(), "failure"));
    let defrag = events
        .defrag
        .iter()
        .map(|event| entry(&event.place, event.words(), "other"));
    updates.chain(servicing).chain(installer).chain(defrag).collect()
}

fn sources(records: &Records) -> Vec<SourceReport> {
    let report = |source: &crate::records::SourceState| {
        let (state, detail) = match &source.state {
            State::Missing => ("missing", Text::empty()),
            State::Unreadable(problem) => ("unreadable", Text::raw(problem.clone())),
            State::Read(reading) => {
                let state = match reading.damage.is_empty() {
                    false => "damaged",
                    true if reading.newest_part => "newest-part",
                    true => "read",
                };
                let logs = reading
                    .from_logs
                    .then(|| text!("with changes from its log files"));
                let damage = reading.damage.iter().map(|damage| Text::raw(damage.clone()));
                (state, Text::listed(logs.into_iter().chain(damage)))
            }
        };
        SourceReport {
            partition: records.partition,
            path: source.path.to_owned(),
            state,
            detail,
        }
    };
    records.sources.iter().map(report).collect()
}

fn registry(records: &Records) -> Option<RegistryReport> {
    if records.software.is_none() && records.system.is_none() {
        return None;
    }
    let software = records.software.clone().unwrap_or_default();
    let system = records.system.clone().unwrap_or_default();
    let table = kb::table();
    let is_winre = |kb: u32| table.is_winre(&[kb], "");
    let mut packages: Vec<String> = software
        .packages
        .iter()
        .filter(|(kb, _)| is_winre(*kb))
        .map(|(kb, _)| format!("KB{kb}"))
        .collect();
    packages.dedup();
    Some(RegistryReport {
        computer_name: system.computer_name,
        edition: software.edition,
        installation_type: software.installation_type,
        winre_version: software.winre_version,
        restart_pending: software.restart_required || software.restart_pending,
        setup_state: software.image_state,
        winre_packages: packages,
        services: system.services.iter().filter_map(service).collect(),
        programs: software
            .programs
            .into_iter()
            .map(|program| program.name)
            .collect(),
        firewall: system.firewall.to_vec(),
    })
}

fn service(service: &Service) -> Option<ServiceReport> {
    let known = service.known()?;
    let word = |start| match start {
        AUTOMATIC => "automatic",
        MANUAL => "manual",
        DISABLED => "disabled",
        _ => "other",
    };
    Some(ServiceReport {
        name: known.name,
        title: known.title,
        start: match service.start {
            Some(start) if word(start) == "other" => start.to_string(),
            Some(start) => word(start).to_owned(),
            None => "missing".to_owned(),
        },
        default: known.defaults.first().map_or("other", |start| word(*start)),
        is_disabled: service.is_disabled(),
    })
}

fn usage_report(usage: &Usage) -> UsageReport {
    let files = usage.files.iter().map(|file| FileUsageReport {
        path: file.path.clone(),
        bytes: file.bytes,
        is_winre: file.is_winre,
    });
    UsageReport {
        files: files.collect(),
        other_bytes: usage.other_bytes,
        metadata_bytes: usage.metadata_bytes,
    }
}
