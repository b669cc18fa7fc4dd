//! The $MFT's own stream, which has to be known before any record can be found by its number.

use crate::error::NtfsError;
use crate::file::{ATTRIBUTE_LIST_BYTES_MAX, File, Stream, StreamBody};
use crate::record::Record;
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber};
use crate::volume::read_raw_record;
use winrefit_disk::ReadAt;

/// Runs of the $MFT. Very fragmented ones have some thousand; each record read on the way costs as many steps.
const MFT_RUNS_MAX: usize = 1 << 17;

/// The $MFT's runs may be split over extension records which lie in the $MFT themselves: each piece is read with
/// the pieces before it.
pub(crate) fn bootstrap_mft<R: ReadAt>(
    reader: &R,
    geometry: Geometry,
    base: Record,
) -> Result<Stream, NtfsError> {
    let known = std::cell::RefCell::new(first_piece(&base)?);
    let file = File::gather(
        base,
        |list| {
            let length = list.len().min(ATTRIBUTE_LIST_BYTES_MAX) as usize;
            Ok(list.clone().reader(reader, geometry)?.read_vec(0, length)?)
        },
        |number| {
            let raw = read_raw_record(reader, geometry, &known.borrow(), number)?;
            let record = Record::parse(number, raw)?;
            extend_mft(&mut known.borrow_mut(), &record)?;
            let actual = known.borrow().runs().map_or(0, |runs| runs.0.len());
            if actual > MFT_RUNS_MAX {
                return Err(NtfsError::TooMuch {
                    what: "runs of the $MFT",
                    actual: actual as u64,
                    limit: MFT_RUNS_MAX as u64,
                });
            }
            Ok(record)
        },
    )?;
    let mft = file.require(AttributeType::DATA, "")?;
    check_mft(&mft, geometry)?;
    Ok(mft)
}

/// Loops over the records are bounded by the $MFT's size, so that has to be one the volume can hold.
fn check_mft(mft: &Stream, geometry: Geometry) -> Result<(), NtfsError> {
    let clusters = geometry.clusters();
    let (record, attribute) = (RecordNumber::MFT, AttributeType::DATA);
    let bad = |field, actual| NtfsError::BadAttribute {
        record,
        attribute,
        offset: 0,
        field,
        actual,
    };
    let Some(runs) = mft.runs() else {
        return Err(bad("non-resident flag", 0));
    };
    for run in &runs.0 {
        let lcn = run.lcn.ok_or_else(|| bad("hole", run.clusters))?;
        if lcn.0.saturating_add(run.clusters) > clusters {
            return Err(NtfsError::ClusterOutOfBounds {
                record,
                attribute,
                lcn,
                clusters,
            });
        }
    }
    // What is there twice would make a small disk a long one.
    let mut places: Vec<(Lcn, u64)> = runs
        .0
        .iter()
        .filter_map(|run| Some((run.lcn?, run.clusters)))
        .collect();
    places.sort_unstable();
    let overlap = places.windows(2).find_map(|pair| match pair {
        [(first, count), (second, _)] if first.0 + count > second.0 => Some(second.0),
        _ => None,
    });
    if let Some(lcn) = overlap {
        return Err(bad("cluster that is there twice", lcn));
    }
    let owned = runs.clusters();
    if owned > clusters || mft.len() > owned * u64::from(geometry.cluster_size) {
        return Err(bad("data size", mft.len()));
    }
    Ok(())
}

/// The $MFT as far as its base record knows it: the sizes of the whole, the runs of the first piece.
fn first_piece(base: &Record) -> Result<Stream, NtfsError> {
    let missing = NtfsError::MissingAttribute {
        record: RecordNumber::MFT,
        attribute: AttributeType::DATA,
    };
    let data = base.find(AttributeType::DATA, "")?.ok_or(missing.clone())?;
    let sizes = data.sizes().ok_or(missing)?;
    Ok(Stream {
        record: RecordNumber::MFT,
        type_code: AttributeType::DATA,
        flags: data.flags(),
        body: StreamBody::NonResident {
            runs: data.runs()?,
            sizes,
        },
    })
}

fn extend_mft(known: &mut Stream, record: &Record) -> Result<(), NtfsError> {
    if let Some(data) = record.find(AttributeType::DATA, "")?
        && let StreamBody::NonResident { runs, .. } = &mut known.body
        && data.lowest_vcn().0 == runs.clusters()
    {
        for run in data.runs()?.0 {
            runs.push(run);
        }
    }
    Ok(())
}
