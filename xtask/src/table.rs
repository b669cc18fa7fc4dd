//! The results as a Markdown table, and the goals.

use crate::bench::Results;
use crate::contender::Run;
use crate::measure::Usage;
use std::fmt::Write;

/// `fix` takes at most this part of the expert's time.
const FIX_TIME_RATIO_MAX: f64 = 1.0 / 5.0;
/// `fix` writes less than this besides its journal.
const FIX_WRITTEN_BYTES_MAX: u64 = 2 << 20;
/// `diagnose` takes less than this with a warm page cache.
const DIAGNOSE_SECONDS_MAX: f64 = 0.050;
/// `diagnose` reads less than this.
const DIAGNOSE_READ_BYTES_MAX: u64 = 2 << 20;

/// Renders the table and the goals.
pub fn render(results: &Results) -> String {
    let mut text = String::new();
    let disk = results.files.map_or("a disk made before".to_owned(), |files| {
        format!("a disk with {files} files")
    });
    let _ = writeln!(text, "Measured on {disk}.\n");
    if results.free_tail {
        text.push_str(
            "The last GiB of its Windows volume was emptied with ntfsresize before, for all contenders.\n\n",
        );
    }
    text.push_str("| | time, median (shortest - longest) | bytes written to the disk | peak memory |\n|---|---:|---:|---:|\n");
    for (contender, runs, written) in &results.contenders {
        let seconds = sorted(runs.iter().map(|run| run.usage.wall_seconds));
        let memory = runs.iter().map(|run| run.usage.peak_memory_bytes).max();
        let _ = writeln!(
            text,
            "| {} | {:.3} s ({:.3} - {:.3}) | {} | {} |",
            contender.name(),
            median(&seconds),
            seconds.first().unwrap_or(&f64::NAN),
            seconds.last().unwrap_or(&f64::NAN),
            mebibytes(*written),
            mebibytes(memory.unwrap_or(0)),
        );
    }
    let seconds = sorted(results.diagnose.iter().map(|usage| usage.wall_seconds));
    let _ = writeln!(
        text,
        "| winrefit diagnose | {:.4} s ({:.4} - {:.4}) | 0 | {} |\n",
        median(&seconds),
        seconds.first().unwrap_or(&f64::NAN),
        seconds.last().unwrap_or(&f64::NAN),
        mebibytes(
            results
                .diagnose
                .iter()
                .map(|usage| usage.peak_memory_bytes)
                .max()
                .unwrap_or(0)
        ),
    );
    goals(&mut text, results);
    text
}

fn goals(text: &mut String, results: &Results) {
    text.push_str("| goal | measured | |\n|---|---:|---|\n");
    if let [(_, ours, written), (_, expert, _), ..] = results.contenders.as_slice() {
        let ratio = time(ours) / time(expert);
        goal(
            text,
            "fix takes at most 1/5 of expert-pipeline.sh's time",
            &format!("1/{:.1}", 1.0 / ratio),
            ratio <= FIX_TIME_RATIO_MAX,
        );
        let report = ours.first().map(|run| &run.report["plan"]);
        let bytes = |field: &str| report.and_then(|plan| plan[field].as_u64()).unwrap_or(u64::MAX);
        let moved = bytes("move_bytes");
        let in_place = bytes("bytes_written");
        goal(
            text,
            "fix writes less than 2 MiB besides the journal, by its own count",
            &mebibytes(in_place),
            in_place < FIX_WRITTEN_BYTES_MAX,
        );
        let journal = bytes("journal_bytes");
        let rest = written.saturating_sub(journal).saturating_sub(moved);
        goal(
            text,
            &format!(
                "... and by the block layer's, the journal's {} and {} of moved data taken off",
                mebibytes(journal),
                mebibytes(moved)
            ),
            &mebibytes(rest),
            rest < FIX_WRITTEN_BYTES_MAX,
        );
    }
    let seconds = median(&sorted(results.diagnose.iter().map(|usage| usage.wall_seconds)));
    goal(
        text,
        "diagnose takes less than 50 ms, page cache warm",
        &format!("{:.1} ms", seconds * 1000.0),
        seconds < DIAGNOSE_SECONDS_MAX,
    );
    let read = results
        .diagnose
        .iter()
        .map(|usage: &Usage| usage.read_bytes)
        .max()
        .unwrap_or(u64::MAX);
    goal(
        text,
        "diagnose reads less than 2 MiB, counting all read calls of the process",
        &mebibytes(read),
        read < DIAGNOSE_READ_BYTES_MAX,
    );
}

/// A row of the table of goals.
pub fn goal(text: &mut String, what: &str, measured: &str, met: bool) {
    let _ = writeln!(
        text,
        "| {what} | {measured} | {} |",
        if met { "met" } else { "**not met**" }
    );
}

fn time(runs: &[Run]) -> f64 {
    median(&sorted(runs.iter().map(|run| run.usage.wall_seconds)))
}

/// Values in order.
pub fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The median of sorted values; the mean of both where two are in the middle.
pub fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match (
        sorted.len() % 2,
        sorted.get(middle.wrapping_sub(1)),
        sorted.get(middle),
    ) {
        (0, Some(low), Some(high)) => f64::midpoint(*low, *high),
        (1, _, Some(value)) => *value,
        _ => f64::NAN,
    }
}

/// Bytes for people.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.2} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_two() {
        assert_eq!(median(&[1.0, 2.0, 10.0]).to_bits(), 2.0f64.to_bits());
        assert_eq!(median(&[1.0, 2.0, 4.0, 10.0]).to_bits(), 3.0f64.to_bits());
        assert!(median(&[]).is_nan());
    }
}
