//! The partitions that change, in numbers.

use super::disk::pad;
use super::glyphs as g;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{bytes, name, with_all};
use std::ops::Range;
use winrefit_repair::explain::size;
use winrefit_repair::report::{ChangeReport, DiskReport, PlanReport, Report, Verdict};

/// Columns of a partition's name.
const NAME: usize = 14;

/// A line for each, and the free space of the recovery volume.
pub fn section(page: &mut Page, report: &Report) {
    let (Some(disk), Some(plan)) = (&report.disk, &report.plan) else {
        return;
    };
    let disk = &with_all(disk, plan);
    for change in &plan.changes {
        let title = disk
            .partitions
            .iter()
            .find(|partition| partition.number == change.partition)
            .map_or_else(String::new, name);
        let title = pad(&format!("{} {title}", change.partition), NAME - 1) + " ";
        let lead = vec![Span::new(title, Tone::Quiet)];
        page.hanging(MARGIN, lead, &line(disk, plan, change), Tone::Plain);
    }
    if !plan.changes.is_empty() {
        let lead = vec![Span::new(pad("  free", NAME), Tone::Quiet)];
        page.hanging(MARGIN, lead, &free(report, plan), Tone::Strong);
    }
    page.blank();
}

/// Free space of the recovery volume before and after; where it is new, after.
pub fn free(report: &Report, plan: &PlanReport) -> String {
    let measured = report.recovery.as_ref().and_then(|recovery| recovery.free_bytes);
    let after = match report.verdict {
        Verdict::NeedsRepair => plan.recovery_free_bytes_after,
        _ => measured.or(plan.recovery_free_bytes_after),
    };
    match (plan.recovery_free_bytes_before, after) {
        (Some(before), Some(after)) if before != after => to(before, after),
        (_, Some(bytes)) | (Some(bytes), None) => size(bytes),
        (None, None) => "unknown".into(),
    }
}

/// An arrow that is an arrow in ASCII as well.
fn to(before: u64, after: u64) -> String {
    format!("{} {}{} {}", size(before), g::LINE, g::TO_RIGHT, size(after))
}

/// Whether a partition goes to a place that has nothing of the old one.
pub fn is_elsewhere(change: &ChangeReport) -> bool {
    let (before, after) = (change.before, change.after);
    let end = |range: winrefit_repair::report::RangeReport| range.start_lba.saturating_add(range.sectors);
    before.sectors > 0
        && after.sectors > 0
        && (after.start_lba >= end(before) || end(after) <= before.start_lba)
}

fn line(disk: &DiskReport, plan: &PlanReport, change: &ChangeReport) -> String {
    let before = bytes(change.before, disk.sector_size_bytes);
    let after = bytes(change.after, disk.sector_size_bytes);
    let (size_before, size_after) = (length(&before), length(&after));
    if change.before.sectors == 0 {
        return format!("new, {}", size(size_after));
    }
    if change.after.sectors == 0 {
        let size = size(size_before);
        return match heir(disk, plan, change) {
            Some(heir) => format!("goes, its {size} go to partition {heir}"),
            None => format!("goes, {size} become unallocated"),
        };
    }
    let sign = if size_after < size_before { "-" } else { "+" };
    let difference = size(size_before.abs_diff(size_after));
    let mut line = format!("{}  ({sign}{difference})", to(size_before, size_after));
    if is_elsewhere(change) {
        line.push_str(&elsewhere(disk, plan, change));
        return line;
    }
    for (edge, from, to) in [
        ("start", before.start, after.start),
        ("end", before.end, after.end),
    ] {
        if from != to {
            let direction = if to < from { "earlier" } else { "later" };
            line.push_str(&format!(", {edge} {} {direction}", size(from.abs_diff(to))));
        }
    }
    line
}

/// The new place of a partition, and what becomes of the old one.
fn elsewhere(disk: &DiskReport, plan: &PlanReport, change: &ChangeReport) -> String {
    let before = bytes(change.before, disk.sector_size_bytes);
    let after = bytes(change.after, disk.sector_size_bytes);
    let mut line = format!(
        ", moves: begins at {} instead of {}",
        size(after.start),
        size(before.start)
    );
    let neighbour = ranges_after(disk, plan)
        .filter(|(number, range)| *number != change.partition && !range.is_empty())
        .filter(|(_, range)| range.end <= after.start)
        .max_by_key(|(_, range)| range.end);
    if let Some((number, _)) = neighbour {
        line.push_str(&format!(", behind partition {number}"));
    }
    let old = size(length(&before));
    line.push_str(&match heir(disk, plan, change) {
        Some(heir) => format!("; its old place ({old}) goes to partition {heir}"),
        None => format!("; its old place ({old}) becomes unallocated"),
    });
    line
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
