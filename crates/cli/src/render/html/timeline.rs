//! What happened when: a picture with a lane for each kind, and a table.

use super::markup::Html;
use super::parts::{Cell, Sign, percent, row, table, written};
use super::time::{DAY, date, days, seconds, shown, year_and_month};
use super::words::{Say, number};
use winrefit_repair::counted;
use winrefit_repair::report::{Report, TimelineReport};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// The newest entries of a long table, which are not folded.
const SHOWN: usize = 15;
/// Columns of the picture in which marks are gathered.
const BINS: i64 = 40;
/// Height of a lane, in CSS pixels.
const LANE: u32 = 40;
/// Most lines of the grid.
const TICKS_MAX: i64 = 9;

/// Picture and table.
pub fn section(html: &mut Html, report: &Report) {
    if report.timeline.is_empty() {
        return;
    }
    picture(html, &report.timeline);
    let several = report.windows.len() > 1;
    let (folded, newest) = report
        .timeline
        .split_at(report.timeline.len().saturating_sub(SHOWN));
    if !folded.is_empty() {
        html.element("details", &[], |html| {
            html.leaf(
                "summary",
                "",
                counted!(folded.len(), "One earlier entry", "{n} earlier entries"),
            );
            entries(html, text!("Earlier entries, oldest first"), folded, several);
        });
    }
    entries(
        html,
        text!("What Windows has written down, oldest first"),
        newest,
        several,
    );
}

fn sign(kind: &str) -> (Sign, Text) {
    match kind {
        "failure" => (Sign::Bad, text!("failure")),
        "success" => (Sign::Good, text!("success")),
        _ => (Sign::Note, text!("other")),
    }
}

fn entries(html: &mut Html, caption: Text, entries: &[TimelineReport], several: bool) {
    let mut columns = vec![
        ("", text!("Time (UTC)")),
        ("", text!("Kind")),
        ("", text!("What happened")),
        ("", text!("Where it stands")),
    ];
    if several {
        columns.push(("n", text!("Partition")));
    }
    table(html, caption, &columns, |html| {
        for entry in entries {
            let (sign, word) = sign(entry.kind);
            let time = shown(&entry.time);
            let mut cells = vec![
                ("time", Cell::Value(&time)),
                ("", Cell::Chip(sign, word)),
                ("", Cell::Value(&entry.what)),
                ("source", Cell::Value(&entry.source)),
            ];
            if several {
                cells.push(("n", Cell::Words(number(entry.partition))));
            }
            row(html, &cells);
        }
    });
}

/// Marks of one lane that stand too near to each other to be told apart.
struct Bin {
    x: f64,
    count: u64,
    first: String,
    last: String,
}

fn picture(html: &mut Html, entries: &[TimelineReport]) {
    let times: Vec<i64> = entries.iter().filter_map(|entry| seconds(&entry.time)).collect();
    let (Some(&first), Some(&last)) = (times.iter().min(), times.iter().max()) else {
        return;
    };
    // Whole days, with some room at both ends.
    let room = ((last - first) / 40).max(DAY / 2);
    let (start, end) = (first - room, last + room);
    let place = |time: i64| percent((time - start) as f64, (end - start) as f64);
    let lanes = ["failure", "success", "other"].map(|kind| (kind, bins(entries, kind, start, end)));
    let lanes: Vec<_> = lanes.into_iter().filter(|(_, bins)| !bins.is_empty()).collect();
    let bottom = LANE * lanes.len() as u32;
    let height = (bottom + 24).to_string();
    let (title, description) = (html.id(), html.id());
    let labels = format!("{title} {description}");
    html.element("figure", &[("class", "timeline"), ("tabindex", "0")], |html| {
        let attributes = [
            ("class", "lanes"),
            ("role", "img"),
            ("aria-labelledby", &*labels),
            ("width", "100%"),
            ("height", &*height),
        ];
        html.element("svg", &attributes, |html| {
            html.element("title", &[("id", &title)], |html| {
                html.text(text!("Timeline of what Windows has written down"))
            });
            html.element("desc", &[("id", &description)], |html| {
                html.text(described(&lanes, first, last))
            });
            for (day, words) in ticks(start.div_euclid(DAY), end.div_euclid(DAY)) {
                let x = place(day * DAY);
                if !(0.0..=96.0).contains(&x) {
                    continue;
                }
                let x = written(x);
                let (y, foot) = (bottom.to_string(), (bottom + 18).to_string());
                html.empty(
                    "line",
                    &[("class", "grid"), ("x1", &x), ("y1", "0"), ("x2", &x), ("y2", &y)],
                );
                html.element("text", &[("class", "axis"), ("x", &x), ("y", &foot)], |html| {
                    html.text(words)
                });
            }
            for (index, (kind, bins)) in (0..).zip(&lanes) {
                lane(html, kind, bins, index * LANE);
            }
        });
        html.element("ul", &[("class", "legend"), ("aria-hidden", "true")], |html| {
            for (kind, bins) in &lanes {
                html.element("li", &[], |html| {
                    sign(kind).0.draw(html);
                    html.text(total(kind, bins));
                });
            }
        });
    });
}

