//! The disk: a line, the map, the table of partitions.

use super::map;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{State, mbr_mark, name};
use super::text;
use winrefit_repair::explain::size;
use winrefit_repair::report::{DiskReport, PartitionReport, Report};

/// Columns of a partition's name in tables.
const NAME: usize = 24;
/// Columns of the whole table.
const WIDE: usize = 74;
/// Columns of a narrow one but for the names.
const NARROW_WITHOUT_NAME: usize = 27;

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
    map::draw(page, disk, None, State::Reported);
    page.blank();
}

/// The partitions in numbers. A page too narrow for all columns has no kind of volume and no percentage.
pub fn table(page: &mut Page, report: &Report) {
    let Some(disk) = &report.disk else { return };
    let is_wide = page.inner_width() >= WIDE;
    let name = if is_wide {
        NAME
    } else {
        NAME.min(page.inner_width().saturating_sub(NARROW_WITHOUT_NAME))
    };
    let head = if is_wide {
        format!(
            "{:>3}  {:name$} {:<10} {:>12} {:>12}",
            "#", "partition", "volume", "size", "free"
        )
    } else {
        format!("{:>3}  {:name$} {:>10} {:>10}", "#", "partition", "size", "free")
    };
    page.line(MARGIN, [Span::new(head, Tone::Quiet)]);
    for partition in &disk.partitions {
        let title = pad(&titled(disk, partition, name), name);
        let line = row(partition, &title, is_wide);
        page.line(MARGIN, [Span::new(line, Tone::Plain)]);
    }
    page.blank();
}

fn row(partition: &PartitionReport, title: &str, is_wide: bool) -> String {
    let (number, length) = (partition.number, size(partition.size_bytes));
    let free = partition.free_bytes.map_or_else(|| "-".into(), size);
    if !is_wide {
        return format!("{number:>3}  {title} {length:>10} {free:>10}");
    }
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
    format!("{number:>3}  {title} {volume:<10} {length:>12} {free:>12} {percent:>7}")
}

/// The role, and the label where there is one and it says more; behind them what an MBR says.
fn titled(disk: &DiskReport, partition: &PartitionReport, columns: usize) -> String {
    let name = name(partition);
    let title = match partition.label.as_deref().map(str::trim) {
        Some(label) if !label.is_empty() && label != name => format!("{name} {label}"),
        _ => name,
    };
    match mbr_mark(disk, partition) {
        Some(mark) => format!(
            "{}, {mark}",
            text::fit(&text::clean(&title), columns.saturating_sub(mark.len() + 2))
        ),
        None => title,
    }
}

/// `content`, cut or filled to `columns`.
pub fn pad(content: &str, columns: usize) -> String {
    let fitted = text::fit(&text::clean(content), columns);
    let missing = columns.saturating_sub(text::width(&fitted));
    fitted + &" ".repeat(missing)
}
