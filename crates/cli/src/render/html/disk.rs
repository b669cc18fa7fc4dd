//! The disk: pictures, and the partitions in numbers.

use super::map::{self, Map, Row};
use super::markup::Html;
use super::parts::{Cell, fact, facts, row, subheading, table, value_fact};
use super::words::{Say, number, size};
use crate::render::human::segments::{Mark, State, mbr_mark, name, segments, with_all};
use crate::render::human::strip;
use winrefit_repair::report::{DiskReport, PartitionReport, PlanReport, Report, Verdict};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Pictures and tables.
pub fn section(html: &mut Html, report: &Report) {
    let Some(disk) = &report.disk else { return };
    let plan = report.plan.as_ref().filter(|plan| !plan.changes.is_empty());
    match plan {
        Some(plan) => pair(html, report, &with_all(disk, plan), plan),
        None => {
            let title = text!("The disk, to scale");
            figure(html, disk, false, &title, |html| {
                let rows = vec![Row {
                    title: None,
                    segments: segments(disk, None, State::Reported),
                    state: State::Reported,
                }];
                map::draw(
                    html,
                    disk,
                    &Map {
                        title: title.clone(),
                        range: 0..disk.size_bytes,
                        rows,
                        changes: &[],
                    },
                );
            });
        }
    }
    partitions(html, disk);
    identifiers(html, disk);
}

/// Before and after: the whole disk, and the part where borders move.
fn pair(html: &mut Html, report: &Report, disk: &DiskReport, plan: &PlanReport) {
    let after = match report.verdict {
        Verdict::NeedsRepair | Verdict::Unfinished | Verdict::Refused => text!("After the repair"),
        _ => text!("Now, after the repair"),
    };
    let rows = || {
        [
            (State::Before, text!("Before the repair")),
            (State::After, after.clone()),
        ]
        .map(|(state, title)| Row {
            title: Some(title),
            segments: segments(disk, Some(plan), state),
            state,
        })
        .into()
    };
    let mut draw = |title: Text, range: std::ops::Range<u64>| {
        figure(html, disk, true, &title, |html| {
            map::draw(
                html,
                disk,
                &Map {
                    title: title.clone(),
                    range,
                    rows: rows(),
                    changes: &plan.changes,
                },
            );
        });
    };
    draw(text!("The whole disk, to scale"), 0..disk.size_bytes);
    let Some(range) = strip::region(disk, plan) else {
        return;
    };
    let length = range.end.saturating_sub(range.start).max(1);
    let (times, length) = (disk.size_bytes / length, size(length));
    // An enlargement that enlarges nothing is only a second picture.
    if times < 2 {
        return;
    }
    let is_last = range.end >= disk.size_bytes.saturating_sub(1 << 20);
    let title = if is_last {
        text!(
            "The last {length} of the disk, enlarged {times} times",
            length,
            times
        )
    } else {
        text!(
            "{length} of the disk where it changes, enlarged {times} times",
            length,
            times
        )
    };
    draw(title, range);
}

fn figure(html: &mut Html, disk: &DiskReport, is_pair: bool, title: &Text, picture: impl FnOnce(&mut Html)) {
    html.element("figure", &[("class", "map-figure")], |html| {
        html.leaf("figcaption", "", title);
        picture(html);
        legend(html, disk, is_pair);
    });
}

/// What the colours and patterns mean.
fn legend(html: &mut Html, disk: &DiskReport, is_pair: bool) {
    html.element("ul", &[("class", "legend"), ("aria-hidden", "true")], |html| {
        let mut item = |class: &str, fill: &str, words: Text| {
            html.element("li", &[], |html| {
                let class = format!("swatch segment {class}");
                html.element(
                    "svg",
                    &[("class", &class), ("width", "18"), ("height", "12")],
                    |html| {
                        html.empty("rect", &[("class", fill), ("width", "18"), ("height", "12")]);
                    },
                );
                html.text(words);
            });
        };
        let all = segments(disk, None, State::Reported);
        for (class, words) in [
            ("windows", text!("Windows or the volume that gives space")),
            ("recovery", text!("recovery")),
            ("system", text!("firmware and reserved")),
            ("other", text!("others")),
        ] {
            if all.iter().any(|segment| map::class(segment) == class) {
                item(class, "used", words);
            }
        }
        if all.iter().any(|segment| segment.used_bytes.is_some()) {
            item(
                "other",
                "free",
                text!("free in the volume (by amount, not by place)"),
            );
        }
        if is_pair {
            item("other", "gained", text!("gained"));
        }
        if is_pair || all.iter().any(|segment| segment.partition.is_none()) {
            item("gap", "box", text!("unallocated"));
        }
    });
}

