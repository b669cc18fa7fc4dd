//! What stands around the boxes: the numbers of the partitions, and the scale.

use super::shapes::{label, line};
use super::{BAR, Map, Row, class};
use crate::render::html::markup::Html;
use crate::render::html::parts::{percent, written};
use crate::render::html::words::{number, size};

/// Room of a number in a circle, where there is enough of it.
const BADGE_PERCENT: f64 = 5.5;
/// More numbers than these do not fit side by side; the table has all.
const BADGES_MAX: usize = 22;

/// The numbers of the partitions, apart from each other as far as the room allows, each with a line to its box.
pub fn draw_badges(html: &mut Html, map: &Map<'_>, row: &Row<'_>, bar: u32, badges: u32, is_above: bool) {
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

/// Ascending places moved so far apart that numbers do not cover each other, as little as that needs, within 0 to 100.
fn apart(middles: &[f64]) -> Vec<f64> {
    let room = BADGE_PERCENT.min(100.0 / middles.len().max(1) as f64);
    // Without the room that those before it take, places only have to ascend. What does not is pulled together in
    // groups, each at the mean of its members.
    let mut groups: Vec<(f64, usize)> = Vec::with_capacity(middles.len());
    for (index, middle) in middles.iter().enumerate() {
        let mut group = (middle - index as f64 * room, 1);
        while let Some((before, members)) = groups.pop_if(|(before, _)| *before > group.0) {
            let all = members + group.1;
            group = (
                (before * members as f64 + group.0 * group.1 as f64) / all as f64,
                all,
            );
        }
        groups.push(group);
    }
    let least = room / 2.0;
    let most = (100.0 - room * middles.len() as f64 + least).max(least);
    let ascending = groups
        .into_iter()
        .flat_map(|(place, members)| std::iter::repeat_n(place, members));
    ascending
        .enumerate()
        .map(|(index, place)| place.clamp(least, most) + index as f64 * room)
        .collect()
}

/// Where the picture begins and ends on the disk, and a length to compare with.
pub fn draw_axis(html: &mut Html, map: &Map<'_>, y: u32) {
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
