//! Pictures of the disk, to scale. Places are written in per cent, so that a picture is as wide as the page and its
//! letters stay as large as they are; which labels have room is decided for three widths of page.

mod around;
mod shapes;

use super::markup::Html;
use super::parts::{percent, written};
use super::words::{Say, size};
use crate::render::human::page::Tone;
use crate::render::human::segments::{Segment, State, bytes};
use crate::render::human::typeset::{clean, fit, width as columns_of};
use around::{draw_axis, draw_badges};
use shapes::{label, line, rect};
use std::ops::Range;
use winrefit_repair::report::{ChangeReport, DiskReport};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Heights, in CSS pixels.
const TITLE: u32 = 20;
const BADGES: u32 = 20;
const LEADERS: u32 = 12;
const BAR: u32 = 60;
const RIBBONS: u32 = 40;
const AXIS: u32 = 30;
/// Of the used and free part in a box, from its bottom.
const GAUGE: u32 = 14;

/// Nothing is drawn narrower, or it could not be seen.
const NARROWEST_PERCENT: f64 = 0.3;
/// Classes that hide a label on narrower pages, with the width in pixels of the picture from which on it is shown.
const LABEL_CLASSES: [(&str, f64); 3] = [
    ("label", 300.0),
    ("label at-medium", 590.0),
    ("label at-wide", 900.0),
];

/// One state of the disk.
pub struct Row<'a> {
    /// Name of the state; none if it is the only one.
    pub title: Option<Text>,
    /// What is drawn.
    pub segments: Vec<Segment<'a>>,
    /// Which one it is.
    pub state: State,
}

/// A picture.
pub struct Map<'a> {
    /// What it shows, in words.
    pub title: Text,
    /// The part of the disk, in bytes.
    pub range: Range<u64>,
    /// One state, or two to compare.
    pub rows: Vec<Row<'a>>,
    /// What differs between the two.
    pub changes: &'a [ChangeReport],
}

impl Map<'_> {
    fn x(&self, position: u64) -> f64 {
        let clamped = position.clamp(self.range.start, self.range.end.max(self.range.start));
        percent((clamped - self.range.start) as f64, self.length() as f64)
    }

    fn length(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    fn shows(&self, range: &Range<u64>) -> bool {
        range.end > self.range.start && range.start < self.range.end
    }

    /// Left edge and width of a range, in per cent; nothing is too narrow to be seen.
    fn span(&self, range: &Range<u64>) -> (f64, f64) {
        let (left, right) = (self.x(range.start), self.x(range.end));
        let width = (right - left).max(NARROWEST_PERCENT);
        (left.min(100.0 - width), width)
    }

    fn change(&self, segment: &Segment<'_>) -> Option<&ChangeReport> {
        let number = segment.partition?.number;
        self.changes.iter().find(|change| change.partition == number)
    }
}

/// Draws `map` of `disk`.
pub fn draw(html: &mut Html, disk: &DiskReport, map: &Map<'_>) {
    let (title, description) = (html.id(), html.id());
    let labels = format!("{title} {description}");
    let is_pair = map.rows.len() > 1;
    let row = BADGES + LEADERS + BAR;
    let height = AXIS + if is_pair { 2 * (TITLE + row) + RIBBONS } else { row };
    let height = height.to_string();
    let attributes = [
        ("class", "map"),
        ("role", "img"),
        ("aria-labelledby", &*labels),
        ("width", "100%"),
        ("height", &*height),
    ];
    html.element("svg", &attributes, |html| {
        html.element("title", &[("id", &title)], |html| html.text(&map.title));
        html.element("desc", &[("id", &description)], |html| html.text(described(map)));
        let mut y = 0;
        if is_pair {
            ribbons(html, disk, map, TITLE + row);
        }
        for (index, state) in map.rows.iter().enumerate() {
            let is_first = index == 0;
            if let (true, Some(title)) = (is_first, &state.title) {
                label(html, "row-title", "0%", 0, y + 13, title);
                y += TITLE;
            }
            let (bar, badges) = if is_first {
                (y + BADGES + LEADERS, y)
            } else {
                (y, y + BAR + LEADERS)
            };
            for segment in drawn(map, state) {
                draw_box(html, disk, map, state, segment, bar);
            }
            draw_badges(html, map, state, bar, badges, is_first);
            y += row;
            if let (false, Some(title)) = (is_first, &state.title) {
                label(html, "row-title", "0%", 0, y + 15, title);
                y += TITLE;
            } else if is_pair {
                y += RIBBONS;
            }
        }
        draw_axis(html, map, y);
    });
}

/// What is seen of a state. Wide boxes come first, so that those which are drawn wider than to scale stand before them.
fn drawn<'a, 'b>(map: &Map<'_>, row: &'b Row<'a>) -> Vec<&'b Segment<'a>> {
    let mut all: Vec<_> = row
        .segments
        .iter()
        .filter(|segment| map.shows(&segment.range))
        .collect();
    all.sort_by_key(|segment| map.x(segment.range.end) - map.x(segment.range.start) <= NARROWEST_PERCENT);
    all
}

/// The picture in words: every state with its segments.
fn described(map: &Map<'_>) -> Text {
    Text::sentences(map.rows.iter().map(|row| {
        let all = row.segments.iter().filter(|segment| map.shows(&segment.range));
        let list = Text::listed(all.map(in_words));
        match &row.title {
            Some(title) => text!("{title}: {list}.", title, list),
            None => text!("{list}.", list),
        }
    }))
}

