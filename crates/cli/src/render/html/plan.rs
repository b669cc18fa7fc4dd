//! What is to be done or was done: the strategy, what changes, the steps, what stays, the way back.

use super::markup::Html;
use super::parts::{Cell, fact, facts, row, subheading, table};
use super::words::{Say, number, size};
use crate::render::human::changes::is_elsewhere;
use crate::render::human::segments::{bytes, name, with_all};
use crate::render::human::verdict::is_ahead;
use winrefit_repair::report::{ChangeReport, DiskReport, PlanReport, Report};
use winrefit_repair::text::Text;
use winrefit_repair::{counted, text};

/// All of the plan.
pub fn section(html: &mut Html, report: &Report) {
    let Some(plan) = &report.plan else { return };
    html.element("p", &[("class", "lead")], |html| {
        html.leaf("code", "", plan.strategy);
        html.text(" ");
        html.prose(&plan.summary);
    });
    if !plan.changes.is_empty() {
        amounts(html, report, plan);
        if let Some(disk) = &report.disk {
            changes(html, &with_all(disk, plan), plan);
        }
    }
    steps(html, plan);
    let dropped: Vec<&dyn Say> = plan
        .dropped_shadow_copies
        .iter()
        .map(|dropped| &dropped.text as &dyn Say)
        .collect();
    list(html, text!("What is given up"), &dropped);
    list(
        html,
        text!("What is not touched"),
        &plan
            .untouched
            .iter()
            .map(|text| text as &dyn Say)
            .collect::<Vec<_>>(),
    );
    list(
        html,
        text!("Afterwards, in Windows"),
        &plan
            .afterwards
            .iter()
            .map(|text| text as &dyn Say)
            .collect::<Vec<_>>(),
    );
    if !plan.changes.is_empty() {
        subheading(html, text!("The way back"));
        html.paragraph("", &plan.undo);
    }
}

fn list(html: &mut Html, title: Text, items: &[&dyn Say]) {
    if items.is_empty() {
        return;
    }
    subheading(html, title);
    html.element("ul", &[], |html| {
        for item in items {
            html.element("li", &[], |html| html.prose(item));
        }
    });
}

/// The plan in numbers.
fn amounts(html: &mut Html, report: &Report, plan: &PlanReport) {
    let is_due = is_ahead(report);
    facts(html, |html| {
        let free = [plan.recovery_free_bytes_before, plan.recovery_free_bytes_after].map(|free| match free {
            Some(free) => size(free),
            None => text!("none"),
        });
        let [before, after] = free;
        fact(html, text!("Free for recovery"), |html| {
            html.text(text!("{before} before, {after} after", before, after))
        });
        let written = if is_due {
            text!("Will be written")
        } else {
            text!("Written")
        };
        fact(html, written, |html| {
            html.text(text!("{size} in place", size = size(plan.bytes_written)))
        });
        if plan.journal_bytes > 0 {
            fact(html, text!("Journal"), |html| {
                let size = size(plan.journal_bytes);
                html.text(match &plan.journal_place {
                    Some(place) => text!("{size}, {place}", size, place),
                    None => size,
                });
            });
        }
        if plan.move_bytes > 0 {
            let copied = if is_due {
                text!("Will be copied")
            } else {
                text!("Copied")
            };
            fact(html, copied, |html| {
                let size = size(plan.move_bytes);
                html.text(text!("{size} of data, to space that nothing uses", size));
            });
            if is_due {
                fact(html, text!("Time for copying"), |html| {
                    html.text(counted!(
                        plan.move_seconds.max(1),
                        "about a second on a hard disk",
                        "about {n} seconds on a hard disk"
                    ));
                });
            }
        }
    });
}

fn changes(html: &mut Html, disk: &DiskReport, plan: &PlanReport) {
    subheading(html, text!("What changes"));
    let columns = [
        ("", text!("Partition")),
        ("n", text!("Begins before")),
        ("n", text!("after")),
        ("n", text!("Ends before")),
        ("n", text!("after")),
        ("n", text!("Size before")),
        ("n", text!("after")),
        ("", text!("Difference")),
    ];
    table(html, text!("Partitions that change"), &columns, |html| {
        for change in &plan.changes {
            one(html, disk, change);
        }
    });
}

fn one(html: &mut Html, disk: &DiskReport, change: &ChangeReport) {
    let partition = disk
        .partitions
        .iter()
        .find(|partition| partition.number == change.partition);
    let title = partition.map_or_else(|| Text::raw(""), |partition| Text::raw(name(partition).say()));
    let title = text!("{number} {title}", number = change.partition, title);
    let before = bytes(change.before, disk.sector_size_bytes);
    let after = bytes(change.after, disk.sector_size_bytes);
    let of = |is_there: bool, value: u64| Cell::Words(if is_there { size(value) } else { Text::raw("-") });
    let (old, new) = (change.before.sectors > 0, change.after.sectors > 0);
    let length = |range: &std::ops::Range<u64>| range.end.saturating_sub(range.start);
    row(
        html,
        &[
            ("", Cell::Value(&title)),
            ("n", of(old, before.start)),
            ("n", of(new, after.start)),
            ("n", of(old, before.end)),
            ("n", of(new, after.end)),
            ("n", of(old, length(&before))),
            ("n", of(new, length(&after))),
            (
                "",
                Cell::Words(difference(change, length(&before), length(&after))),
            ),
        ],
    );
}

fn difference(change: &ChangeReport, before: u64, after: u64) -> Text {
    let size = size(before.abs_diff(after));
    if change.before.sectors == 0 {
        return text!("new");
    }
    if change.after.sectors == 0 {
        return text!("removed");
    }
    match (is_elsewhere(change), after.cmp(&before)) {
        (true, std::cmp::Ordering::Greater) => text!("moves to another place, {size} larger", size),
        (true, std::cmp::Ordering::Less) => text!("moves to another place, {size} smaller", size),
        (true, std::cmp::Ordering::Equal) => text!("moves to another place"),
        (false, std::cmp::Ordering::Greater) => text!("{size} larger", size),
        (false, std::cmp::Ordering::Less) => text!("{size} smaller", size),
        (false, std::cmp::Ordering::Equal) => text!("same size"),
    }
}

fn steps(html: &mut Html, plan: &PlanReport) {
    if plan.steps.is_empty() {
        return;
    }
    subheading(html, text!("Steps"));
    let mut rest = plan.steps.as_slice();
    let mut first = 1;
    let several = plan.commit_steps.len() > 1;
    for (index, &length) in plan.commit_steps.iter().enumerate() {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        let (these, behind) = rest.split_at(length);
        if several {
            html.leaf("h4", "", text!("Commit {n}", n = index + 1));
        }
        numbered(html, these, first);
        (rest, first) = (behind, first + length);
    }
    numbered(html, rest, first);
}

fn numbered<S: Say>(html: &mut Html, steps: &[S], first: usize) {
    if steps.is_empty() {
        return;
    }
    html.element("ol", &[("start", &number(first).say())], |html| {
        for step in steps {
            html.element("li", &[], |html| html.prose(step));
        }
    });
}