fn total(kind: &str, bins: &[Bin]) -> Text {
    let count: u64 = bins.iter().map(|bin| bin.count).sum();
    match kind {
        "failure" => counted!(count, "one failure", "{n} failures"),
        "success" => counted!(count, "one success", "{n} successes"),
        _ => counted!(count, "one other entry", "{n} other entries"),
    }
}

fn described(lanes: &[(&str, Vec<Bin>)], first: i64, last: i64) -> Text {
    let counts = Text::all_of(lanes.iter().map(|(kind, bins)| total(kind, bins)));
    let (first, last) = (date(first.div_euclid(DAY)), date(last.div_euclid(DAY)));
    text!(
        "{counts} from {first} to {last}. The table below has them one by one.",
        counts,
        first,
        last
    )
}

fn bins(entries: &[TimelineReport], kind: &str, start: i64, end: i64) -> Vec<Bin> {
    let mut bins: Vec<(i64, Bin)> = Vec::new();
    let known = |kind: &str| matches!(kind, "failure" | "success");
    let is_of = |entry: &&TimelineReport| entry.kind == kind || (kind == "other" && !known(entry.kind));
    for entry in entries.iter().filter(is_of) {
        let Some(time) = seconds(&entry.time) else {
            continue;
        };
        // The span is at least a day, and years have four digits: nothing overflows.
        let index = (time - start) * BINS / (end - start).max(1);
        let shown = shown(&entry.time);
        match bins.iter_mut().find(|(other, _)| *other == index) {
            Some((_, bin)) => {
                bin.count += 1;
                bin.last = shown;
            }
            None => {
                let x = percent(index as f64 + 0.5, BINS as f64);
                bins.push((
                    index,
                    Bin {
                        x,
                        count: 1,
                        first: shown.clone(),
                        last: shown,
                    },
                ));
            }
        }
    }
    bins.into_iter().map(|(_, bin)| bin).collect()
}

fn lane(html: &mut Html, kind: &str, bins: &[Bin], y: u32) {
    let middle = (y + LANE / 2).to_string();
    html.empty(
        "line",
        &[
            ("class", "lane"),
            ("x1", "0%"),
            ("y1", &middle),
            ("x2", "100%"),
            ("y2", &middle),
        ],
    );
    for bin in bins {
        html.element("g", &[], |html| {
            let words = total(kind, std::slice::from_ref(bin));
            let (first, last) = (&bin.first, &bin.last);
            html.leaf(
                "title",
                "",
                if first == last {
                    text!("{words}, {first}", words, first)
                } else {
                    text!("{words}, {first} to {last}", words, first, last)
                },
            );
            mark(html, kind, &written(bin.x), y + LANE / 2);
            if bin.count > 1 {
                let y = (y + LANE / 2 - 10).to_string();
                let attributes = [("class", "count"), ("x", &*written(bin.x)), ("y", &*y)];
                html.element("text", &attributes, |html| html.text(number(bin.count)));
            }
        });
    }
}

/// A sign in its lane. It lies in a picture of its own, because paths know no per cent.
fn mark(html: &mut Html, kind: &str, x: &str, y: u32) {
    let y = (y - 8).to_string();
    let attributes = [
        ("class", "mark"),
        ("x", x),
        ("y", &*y),
        ("width", "1"),
        ("height", "16"),
    ];
    html.element("svg", &attributes, |html| {
        html.element("g", &[("transform", "translate(-8 0)")], |html| {
            sign(kind).0.draw(html)
        });
    });
}

/// Days to draw a line at, with their names: years, months or days, whatever makes few enough.
fn ticks(first: i64, last: i64) -> Vec<(i64, String)> {
    let span = last - first;
    if span <= 2 * 31 {
        let step = (span / TICKS_MAX + 1).max(1);
        return (first..=last)
            .step_by(step as usize)
            .map(|day| (day, date(day).say()))
            .collect();
    }
    let (year, month) = year_and_month(first);
    let begin = year * 12 + month - 1;
    let months = span / 30 + 1;
    let step = [1, 2, 3, 6, 12, 24, 60, 120, 600, 1200, 12_000];
    let step = step
        .into_iter()
        .find(|step| months / step < TICKS_MAX)
        .unwrap_or(120_000);
    let from = begin.div_euclid(step) * step;
    (0..=TICKS_MAX + 1)
        .map(|index| from + index * step)
        .map(|month| {
            let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
            (days(year, month, 1), format!("{year:04}-{month:02}"))
        })
        .filter(|(day, _)| (first..=last).contains(day))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_few_lines_however_long_the_time_is() {
        for span in [0, 1, 5, 40, 62, 63, 200, 700, 3000, 40_000, 2_900_000] {
            let ticks = ticks(19_000, 19_000 + span);
            assert!(ticks.len() <= TICKS_MAX as usize + 2, "{span}: {ticks:?}");
            assert!(!ticks.is_empty() || span < 62, "{span}");
        }
    }
}