fn in_words(segment: &Segment<'_>) -> Text {
    let (name, size) = (segment.name(), size(segment.size_bytes()));
    let Some(partition) = segment.partition else {
        return text!("unallocated, {size}", size);
    };
    let number = partition.number;
    match segment.used_bytes {
        Some(used) => {
            let free = super::words::size(segment.size_bytes().saturating_sub(used));
            text!(
                "partition {number}, {name}, {size}, {free} free",
                number,
                name,
                size,
                free
            )
        }
        None => text!("partition {number}, {name}, {size}", number, name, size),
    }
}

/// The class that colours a segment.
pub fn class(segment: &Segment<'_>) -> &'static str {
    match segment.tone() {
        Tone::Recovery => "recovery",
        Tone::Windows => "windows",
        Tone::System => "system",
        Tone::Quiet => "gap",
        _ => "other",
    }
}

fn draw_box(html: &mut Html, disk: &DiskReport, map: &Map<'_>, row: &Row<'_>, segment: &Segment<'_>, y: u32) {
    let (left, width) = map.span(&segment.range);
    let class = format!("segment {}", class(segment));
    html.element("g", &[("class", &class)], |html| {
        html.leaf("title", "", in_words(segment));
        rect(html, "box", (left, width), y, BAR);
        for (is_torn, x) in [
            (segment.range.start < map.range.start, "0%"),
            (segment.range.end > map.range.end, "100%"),
        ] {
            if is_torn {
                line(html, "torn", (x, y), (x, y + BAR));
            }
        }
        if segment.range.start >= map.range.start && segment.range.end <= map.range.end {
            draw_gauge(html, disk, map, row, segment, y + BAR - GAUGE);
        }
        let name = fit(&clean(&segment.name().say()), 26);
        let size = size(segment.size_bytes()).say();
        let columns = columns_of(&name).max(columns_of(&size));
        let needed = columns as f64 * 7.4 + 14.0;
        let label_class = LABEL_CLASSES
            .iter()
            .find(|(_, pixels)| width / 100.0 * pixels >= needed);
        if let Some((class, _)) = label_class {
            let left = written(left);
            label(html, &format!("{class} name"), &left, 8, y + 19, &name);
            label(html, &format!("{class} size"), &left, 8, y + 36, &size);
        }
    });
}

/// How full a volume is, and what it gains. Data that stays where it is is drawn in the same place in both states.
fn draw_gauge(
    html: &mut Html,
    disk: &DiskReport,
    map: &Map<'_>,
    row: &Row<'_>,
    segment: &Segment<'_>,
    y: u32,
) {
    let Some(used_bytes) = segment.used_bytes else {
        return;
    };
    let range = &segment.range;
    let mut old = range.clone();
    if let (State::After, Some(change)) = (row.state, map.change(segment)) {
        let before = bytes(change.before, disk.sector_size_bytes);
        let shared = before.start.max(range.start)..before.end.min(range.end);
        if !shared.is_empty() {
            old = shared;
        }
    }
    rect(html, "free", map.span(range), y, GAUGE);
    for gained in [range.start..old.start, old.end..range.end] {
        if !gained.is_empty() {
            rect(html, "gained", map.span(&gained), y, GAUGE);
        }
    }
    let used = old.start..old.start.saturating_add(used_bytes).min(old.end);
    if !used.is_empty() {
        rect(html, "used", map.span(&used), y, GAUGE);
    }
}

/// From each partition's place before to its place after.
fn ribbons(html: &mut Html, disk: &DiskReport, map: &Map<'_>, y: u32) {
    let [before, after] = map.rows.as_slice() else {
        return;
    };
    let attributes = [
        ("class", "ribbons"),
        ("x", "0"),
        ("y", &*y.to_string()),
        ("width", "100%"),
        ("height", &*RIBBONS.to_string()),
        ("viewBox", "0 0 100 100"),
        ("preserveAspectRatio", "none"),
    ];
    html.element("svg", &attributes, |html| {
        let mut segments: Vec<_> = before.segments.iter().collect();
        // A narrow one that crosses a wide one is seen before it.
        segments.sort_by_key(|segment| std::cmp::Reverse(segment.size_bytes()));
        for segment in segments {
            let Some(partition) = segment.partition else {
                continue;
            };
            let mut those = after.segments.iter();
            let is_same =
                |other: &&Segment<'_>| other.partition.is_some_and(|p| p.number == partition.number);
            let Some(other) = those.find(is_same) else {
                continue;
            };
            if !map.shows(&segment.range) && !map.shows(&other.range) {
                continue;
            }
            let is_changed = map.change(segment).is_some_and(|change| {
                bytes(change.before, disk.sector_size_bytes) != bytes(change.after, disk.sector_size_bytes)
            });
            let still = if is_changed { "changed" } else { "still" };
            let class = format!("ribbon {still} {}", class(segment));
            let [a, b, c, d] = [
                segment.range.start,
                segment.range.end,
                other.range.end,
                other.range.start,
            ]
            .map(|position| map.x(position));
            let points = format!("{a:.3},0 {b:.3},0 {c:.3},100 {d:.3},100");
            html.empty("polygon", &[("class", &class), ("points", &points)]);
        }
    });
}
