//! The partitions that change, in numbers.

use super::glyphs as g;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{bytes, name, with_all};
use super::typeset::{pad, width};
use std::cmp::Ordering;
use std::ops::Range;
use winrefit_repair::explain::size;
use winrefit_repair::report::{ChangeReport, DiskReport, PlanReport, Report, Verdict};
use winrefit_repair::text;
use winrefit_repair::text::{Bytes, Text};

/// Columns of a partition's name, at least.
const NAME: usize = 14;

/// A line for each, and the free space of the recovery volume.
pub fn section(page: &mut Page, report: &Report) {
    let (Some(disk), Some(plan)) = (&report.disk, &report.plan) else {
        return;
    };
    let disk = &with_all(disk, plan);
    let language = page.language();
    let free_title = format!("  {}", language.say(text!("free")));
    // The words of this language are not cut, however long they are.
    let own = [
        format!("4 {}", language.say(text!("Recovery"))),
        free_title.clone(),
    ];
    let longest = own.iter().map(|title| width(title)).max().unwrap_or(0);
    let columns = NAME.max(longest + 1);
    for change in &plan.changes {
        let title = disk
            .partitions
            .iter()
            .find(|partition| partition.number == change.partition)
            .map_or_else(String::new, |partition| language.say(name(partition)));
        let title = pad(&format!("{} {title}", change.partition), columns - 1) + " ";
        let lead = vec![Span::new(title, Tone::Quiet)];
        page.hanging(MARGIN, lead, line(disk, plan, change), Tone::Plain);
    }
    if !plan.changes.is_empty() {
        let lead = vec![Span::new(pad(&free_title, columns), Tone::Quiet)];
        let words = match report.recovery.as_ref().map(|recovery| recovery.partition) {
            Some(number) => text!("{free} on partition {number}", free = free(report, plan), number),
            None => free(report, plan),
        };
        page.hanging(MARGIN, lead, words, Tone::Strong);
    }
    page.blank();
}

/// Free space of the recovery volume before and after; where it is new, after.
pub fn free(report: &Report, plan: &PlanReport) -> Text {
    let measured = report.recovery.as_ref().and_then(|recovery| recovery.free_bytes);
    let after = match report.verdict {
        Verdict::NeedsRepair => plan.recovery_free_bytes_after,
        _ => measured.or(plan.recovery_free_bytes_after),
    };
    match (plan.recovery_free_bytes_before, after) {
        (Some(before), Some(after)) if before != after => to(before, after),
        (_, Some(bytes)) | (Some(bytes), None) => Bytes(bytes).into(),
        (None, None) => text!("unknown"),
    }
}

/// An arrow that is an arrow in ASCII as well.
fn to(before: u64, after: u64) -> Text {
    text!(
        "{before} {arrow} {after}",
        before = Bytes(before),
        arrow = format!("{}{}", g::LINE, g::TO_RIGHT),
        after = Bytes(after)
    )
}

/// Whether a partition goes to a place that has nothing of the old one.
pub fn is_elsewhere(change: &ChangeReport) -> bool {
    let (before, after) = (change.before, change.after);
    let end = |range: winrefit_repair::report::RangeReport| range.start_lba.saturating_add(range.sectors);
    before.sectors > 0
        && after.sectors > 0
        && (after.start_lba >= end(before) || end(after) <= before.start_lba)
}

fn line(disk: &DiskReport, plan: &PlanReport, change: &ChangeReport) -> Text {
    let before = bytes(change.before, disk.sector_size_bytes);
    let after = bytes(change.after, disk.sector_size_bytes);
    let (size_before, size_after) = (length(&before), length(&after));
    if change.before.sectors == 0 {
        return text!("new, {size}", size = Bytes(size_after));
    }
    if change.after.sectors == 0 {
        let size = Bytes(size_before);
        return match heir(disk, plan, change) {
            Some(heir) => text!("goes, its {size} go to partition {heir}", size, heir),
            None => text!("goes, {size} become unallocated", size),
        };
    }
    let difference = Bytes(size_before.abs_diff(size_after));
    let difference = if size_after < size_before {
        text!("-{size}", size = difference)
    } else {
        text!("+{size}", size = difference)
    };
    // Where both read the same, the difference says all.
    let from_to = match size(size_before) == size(size_after) {
        true => Bytes(size_after).into(),
        false => to(size_before, size_after),
    };
    let sizes = text!("{change}  ({difference})", change = from_to, difference);
    if is_elsewhere(change) {
        return elsewhere(disk, plan, change, sizes);
    }
    let edges = [
        edge(before.start, after.start, true),
        edge(before.end, after.end, false),
    ];
    Text::listed([sizes].into_iter().chain(edges.into_iter().flatten()))
}

/// An edge that is not where it was.
fn edge(from: u64, to: u64, is_start: bool) -> Option<Text> {
    let size = Bytes(from.abs_diff(to));
    Some(match (is_start, to.cmp(&from)) {
        (_, Ordering::Equal) => return None,
        (true, Ordering::Less) => text!("start {size} earlier", size),
        (true, Ordering::Greater) => text!("start {size} later", size),
        (false, Ordering::Less) => text!("end {size} earlier", size),
        (false, Ordering::Greater) => text!("end {size} later", size),
    })
}

/// The new place of a partition, and what becomes of the old one.
fn elsewhere(disk: &DiskReport, plan: &PlanReport, change: &ChangeReport, sizes: Text) -> Text {
    let before = bytes(change.before, disk.sector_size_bytes);
    let after = bytes(change.after, disk.sector_size_bytes);
    let neighbour = ranges_after(disk, plan)
        .filter(|(number, range)| *number != change.partition && !range.is_empty())
        .filter(|(_, range)| range.end <= after.start)
        .max_by_key(|(_, range)| range.end);
    let (new, old) = (Bytes(after.start), Bytes(before.start));
    let moves = text!("moves: begins at {new} instead of {old}", new, old);
    let behind = neighbour.map(|(number, _)| text!("behind partition {number}", number));
    let size = Bytes(length(&before));
    let old_place = match heir(disk, plan, change) {
        Some(heir) => text!("its old place ({size}) goes to partition {heir}", size, heir),
        None => text!("its old place ({size}) becomes unallocated", size),
    };
    let place = Text::listed([sizes, moves].into_iter().chain(behind));
    Text::facts([place, old_place])
}

/// The partition that has the old place of another one afterwards.
fn heir(disk: &DiskReport, plan: &PlanReport, change: &ChangeReport) -> Option<u32> {
    let old = bytes(change.before, disk.sector_size_bytes);
    ranges_after(disk, plan)
        .filter(|(number, _)| *number != change.partition)
        .find(|(_, range)| range.start <= old.start && old.end <= range.end)
        .map(|(number, _)| number)
}

/// Every partition with its place after the plan, in bytes.
fn ranges_after<'a>(
    disk: &'a DiskReport,
    plan: &'a PlanReport,
) -> impl Iterator<Item = (u32, Range<u64>)> + 'a {
    disk.partitions.iter().map(|partition| {
        let mut changes = plan.changes.iter();
        let after = changes.find(|change| change.partition == partition.number);
        let range = after.map_or(
            partition.start_lba.saturating_mul(disk.sector_size_bytes)
                ..partition
                    .start_lba
                    .saturating_add(partition.sectors)
                    .saturating_mul(disk.sector_size_bytes),
            |change| bytes(change.after, disk.sector_size_bytes),
        );
        (partition.number, range)
    })
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}
