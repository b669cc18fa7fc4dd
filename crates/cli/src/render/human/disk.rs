//! The disk: a line, the map, the table of partitions.

use super::map;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{State, name, segments};
use super::text;
use winrefit_repair::explain::size;
use winrefit_repair::report::{PartitionReport, Report};

/// Columns of a partition's name in tables.
const NAME: usize = 24;

/// The disk in a line and as a map.
pub fn section(page: &mut Page, report: &Report) {
    let Some(disk) = &report.disk else { return };
    let facts = format!(
        "  {}, {}, sectors of {} bytes",
        size(disk.size_bytes),
        disk.style.to_ascii_uppercase(),
        disk.sector_size_bytes
    );
    page.line(
        MARGIN,
        [Span::new("Disk", Tone::Strong), Span::new(facts, Tone::Quiet)],
    );
    map::draw(page, &segments(disk, None, State::Reported));
    page.blank();
}

/// The partitions in numbers.
pub fn table(page: &mut Page, report: &Report) {
    let Some(disk) = &report.disk else { return };
    let head = format!(
        "{:>3}  {:NAME$} {:<10} {:>12} {:>12}",
        "#", "partition", "volume", "size", "free"
    );
    page.line(MARGIN, [Span::new(head, Tone::Quiet)]);
    for partition in &disk.partitions {
        row(page, partition);
    }
    page.blank();
}

fn row(page: &mut Page, partition: &PartitionReport) {
    let free = partition.free_bytes.map_or_else(|| "-".into(), size);
    let percent = match partition.free_bytes {
        Some(free) if partition.size_bytes > 0 => {
            format!("{} %", u128::from(free) * 100 / u128::from(partition.size_bytes))
        }
        _ => String::new(),
    };
    let volume = match partition.filesystem {
        "unknown" | "empty" => "-",
        known => known,
    };
    let line = format!(
        "{:>3}  {} {volume:<10} {:>12} {free:>12} {percent:>7}",
        partition.number,
        pad(&titled(partition), NAME),
        size(partition.size_bytes),
    );
    page.line(MARGIN, [Span::new(line, Tone::Plain)]);
}

/// The role, and the label where there is one and it says more.
fn titled(partition: &PartitionReport) -> String {
    let name = name(partition);
    match partition.label.as_deref().map(str::trim) {
        Some(label) if !label.is_empty() && label != name => format!("{name} {label}"),
        _ => name,
    }
}

/// `content`, cut or filled to `columns`.
pub fn pad(content: &str, columns: usize) -> String {
    let fitted = text::fit(&text::clean(content), columns);
    let missing = columns.saturating_sub(text::width(&fitted));
    fitted + &" ".repeat(missing)
}
