//! How the records are cited.

use super::case::Case;
use crate::diagnose::{evidence, evidence_at};
use crate::explain::Explained;
use crate::records::SOFTWARE_HIVE;
use crate::records::events::{EventPlace, OtherEvent, ServicingEvent, UpdateEvent};
pub(super) use crate::records::words::hex;
use crate::report::{Confidence, Evidence, FindingReport, RuleReport, Severity};
use crate::text;
use crate::text::Text;

/// A finding with the certainty of its judgement.
pub(super) fn finding(
    code: &'static str,
    severity: Severity,
    confidence: Confidence,
    [title, detail, next]: [Text; 3],
    evidence: Vec<Evidence>,
) -> FindingReport {
    FindingReport {
        code,
        severity,
        confidence,
        explained: Explained::new(title, detail, next),
        evidence,
    }
}

fn at(case: &Case<'_>, place: &EventPlace) -> Text {
    text!(
        "partition {number}, {place}",
        number = case.windows.partition,
        place = place.words()
    )
}

/// An event of Windows Update.
pub(super) fn update(case: &Case<'_>, event: &UpdateEvent) -> Evidence {
    evidence_at(at(case, &event.place), event.words(), event.place.time)
}

/// An event of WinRE's servicing.
pub(super) fn servicing(case: &Case<'_>, event: &ServicingEvent) -> Evidence {
    evidence_at(at(case, &event.place), event.words(), event.place.time)
}

/// An event of another program.
pub(super) fn other(case: &Case<'_>, event: &OtherEvent) -> Evidence {
    evidence_at(at(case, &event.place), event.words(), event.place.time)
}

/// The room on the volume of the image.
pub(super) fn room(case: &Case<'_>, rule: &RuleReport) -> Option<Evidence> {
    let (place, _) = case.image?;
    let number = place.number;
    Some(evidence(
        text!("partition {number}, $Bitmap", number),
        rule.arithmetic.clone(),
    ))
}

/// A value of the registry. `hive` is the path of its file.
pub(super) fn value(case: &Case<'_>, hive: &str, what: impl Into<String>) -> Evidence {
    let number = case.windows.partition;
    evidence(text!("partition {number}, {hive}", number, hive), Text::raw(what))
}

/// The marks of a restart that waits.
pub(super) fn restart(case: &Case<'_>) -> Vec<Evidence> {
    let (required, pending) = case.waits_for_restart();
    let update = required.then_some(r"WindowsUpdate\Auto Update\RebootRequired");
    let servicing = pending.then_some(r"Component Based Servicing\RebootPending");
    let marks = update.into_iter().chain(servicing);
    marks.map(|mark| value(case, SOFTWARE_HIVE, mark)).collect()
}

/// The version in the image itself.
pub(super) fn image_version(case: &Case<'_>) -> Option<Evidence> {
    let (place, image) = case.image?;
    let version = case.image_version()?;
    let path = image.path.as_str();
    Some(evidence(
        text!("partition {number}, {path}", number = place.number, path),
        text!("version {version}", version = version.to_string()),
    ))
}

/// `KB5034441`, or the title of an update without a number.
pub(super) fn name(event: &UpdateEvent) -> Text {
    Text::raw(match event.kbs.first() {
        Some(kb) => format!("KB{kb}"),
        None => event.title.clone(),
    })
}

/// A line of a text log. Logs have the time of the machine, without its zone.
pub(super) fn line(case: &Case<'_>, place: &crate::records::logs::LinePlace) -> Evidence {
    let (number, log) = (case.windows.partition, place.log);
    let offset = Text::raw(place.offset.to_string());
    let source = match &place.time {
        Some(time) => text!(
            "partition {number}, {log}, byte {offset}, {time} local time",
            number,
            log,
            offset,
            time
        ),
        None => text!("partition {number}, {log}, byte {offset}", number, log, offset),
    };
    evidence(source, Text::raw(place.line.clone()))
}
