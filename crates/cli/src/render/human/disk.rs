//! The disk: a line, the map, the table of partitions.

use super::map;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{State, mbr_mark, name};
use super::typeset;
use crate::language::Language;
use winrefit_repair::report::{DiskReport, PartitionReport, Report};
use winrefit_repair::text;
use winrefit_repair::text::{Bytes, Text};

/// Columns of a partition's name in tables.
const NAME: usize = 24;
/// Columns of a partition's number, and of the spaces behind it.
const NUMBER: usize = 5;
/// Columns of a percentage.
const PERCENT: usize = 7;

/// The disk in a line and as a map.
pub fn section(page: &mut Page, report: &Report) {
    let Some(disk) = &report.disk else { return };
    let facts = page.language().say(text!(
        "{size}, {style}, sectors of {bytes} bytes",
        size = Bytes(disk.size_bytes),
        style = disk.style.to_ascii_uppercase(),
        bytes = disk.sector_size_bytes
    ));
    let title = page.span(text!("Disk"), Tone::Strong);
    page.line(MARGIN, [title, Span::new(format!("  {facts}"), Tone::Quiet)]);
    map::draw(page, disk, None, State::Reported);
    page.blank();
}

/// What the columns of a table are called, and how wide they are.
struct Columns {
    heads: [String; 4],
    name: usize,
    /// Columns of the kind of volume; a page too narrow for all has none, and no percentage.
    volume: Option<usize>,
    size: usize,
    free: usize,
}

impl Columns {
    fn of(page: &Page) -> Self {
        let heads = [text!("partition"), text!("volume"), text!("size"), text!("free")];
        let heads = heads.map(|head| page.language().say(head));
        let [_, volume, size, free] = heads.each_ref().map(|head| typeset::width(head));
        let (wide_volume, wide_size, wide_free) = (volume.max(10), size.max(12), free.max(12));
        let all = NUMBER + NAME + wide_volume + wide_size + wide_free + PERCENT + 4;
        if page.inner_width() >= all {
            return Self {
                heads,
                name: NAME,
                volume: Some(wide_volume),
                size: wide_size,
                free: wide_free,
            };
        }
        let (size, free) = (size.max(10), free.max(10));
        let rest = page.inner_width().saturating_sub(NUMBER + size + free + 2);
        Self {
            heads,
            name: NAME.min(rest),
            volume: None,
            size,
            free,
        }
    }

    /// A line of the table.
    fn line(&self, number: &str, [title, volume, size, free]: [&str; 4], percent: &str) -> String {
        let title = typeset::pad(title, self.name);
        let (size, free) = (
            typeset::pad_left(size, self.size),
            typeset::pad_left(free, self.free),
        );
        match self.volume {
            Some(columns) => {
                let volume = typeset::pad(volume, columns);
                format!("{number:>3}  {title} {volume} {size} {free} {percent:>PERCENT$}")
            }
            None => format!("{number:>3}  {title} {size} {free}"),
        }
    }
}

/// The partitions in numbers.
pub fn table(page: &mut Page, report: &Report) {
    let Some(disk) = &report.disk else { return };
    let columns = Columns::of(page);
    let heads = columns.heads.each_ref().map(String::as_str);
    let head = columns.line("#", heads, "");
    page.line(MARGIN, [Span::new(head.trim_end(), Tone::Quiet)]);
    for partition in &disk.partitions {
        let title = titled(page.language(), disk, partition, columns.name);
        let line = row(page.language(), partition, &title, &columns);
        page.line(MARGIN, [Span::new(line, Tone::Plain)]);
    }
    not_measured(page, disk);
    page.blank();
}

/// What stands for the free space of a volume that could be measured.
fn not_measured(page: &mut Page, disk: &DiskReport) {
    let all = disk.partitions.iter();
    let unknown = all.filter(|p| p.filesystem == "ntfs" && p.free_bytes.is_none());
    let numbers: Vec<Text> = unknown.map(|p| p.number.into()).collect();
    if !numbers.is_empty() {
        let words = text!(
            "- not measured: partition {numbers}. `winrefit verify` measures it.",
            numbers = Text::listed(numbers)
        );
        page.paragraph(MARGIN, words, Tone::Quiet);
    }
}

fn row(language: &Language, partition: &PartitionReport, title: &str, columns: &Columns) -> String {
    let free = partition
        .free_bytes
        .map_or_else(|| "-".to_owned(), |free| language.size(free));
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
    let size = language.size(partition.size_bytes);
    columns.line(
        &partition.number.to_string(),
        [title, volume, &size, &free],
        &percent,
    )
}

/// The role, and the label where there is one and it says more; behind them what an MBR says.
fn titled(language: &Language, disk: &DiskReport, partition: &PartitionReport, columns: usize) -> String {
    let name = language.say(name(partition));
    let title = match partition.label.as_deref().map(str::trim) {
        Some(label) if !label.is_empty() && label != name => format!("{name} {label}"),
        _ => name,
    };
    match mbr_mark(disk, partition) {
        Some(mark) => {
            let mark = language.say(mark.text());
            let left = columns.saturating_sub(typeset::width(&mark) + 2);
            format!("{}, {mark}", typeset::fit(&typeset::clean(&title), left))
        }
        None => title,
    }
}
