//! The whole disk as a row of boxes, to scale as far as a terminal can show it. A box that would be too narrow to be
//! read is drawn wider, with a dashed frame that says so.

use super::canvas::Canvas;
use super::glyphs as g;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{Mark, Segment, State, mbr_mark, segments};
use super::typeset;
use crate::language::Language;
use winrefit_repair::report::{DiskReport, PartitionReport, PlanReport};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Least columns of a box when there is no room for its text.
const NARROWEST: usize = 3;
/// No box needs more than this for its text.
const WIDEST_LABEL: usize = 12;

/// Draws the disk in a state over the page's width. Nothing is drawn if there are more boxes than fit.
pub fn draw(page: &mut Page, disk: &DiskReport, plan: Option<&PlanReport>, state: State) {
    let segments = &segments(disk, plan, state)[..];
    let columns = page.inner_width();
    let language = page.language();
    let Some(widths) = widths(language, disk, segments, columns) else {
        return;
    };
    let mut canvas = Canvas::new(columns, 5);
    let mut x = 0;
    for (segment, &(width, enlarged)) in segments.iter().zip(&widths) {
        draw_box(&mut canvas, language, (x, width), segment, enlarged);
        draw_number(&mut canvas, language, (x + 1, width), disk, segment);
        x += width + 1;
    }
    draw_corners(&mut canvas, &widths);
    for line in canvas.into_lines() {
        page.line(MARGIN, line);
    }
    let mut short = segments.iter().zip(&widths).filter(|(segment, (width, _))| {
        segment
            .partition
            .is_some_and(|p| is_starred(language, disk, p, *width))
    });
    let has_star = short.next().is_some();
    legend(
        page,
        segments,
        widths.iter().any(|&(_, enlarged)| enlarged),
        has_star,
    );
}

