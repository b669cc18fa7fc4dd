//! Reading the bytes of a stream, wherever its runs are.

use crate::file::{Stream, StreamBody};
use crate::runs::{Run, RunList};
use crate::types::Geometry;
use winrefit_disk::{DiskError, ReadAt};

/// Reads a stream as plain bytes: holes and bytes behind the initialised size are zero.
#[derive(Debug, Clone)]
pub struct StreamReader<R> {
    volume: R,
    geometry: Geometry,
    stream: Stream,
    /// The byte of the stream at which every [`MARK_RUNS`]th run begins: a read must not go through millions of runs.
    marks: Vec<u64>,
}

/// Runs from one mark to the next.
const MARK_RUNS: usize = 256;

fn marks(runs: Option<&RunList>, geometry: Geometry) -> Vec<u64> {
    let mut start = 0u64;
    let runs = runs.iter().flat_map(|runs| runs.0.chunks(MARK_RUNS));
    let begin = |runs: &[Run]| {
        let own = start;
        start = runs.iter().fold(start, |at, run| run_end(at, run, geometry));
        own
    };
    runs.map(begin).collect()
}

fn run_end(start: u64, run: &Run, geometry: Geometry) -> u64 {
    start.saturating_add(run.clusters.saturating_mul(geometry.cluster_size.into()))
}

impl<R> StreamReader<R> {
    /// A reader of a plain stream, whose runs lie on the volume.
    pub(crate) fn new(volume: R, geometry: Geometry, stream: Stream) -> Self {
        let marks = marks(stream.runs(), geometry);
        Self {
            volume,
            geometry,
            stream,
            marks,
        }
    }

    /// The stream.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

impl<R: ReadAt> ReadAt for StreamReader<R> {
    fn size(&self) -> u64 {
        self.stream.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let mark = self
            .marks
            .partition_point(|&start| start <= offset)
            .saturating_sub(1);
        let from = (mark * MARK_RUNS, self.marks.get(mark).copied().unwrap_or(0));
        read_runs_at(&self.volume, self.geometry, (&self.stream, from), offset, buf)
    }
}

/// Fills `buf` from the stream at `offset`; holes and bytes behind the initialised size are zero.
pub(crate) fn read_stream_at<R: ReadAt>(
    volume: &R,
    geometry: Geometry,
    stream: &Stream,
    offset: u64,
    buf: &mut [u8],
) -> Result<(), DiskError> {
    read_runs_at(volume, geometry, (stream, (0, 0)), offset, buf)
}

/// The same, beginning with the run of that index, which begins at that byte of the stream and not behind `offset`.
fn read_runs_at<R: ReadAt>(
    volume: &R,
    geometry: Geometry,
    (stream, (first, mut start)): (&Stream, (usize, u64)),
    offset: u64,
    buf: &mut [u8],
) -> Result<(), DiskError> {
    let (runs, sizes) = match &stream.body {
        StreamBody::Resident(value) => return value.read_at(offset, buf),
        StreamBody::NonResident { runs, sizes } => (runs, sizes),
    };
    let Some(end) = offset
        .checked_add(buf.len() as u64)
        .filter(|&end| end <= sizes.data)
    else {
        return Err(DiskError::OutOfBounds {
            offset,
            length: buf.len() as u64,
            device_len: sizes.data,
        });
    };
    buf.fill(0);
    for run in runs.0.iter().skip(first) {
        let run_end = run_end(start, run, geometry);
        let (from, to) = (start.max(offset), run_end.min(end).min(sizes.initialized));
        if let Some(lcn) = run.lcn.filter(|_| from < to) {
            let at = geometry.offset_of(lcn).saturating_add(from - start);
            volume.read_at(at, &mut buf[(from - offset) as usize..(to - offset) as usize])?;
        }
        if run_end >= end {
            break;
        }
        start = run_end;
    }
    Ok(())
}
