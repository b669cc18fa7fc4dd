//! $Bitmap against what the runs own.

use super::codes::ProblemCode;
use super::ownership::{Ownership, bit_ranges};
use super::problem::Problem;
use super::report::Findings;
use crate::bitmap::ClusterBitmap;
use crate::error::NtfsError;
use crate::types::{AttributeType, Lcn, RecordNumber};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// $Bitmap is read in pieces of so many bytes, a multiple of 8.
const CHUNK_BYTES: usize = 1 << 20;

/// Ranges of one kind of difference, told when they end.
struct Ranges {
    code: ProblemCode,
    open: Option<(u64, u64)>,
    clusters: u64,
}

impl Ranges {
    fn new(code: ProblemCode) -> Self {
        Self {
            code,
            open: None,
            clusters: 0,
        }
    }

    fn add(&mut self, start: u64, end: u64, findings: &mut Findings) {
        self.clusters += end - start;
        match &mut self.open {
            Some(open) if open.1 == start => open.1 = end,
            _ => {
                self.close(findings);
                self.open = Some((start, end));
            }
        }
    }

    fn close(&mut self, findings: &mut Findings) {
        if let Some((start, end)) = self.open.take() {
            findings.push(Problem::new(self.code).clusters(Lcn(start), end - start));
        }
    }
}

pub(crate) fn check<R: ReadAt>(
    volume: &Volume<R>,
    ownership: &Ownership,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    let clusters = volume.geometry().clusters();
    let open = || {
        let stream = volume
            .file(RecordNumber::BITMAP)?
            .require(AttributeType::DATA, "")?;
        volume.stream_reader(stream)
    };
    let Some(reader) = findings.damage(open(), ProblemCode::BitmapUnreadable, RecordNumber::BITMAP)? else {
        return Ok(());
    };
    let (due, size) = (ClusterBitmap::bytes_for(clusters), reader.size());
    if size != due {
        let code = if size < clusters.div_ceil(8) {
            ProblemCode::BitmapTooSmall
        } else {
            ProblemCode::BitmapSize
        };
        findings.push(Problem::of(code, RecordNumber::BITMAP).values(due, size));
    }
    let mut compare = Compare {
        clusters,
        leaked: Ranges::new(ProblemCode::ClusterLeaked),
        unmarked: Ranges::new(ProblemCode::ClusterUnmarked),
        free: 0,
        padding: None,
    };
    let mut chunk = vec![0; CHUNK_BYTES.min(size.min(due) as usize).next_multiple_of(8)];
    let mut offset = 0;
    while offset < size.min(due) {
        let length = (size.min(due) - offset).min(chunk.len() as u64) as usize;
        // What a short $Bitmap lacks counts as set, as padding is.
        chunk.fill(0xFF);
        reader.read_at(offset, &mut chunk[..length])?;
        let owned = ownership
            .bitmap()
            .bytes()
            .get(offset as usize..)
            .unwrap_or_default();
        let words = chunk.as_chunks::<8>().0.iter().zip(owned.as_chunks::<8>().0);
        for (index, (marked, owned)) in words.enumerate() {
            let first_bit = offset * 8 + index as u64 * 64;
            compare.word(
                first_bit,
                u64::from_le_bytes(*marked),
                u64::from_le_bytes(*owned),
                findings,
            );
        }
        offset += chunk.len() as u64;
    }
    compare.finish(findings);
    Ok(())
}

struct Compare {
    clusters: u64,
    leaked: Ranges,
    unmarked: Ranges,
    free: u64,
    padding: Option<u64>,
}

impl Compare {
    /// 64 clusters. In `owned` the bits behind the last cluster are set.
    fn word(&mut self, first_bit: u64, marked: u64, owned: u64, findings: &mut Findings) {
        let inside = match self.clusters.saturating_sub(first_bit) {
            left @ 0..64 => !(u64::MAX << left),
            _ => u64::MAX,
        };
        self.free += u64::from((!marked & inside).count_ones());
        if marked == owned {
            return;
        }
        let (leaked, unmarked) = (&mut self.leaked, &mut self.unmarked);
        bit_ranges(first_bit, marked & !owned & inside, |start, end| {
            leaked.add(start, end, findings)
        });
        bit_ranges(first_bit, owned & !marked & inside, |start, end| {
            unmarked.add(start, end, findings)
        });
        let clear = !marked & !inside;
        if clear != 0 && self.padding.is_none() {
            self.padding = Some(first_bit + u64::from(clear.trailing_zeros()));
        }
    }

    fn finish(mut self, findings: &mut Findings) {
        self.leaked.close(findings);
        self.unmarked.close(findings);
        if let Some(bit) = self.padding {
            findings.push(Problem::of(ProblemCode::BitmapPadding, RecordNumber::BITMAP).actual(bit));
        }
        findings.report.free_clusters = self.free;
        findings.report.leaked_clusters = self.leaked.clusters;
        findings.report.unmarked_clusters = self.unmarked.clusters;
    }
}
