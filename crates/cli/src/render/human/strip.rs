//! The part of the disk that changes, enlarged, before and after, to one scale of its own. The data of the recovery
//! volume is drawn in the same columns both times, since it stays where it is: only the border moves.

use super::canvas::Canvas;
use super::glyphs as g;
use super::map::used_columns;
use super::page::{MARGIN, Page, Tone};
use super::segments::{Segment, State, bytes, segments};
use super::typeset;
use crate::language::Language;
use std::ops::Range;
use winrefit_repair::report::{DiskReport, PlanReport};
use winrefit_repair::text;
use winrefit_repair::text::{Bytes, Text};

/// Rows of one picture.
const ROWS: usize = 4;

/// A donor that is longer than so many times the way of its border is cut, or the way could not be seen.
const MOVES_IN_A_SMALL_ONE: u64 = 8;

/// Bytes to columns.
struct Axis {
    range: Range<u64>,
    /// Columns on the left, for `before` and `after`.
    label: usize,
    columns: usize,
    language: &'static Language,
}

impl Axis {
    /// The column of a byte, those of the label included.
    fn column(&self, position: u64) -> usize {
        let clamped = position.clamp(self.range.start, self.range.end) - self.range.start;
        let length = (self.range.end - self.range.start).max(1);
        let last = self.columns.saturating_sub(1) as u128;
        // Never more than `last`, so it fits.
        self.label + ((u128::from(clamped) * last + u128::from(length / 2)) / u128::from(length)) as usize
    }
}

/// Draws the change of `plan`; nothing if no border moves.
pub fn draw(page: &mut Page, disk: &DiskReport, plan: &PlanReport) {
    let Some(range) = region(disk, plan) else { return };
    let language = page.language();
    let [before, after] = [text!("before"), text!("after")].map(|label| language.say(label));
    let label = typeset::width(&before).max(typeset::width(&after)) + 2;
    let columns = page.inner_width().saturating_sub(label);
    if columns < 24 {
        return;
    }
    let axis = Axis {
        range,
        label,
        columns,
        language,
    };
    let moves = moves(disk, plan);
    let mut canvas = Canvas::new(label + columns, 2 * ROWS + 1);
    for (state, name, top) in [(State::Before, before, 0), (State::After, after, ROWS + 1)] {
        canvas.text(0, top + 1, label, &name, Tone::Strong);
        for segment in segments(disk, Some(plan), state) {
            draw_segment(&mut canvas, &axis, top, &segment, plan, disk, state);
        }
    }
    for (from, to) in moves {
        draw_move(&mut canvas, &axis, from, to);
    }
    for line in canvas.into_lines() {
        page.line(MARGIN, line);
    }
}

/// What the picture spans, in words.
pub fn caption(disk: &DiskReport, plan: &PlanReport) -> Option<Text> {
    let range = region(disk, plan)?;
    let length = Bytes(range.end - range.start);
    // What spans most of the disk enlarges nothing.
    Some(if range.end - range.start > disk.size_bytes / 2 {
        text!("The disk before and after")
    } else if range.end >= disk.size_bytes.saturating_sub(1 << 20) {
        text!("The last {length} of the disk, enlarged", length)
    } else {
        text!("{length} of the disk, enlarged", length)
    })
}

/// Everything that moves, the whole of what is small beside the disk, and some of what lies before it.
pub fn region(disk: &DiskReport, plan: &PlanReport) -> Option<Range<u64>> {
    let longest = moves(disk, plan)
        .iter()
        .map(|(from, to)| from.abs_diff(*to))
        .max();
    let longest = longest.unwrap_or(u64::MAX);
    let is_recovery = |number| {
        let mut all = disk.partitions.iter();
        all.any(|p| p.number == number && p.roles.contains(&"recovery"))
    };
    let mut points = Vec::new();
    for change in &plan.changes {
        let before = bytes(change.before, disk.sector_size_bytes);
        let after = bytes(change.after, disk.sector_size_bytes);
        if before == after {
            continue;
        }
        let length = after.end.saturating_sub(after.start);
        let small = is_recovery(change.partition)
            || length < disk.size_bytes / 4 && length <= longest.saturating_mul(MOVES_IN_A_SMALL_ONE);
        if small || before.start != after.start {
            points.extend([before.start, after.start]);
        }
        if small || before.end != after.end {
            points.extend([before.end, after.end]);
        }
    }
    let (start, end) = (*points.iter().min()?, *points.iter().max()?);
    let start = start.saturating_sub((end - start) / 2);
    // A tail that is only the table's MiB is no place of its own.
    let rest = disk.size_bytes.saturating_sub(end);
    let end = if rest <= 1 << 20 {
        end
    } else {
        end.saturating_add((end - start) / 8).min(disk.size_bytes)
    };
    (start < end).then_some(start..end)
}

/// Borders that move, each once: the end of the donor is the start of the recovery partition.
fn moves(disk: &DiskReport, plan: &PlanReport) -> Vec<(u64, u64)> {
    let mut moves: Vec<(u64, u64)> = plan
        .changes
        .iter()
        // What comes or goes has no border that moves.
        .filter(|change| change.before.sectors > 0 && change.after.sectors > 0)
        .flat_map(|change| {
            let before = bytes(change.before, disk.sector_size_bytes);
            let after = bytes(change.after, disk.sector_size_bytes);
            [(before.start, after.start), (before.end, after.end)]
        })
        .filter(|(from, to)| from != to)
        .collect();
    moves.sort_unstable();
    moves.dedup();
    moves
}