/// Columns inside of each box, and whether it is wider than to scale; `None` if they do not fit.
fn widths(
    language: &Language,
    disk: &DiskReport,
    segments: &[Segment<'_>],
    columns: usize,
) -> Option<Vec<(usize, bool)>> {
    let inside = columns.checked_sub(segments.len() + 1)?;
    let lengths: Vec<u64> = segments.iter().map(Segment::size_bytes).collect();
    let mut least: Vec<usize> = segments
        .iter()
        .map(|segment| label_columns(language, disk, segment))
        .collect();
    // Labels may take the disk's picture over only so far; then numbers must do, first where a label says least.
    for rank in 0..=HIGHEST_RANK {
        if least.iter().sum::<usize>() * 4 <= inside * 3 {
            break;
        }
        for (least, segment) in least.iter_mut().zip(segments) {
            if label_rank(segment) == rank {
                *least = NARROWEST;
            }
        }
    }
    share(&lengths, &least, inside)
}

/// The rank that keeps its label longest.
const HIGHEST_RANK: u8 = 4;

/// How much a label says in a picture of recovery partitions.
fn label_rank(segment: &Segment<'_>) -> u8 {
    match (segment.partition, segment.tone()) {
        (None, _) => 1,
        (Some(_), Tone::System) => 0,
        (Some(_), Tone::Recovery) => HIGHEST_RANK,
        (Some(_), Tone::Windows) => 3,
        (Some(_), _) => 2,
    }
}

fn label_columns(language: &Language, disk: &DiskReport, segment: &Segment<'_>) -> usize {
    let size = typeset::width(&language.size(segment.size_bytes()));
    let name = typeset::width(&language.say(segment.name())).min(WIDEST_LABEL - 2);
    let name = if segment.partition.is_some() { name } else { 0 };
    let number = segment
        .partition
        .map_or(0, |p| typeset::width(&numbered(language, disk, p)));
    name.max(size).max(number) + 2
}

/// Shares `columns` in proportion to `lengths`, but gives none less than its `least`.
fn share(lengths: &[u64], least: &[usize], columns: usize) -> Option<Vec<(usize, bool)>> {
    let mut enlarged = vec![false; lengths.len()];
    // Each round enlarges one more at least, so there are at most as many rounds as segments.
    for _ in 0..=lengths.len() {
        let taken: usize = least
            .iter()
            .zip(&enlarged)
            .filter(|(_, e)| **e)
            .map(|(least, _)| least)
            .sum();
        let left = columns.checked_sub(taken)? as u128;
        let rest = lengths
            .iter()
            .zip(&enlarged)
            .filter(|(_, e)| !**e)
            .map(|(length, _)| u128::from(*length));
        let rest_bytes = rest.sum::<u128>().max(1);
        let fair = |length: u64| (u128::from(length) * left / rest_bytes) as usize;
        let mut changed = false;
        for ((length, least), enlarged) in lengths.iter().zip(least).zip(&mut enlarged) {
            if !*enlarged && fair(*length) < *least {
                (*enlarged, changed) = (true, true);
            }
        }
        if !changed {
            let mut widths: Vec<(usize, bool)> = lengths
                .iter()
                .zip(least)
                .zip(&enlarged)
                .map(|((length, least), e)| (if *e { *least } else { fair(*length) }, *e))
                .collect();
            // What rounding left over goes to the largest, where it shows least.
            let spare = columns.checked_sub(widths.iter().map(|w| w.0).sum())?;
            let largest = widths.iter_mut().max_by_key(|width| width.0);
            if let Some(largest) = largest {
                largest.0 += spare;
            }
            return Some(widths);
        }
    }
    None
}

fn draw_box(
    canvas: &mut Canvas,
    language: &Language,
    (x, width): (usize, usize),
    segment: &Segment<'_>,
    enlarged: bool,
) {
    let frame = if enlarged { g::DASHED } else { g::LINE };
    let (left, right) = (x + 1, x + 1 + width);
    let tone = segment.tone();
    for y in [0, 4] {
        canvas.fill(left, right, y, frame, Tone::Quiet);
    }
    if segment.partition.is_none() {
        for y in 1..4 {
            canvas.fill(left, right, y, g::UNALLOCATED, Tone::Quiet);
        }
        let name = format!(" {} ", language.say(segment.name()));
        if typeset::width(&name) <= width {
            canvas.text(left, 1, width, &name, tone);
        }
        let label = format!(" {} ", language.size(segment.size_bytes()));
        if typeset::width(&label) <= width {
            canvas.text(left, 2, width, &label, tone);
        }
        return;
    }
    if width < 5 {
        return;
    }
    canvas.text(left + 1, 1, width - 1, &language.say(segment.name()), tone);
    let size = language.size(segment.size_bytes());
    canvas.text(left + 1, 2, width - 1, &size, Tone::Plain);
    if let Some(used_bytes) = segment.used_bytes {
        let used = used_columns(used_bytes, segment.size_bytes(), width - 2);
        canvas.fill(left + 1, left + 1 + used, 3, g::USED, tone);
        canvas.fill(left + 1 + used, right - 1, 3, g::FREE, tone);
    }
}

/// The number in the frame, and what an MBR says beside it: `*` for active where there is no room for the word.
fn draw_number(
    canvas: &mut Canvas,
    language: &Language,
    (left, width): (usize, usize),
    disk: &DiskReport,
    segment: &Segment<'_>,
) {
    let Some(partition) = segment.partition else {
        return;
    };
    let indent = usize::from(width >= 5);
    let text = top_text(language, disk, partition, width);
    canvas.text(left + indent, 0, width - indent, &text, segment.tone());
}

fn top_text(language: &Language, disk: &DiskReport, partition: &PartitionReport, width: usize) -> String {
    let long = numbered(language, disk, partition);
    if is_starred(language, disk, partition, width) {
        format!("{}*", partition.number)
    } else if fits_on_top(&long, width) {
        long
    } else {
        partition.number.to_string()
    }
}

/// Whether a star stands for the word that an active partition has no room for.
fn is_starred(language: &Language, disk: &DiskReport, partition: &PartitionReport, width: usize) -> bool {
    mbr_mark(disk, partition) == Some(Mark::Active)
        && !fits_on_top(&numbered(language, disk, partition), width)
}

fn fits_on_top(text: &str, width: usize) -> bool {
    let indents = if width >= 5 { 2 } else { 0 };
    typeset::width(text) + indents <= width
}

fn numbered(language: &Language, disk: &DiskReport, partition: &PartitionReport) -> String {
    let number = partition.number;
    match mbr_mark(disk, partition) {
        Some(mark) => format!("{number} {}", language.say(mark.text())),
        None => number.to_string(),
    }
}

/// Columns for the used part of a gauge. A little of either is never drawn as nothing.
pub fn used_columns(used_bytes: u64, size_bytes: u64, columns: usize) -> usize {
    let exact = u128::from(used_bytes) * columns as u128 + u128::from(size_bytes / 2);
    let rounded = (exact / u128::from(size_bytes.max(1))) as usize;
    let least = usize::from(used_bytes > 0).min(columns);
    let most = if used_bytes < size_bytes {
        columns.saturating_sub(1)
    } else {
        columns
    };
    rounded.min(most).max(least)
}

fn draw_corners(canvas: &mut Canvas, widths: &[(usize, bool)]) {
    let mut x = 0;
    for edge in 0..=widths.len() {
        let (top, bottom) = if edge == 0 {
            (g::TOP_LEFT, g::BOTTOM_LEFT)
        } else if edge == widths.len() {
            (g::TOP_RIGHT, g::BOTTOM_RIGHT)
        } else {
            (g::TOP_JOINT, g::BOTTOM_JOINT)
        };
        canvas.put(x, 0, top, Tone::Quiet);
        for y in 1..4 {
            canvas.put(x, y, g::BAR, Tone::Quiet);
        }
        canvas.put(x, 4, bottom, Tone::Quiet);
        x += widths.get(edge).map_or(0, |width| width.0 + 1);
    }
}

fn legend(page: &mut Page, segments: &[Segment<'_>], any_enlarged: bool, has_star: bool) {
    let say = |word: Text| page.language().say(word);
    let mut parts = Vec::new();
    if segments.iter().any(|segment| segment.used_bytes.is_some()) {
        let (used, free) = (say(text!("used")), say(text!("free")));
        parts.push(format!("{} {used}  {} {free}", g::USED, g::FREE));
    }
    if segments.iter().any(|segment| segment.partition.is_none()) {
        parts.push(format!("{} {}", g::UNALLOCATED, say(text!("unallocated"))));
    }
    if any_enlarged {
        let dashes = String::from(g::DASHED).repeat(2);
        parts.push(format!("{dashes} {}", say(text!("not to scale"))));
    }
    if has_star {
        parts.push(format!("* {}", say(Mark::Active.text())));
    }
    page.line(MARGIN, [Span::new(parts.join("   "), Tone::Quiet)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fill_the_width_exactly_and_keep_the_least() {
        let lengths = [100 << 20, 16 << 20, 64_893 << 20, 525 << 20];
        let widths = share(&lengths, &[9, 8, 10, 10], 71).unwrap();
        assert_eq!(widths.iter().map(|w| w.0).sum::<usize>(), 71);
        assert_eq!(widths, [(9, true), (8, true), (44, false), (10, true)]);
    }

    #[test]
    fn what_does_not_fit_is_not_drawn() {
        assert_eq!(share(&[1; 40], &[3; 40], 71), None);
        assert_eq!(share(&[], &[], 5), Some(vec![]));
        assert_eq!(share(&[0, 0], &[3, 3], 71).map(|w| w.len()), Some(2));
    }

    #[test]
    fn a_gauge_shows_a_little_as_a_little() {
        assert_eq!(used_columns(1, 1 << 40, 10), 1);
        assert_eq!(used_columns((1 << 40) - 1, 1 << 40, 10), 9);
        assert_eq!(used_columns(0, 1 << 40, 10), 0);
        assert_eq!(used_columns(1 << 40, 1 << 40, 10), 10);
        assert_eq!(used_columns(5, 0, 10), 10);
        assert_eq!(used_columns(5, 10, 0), 0);
    }
}