fn partitions(html: &mut Html, disk: &DiskReport) {
    subheading(html, text!("Partitions"));
    let columns = [
        ("n", text!("No.")),
        ("", text!("Partition")),
        ("", text!("Label or name")),
        ("", text!("Volume")),
        ("n", text!("Begins at")),
        ("n", text!("Size")),
        ("n", text!("Free")),
    ];
    table(
        html,
        text!("Partitions in the order of their places"),
        &columns,
        |html| {
            for partition in &disk.partitions {
                one(html, disk, partition);
            }
            for gap in &disk.unallocated {
                let bytes = |sectors: u64| size(sectors.saturating_mul(disk.sector_size_bytes));
                row(
                    html,
                    &[
                        ("n", Cell::Words(Text::empty())),
                        ("quiet", Cell::Words(text!("unallocated"))),
                        ("", Cell::Words(Text::empty())),
                        ("", Cell::Words(Text::empty())),
                        ("n", Cell::Words(bytes(gap.start_lba))),
                        ("n", Cell::Words(bytes(gap.sectors))),
                        ("n", Cell::Words(Text::empty())),
                    ],
                );
            }
        },
    );
}

fn one(html: &mut Html, disk: &DiskReport, partition: &PartitionReport) {
    let title = name(partition);
    let kind = match mbr_mark(disk, partition) {
        Some(Mark::Active) => text!("{title}, active", title),
        Some(Mark::Logical) => text!("{title}, logical", title),
        None => Text::raw(title.say()),
    };
    let label = partition
        .label
        .as_deref()
        .map(str::trim)
        .filter(|label| !label.is_empty());
    let label = label.unwrap_or(partition.name.trim());
    let volume = match partition.filesystem {
        "unknown" | "empty" => text!("none known"),
        known => Text::raw(known),
    };
    let free = match partition.free_bytes {
        Some(free) => size(free),
        None => text!("not measured"),
    };
    row(
        html,
        &[
            ("n", Cell::Words(number(partition.number))),
            ("", Cell::Value(&kind)),
            ("", Cell::Value(&label)),
            ("", Cell::Words(volume)),
            (
                "n",
                Cell::Words(size(partition.start_lba.saturating_mul(disk.sector_size_bytes))),
            ),
            ("n", Cell::Words(size(partition.size_bytes))),
            ("n", Cell::Words(free)),
        ],
    );
}

/// What one needs to find the same partitions with other tools.
fn identifiers(html: &mut Html, disk: &DiskReport) {
    html.element("details", &[], |html| {
        html.leaf("summary", "", text!("Identifiers, sectors and attributes"));
        facts(html, |html| {
            value_fact(html, text!("Disk GUID"), disk.disk_guid.as_ref());
            value_fact(html, text!("Disk signature"), disk.disk_signature.as_ref());
            fact(html, text!("Length"), |html| {
                let (bytes, sector) = (disk.size_bytes, disk.sector_size_bytes);
                html.text(text!("{bytes} bytes in sectors of {sector} bytes", bytes, sector));
            });
        });
        let columns = [
            ("n", text!("No.")),
            ("n", text!("First sector")),
            ("n", text!("Sectors")),
            ("", text!("Type")),
            ("", text!("Identity")),
            ("", text!("Attributes")),
        ];
        table(html, text!("Entries of the partition table"), &columns, |html| {
            for partition in &disk.partitions {
                let kind = match partition.type_name {
                    Some(name) => format!("{name} {}", partition.type_guid),
                    None => partition.type_guid.clone(),
                };
                row(
                    html,
                    &[
                        ("n", Cell::Words(number(partition.number))),
                        ("n", Cell::Words(number(partition.start_lba))),
                        ("n", Cell::Words(number(partition.sectors))),
                        ("code", Cell::Value(&kind)),
                        (
                            "code",
                            Cell::Value(&partition.unique_guid.as_deref().unwrap_or_default()),
                        ),
                        (
                            "code",
                            Cell::Value(&partition.attributes.as_deref().unwrap_or_default()),
                        ),
                    ],
                );
            }
        });
    });
}