fn draw_segment(
    canvas: &mut Canvas,
    axis: &Axis,
    top: usize,
    segment: &Segment<'_>,
    plan: &PlanReport,
    disk: &DiskReport,
    state: State,
) {
    let range = &segment.range;
    if range.end <= axis.range.start || range.start >= axis.range.end {
        return;
    }
    let (left, right) = (axis.column(range.start), axis.column(range.end));
    draw_frame(
        canvas,
        axis,
        (left, right),
        top,
        range.start < axis.range.start,
        range.end > axis.range.end,
    );
    let inside = right.saturating_sub(left + 1);
    let Some(partition) = segment.partition else {
        for y in 1..=2 {
            canvas.fill(left + 1, right, top + y, g::UNALLOCATED, Tone::Quiet);
        }
        let label = format!(" {} ", axis.language.size(segment.size_bytes()));
        if typeset::width(&label) < inside {
            canvas.text(left + 1, top + 1, inside, &label, Tone::Quiet);
        }
        return;
    };
    let title = format!("{} {}", partition.number, axis.language.say(segment.name()));
    canvas.text(left + 2, top, inside.saturating_sub(2), &title, segment.tone());
    canvas.text(
        left + 2,
        top + 1,
        inside.saturating_sub(2),
        &axis.language.size(segment.size_bytes()),
        Tone::Plain,
    );
    if range.start >= axis.range.start && range.end <= axis.range.end {
        let mut changes = plan.changes.iter();
        let before = changes.find(|change| change.partition == partition.number && change.before.sectors > 0);
        let before = before.map_or(range.clone(), |change| {
            bytes(change.before, disk.sector_size_bytes)
        });
        draw_contents(canvas, axis, top + 2, segment, &before, state);
    }
}

fn draw_frame(
    canvas: &mut Canvas,
    axis: &Axis,
    (left, right): (usize, usize),
    top: usize,
    cut_left: bool,
    cut_right: bool,
) {
    for (y, corner_left, corner_right, joint) in [
        (top, g::TOP_LEFT, g::TOP_RIGHT, g::TOP_JOINT),
        (top + ROWS - 1, g::BOTTOM_LEFT, g::BOTTOM_RIGHT, g::BOTTOM_JOINT),
    ] {
        // The neighbour on the left has drawn its right corner, if there is one.
        let start = if left == axis.label { corner_left } else { joint };
        canvas.put(left, y, if cut_left { g::DASHED } else { start }, Tone::Quiet);
        canvas.fill(left + 1, right, y, g::LINE, Tone::Quiet);
        canvas.put(
            right,
            y,
            if cut_right { g::DASHED } else { corner_right },
            Tone::Quiet,
        );
    }
    for y in top + 1..top + ROWS - 1 {
        canvas.put(left, y, if cut_left { g::CUT } else { g::BAR }, Tone::Quiet);
        canvas.put(right, y, if cut_right { g::CUT } else { g::BAR }, Tone::Quiet);
    }
}

/// The gauge of a volume in the columns that it had before, and what it gained beside it.
fn draw_contents(
    canvas: &mut Canvas,
    axis: &Axis,
    y: usize,
    segment: &Segment<'_>,
    before: &Range<u64>,
    state: State,
) {
    let Some(used_bytes) = segment.used_bytes else {
        return;
    };
    let column = |position| axis.column(position);
    let (left, right) = (column(segment.range.start) + 1, column(segment.range.end));
    if state == State::After {
        canvas.fill(left, right, y, g::GAINED, Tone::Good);
    }
    let (left, right) = (
        (column(before.start) + 1).max(left),
        column(before.end).min(right),
    );
    let columns = right.saturating_sub(left);
    let used = used_columns(used_bytes, before.end.saturating_sub(before.start), columns);
    canvas.fill(left, left + used, y, g::USED, segment.tone());
    canvas.fill(left + used, right, y, g::FREE, segment.tone());
}

fn draw_move(canvas: &mut Canvas, axis: &Axis, from: u64, to: u64) {
    let (x_from, x_to) = (axis.column(from), axis.column(to));
    let (left, right) = (x_from.min(x_to), x_from.max(x_to));
    canvas.fill(left, right + 1, ROWS, g::LINE, Tone::Good);
    canvas.put(x_from, ROWS, g::BAR, Tone::Good);
    canvas.put(
        x_to,
        ROWS,
        if to < from { g::TO_LEFT } else { g::TO_RIGHT },
        Tone::Good,
    );
    let label = format!(" {} ", axis.language.size(from.abs_diff(to)));
    let columns = typeset::width(&label);
    if right.saturating_sub(left) > columns + 2 {
        canvas.text(
            left + (right - left - columns) / 2 + 1,
            ROWS,
            columns,
            &label,
            Tone::Good,
        );
    } else if right + 1 + columns <= axis.label + axis.columns {
        canvas.text(right + 1, ROWS, columns, &label, Tone::Good);
    } else {
        canvas.text(left.saturating_sub(columns), ROWS, columns, &label, Tone::Good);
    }
}
