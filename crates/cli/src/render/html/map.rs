//! Pictures of the disk, to scale. Places are written in per cent, so that a picture is as wide as the page and its
//! letters stay as large as they are; which labels have room is decided for three widths of page.

use super::markup::Html;
use super::parts::{percent, written};
use super::words::{Say, number, size};
use crate::render::human::page::Tone;
use crate::render::human::segments::{Segment, State, bytes};
use crate::render::human::typeset::{clean, fit, width as columns_of};
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
/// Room of a number in a circle, where there is enough of it.
const BADGE_PERCENT: f64 = 5.5;
/// More numbers than these do not fit side by side; the table has all.
const BADGES_MAX: usize = 22;

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

/// The numbers of the partitions, apart from each other as far as the room allows, each with a line to its box.
fn draw_badges(html: &mut Html, map: &Map<'_>, row: &Row<'_>, bar: u32, badges: u32, is_above: bool) {
    let mut shown: Vec<_> = row
        .segments
        .iter()
        .filter(|segment| segment.partition.is_some() && map.shows(&segment.range))
        .collect();
    if shown.len() > BADGES_MAX {
        shown.sort_by_key(|segment| std::cmp::Reverse(segment.size_bytes()));
        shown.truncate(BADGES_MAX);
        shown.sort_by_key(|segment| segment.range.start);
    }
    let middles: Vec<f64> = shown
        .iter()
        .map(|segment| {
            let (left, width) = map.span(&segment.range);
            left + width / 2.0
        })
        .collect();
    let (edge, circle) = if is_above {
        (bar, badges + 10)
    } else {
        (bar + BAR, badges + 10)
    };
    let end = if is_above { circle + 9 } else { circle - 9 };
    for ((segment, middle), place) in shown.iter().zip(&middles).zip(apart(&middles)) {
        let Some(partition) = segment.partition else {
            continue;
        };
        let (middle, place) = (written(*middle), written(place));
        line(html, "leader", (&middle, edge), (&place, end));
        let class = format!("badge {}", class(segment));
        let y = circle.to_string();
        html.empty(
            "circle",
            &[("class", &class), ("cx", &place), ("cy", &y), ("r", "9.5")],
        );
        let y = (circle + 4).to_string();
        html.element(
            "text",
            &[("class", "badge-number"), ("x", &place), ("y", &y)],
            |html| {
                html.text(number(partition.number));
            },
        );
    }
}

/// Ascending places moved so far apart that numbers do not cover each other, within 0 to 100.
fn apart(middles: &[f64]) -> Vec<f64> {
    let room = BADGE_PERCENT.min(100.0 / middles.len().max(1) as f64);
    let mut places = Vec::with_capacity(middles.len());
    let mut least = room / 2.0;
    for &middle in middles {
        let place = middle.max(least);
        places.push(place);
        least = place + room;
    }
    // From the right edge back, where they were pushed over it.
    let mut most = 100.0 - room / 2.0;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - room;
    }
    places
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

/// Where the picture begins and ends on the disk, and a length to compare with.
fn draw_axis(html: &mut Html, map: &Map<'_>, y: u32) {
    label(html, "axis", "0%", 0, y + 24, size(map.range.start));
    let end = (y + 24).to_string();
    html.element(
        "text",
        &[("class", "axis end"), ("x", "100%"), ("y", &end)],
        |html| {
            html.text(size(map.range.end));
        },
    );
    let Some(length) = scale(map.length()) else { return };
    let (left, right) = (50.0, 50.0 + percent(length as f64, map.length() as f64));
    let (left, right) = (written(left), written(right));
    line(html, "scale", (&left, y + 12), (&right, y + 12));
    for x in [&left, &right] {
        line(html, "scale", (x, y + 8), (x, y + 16));
    }
    label(html, "axis", &left, 0, y + 28, size(length));
}

/// The longest round length that is at most a quarter of the picture.
fn scale(length: u64) -> Option<u64> {
    let units = [20, 30, 40, 50].map(|shift| 1_u64 << shift);
    let rounds = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    let all = units
        .iter()
        .flat_map(|unit| rounds.iter().map(move |round| unit * round));
    all.filter(|round| *round <= length / 4).max()
}

fn rect(html: &mut Html, class: &str, (left, width): (f64, f64), y: u32, height: u32) {
    html.empty(
        "rect",
        &[
            ("class", class),
            ("x", &written(left)),
            ("y", &y.to_string()),
            ("width", &written(width)),
            ("height", &height.to_string()),
        ],
    );
}

fn line(html: &mut Html, class: &str, (x1, y1): (&str, u32), (x2, y2): (&str, u32)) {
    let (y1, y2) = (y1.to_string(), y2.to_string());
    html.empty(
        "line",
        &[("class", class), ("x1", x1), ("y1", &y1), ("x2", x2), ("y2", &y2)],
    );
}

fn label(html: &mut Html, class: &str, x: &str, dx: u32, y: u32, words: impl Say) {
    let (dx, y) = (dx.to_string(), y.to_string());
    html.element(
        "text",
        &[("class", class), ("x", x), ("dx", &dx), ("y", &y)],
        |html| html.text(words),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_apart_and_within_the_picture() {
        for middles in [vec![0.1, 0.2, 50.0, 99.8], vec![99.0; 20], vec![0.0; 22], vec![]] {
            let places = apart(&middles);
            let room = BADGE_PERCENT.min(100.0 / middles.len().max(1) as f64);
            assert!(
                places.windows(2).all(|pair| pair[1] - pair[0] >= room - 1e-9),
                "{places:?}"
            );
            assert!(
                places.iter().all(|place| (0.0..=100.0).contains(place)),
                "{places:?}"
            );
        }
        assert_eq!(apart(&[20.0, 80.0]), [20.0, 80.0], "what has room is not moved");
    }

    #[test]
    fn the_scale_is_round_and_fits() {
        assert_eq!(scale(1470 << 20), Some(200 << 20));
        assert_eq!(scale(64 << 30), Some(10 << 30));
        assert_eq!(scale(1 << 20), None);
        assert!(scale(u64::MAX).is_some());
    }
}
