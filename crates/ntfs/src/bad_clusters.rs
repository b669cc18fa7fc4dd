//! Clusters that Windows has put aside because their sectors cannot be read or written.

use crate::error::NtfsError;
use crate::runs::Run;
use crate::types::{AttributeType, Lcn, RecordNumber};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Runs that are listed at most. A disk with as many bad places is no longer one to repair.
const RUNS_MAX: usize = 1 << 16;

/// The bad clusters of a volume, in order: the runs of $BadClus:$Bad that are not holes. A volume without the stream has
/// none.
///
/// ```
/// # use winrefit_disk::{MemoryDevice, SectorSize};
/// # use winrefit_ntfs::format::{FormatOptions, VolumeBuilder};
/// # use winrefit_ntfs::{Volume, bad_clusters};
/// # let mut disk = MemoryDevice::zeroed(16 << 20, SectorSize::B512);
/// # VolumeBuilder::new(FormatOptions::new((16 << 20) / 512))?.write_to(&mut disk)?;
/// let volume = Volume::open(&disk)?;
/// assert!(bad_clusters(&volume)?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Damage of $BadClus, [`NtfsError::ClusterOutOfBounds`] for a cluster that the volume does not have, and
/// [`NtfsError::TooMuch`] for more than 65,536 runs.
pub fn bad_clusters<R: ReadAt>(volume: &Volume<R>) -> Result<Vec<Run>, NtfsError> {
    let (record, attribute) = (RecordNumber::BAD_CLUS, AttributeType::DATA);
    let stream = volume.file(record)?.stream(attribute, "$Bad")?;
    let clusters = volume.geometry().clusters();
    let mut bad: Vec<(Lcn, Run)> = Vec::new();
    for run in stream.iter().filter_map(|s| s.runs()).flat_map(|runs| &runs.0) {
        let Some(lcn) = run.lcn else { continue };
        if lcn.0.saturating_add(run.clusters) > clusters {
            return Err(NtfsError::ClusterOutOfBounds {
                record,
                attribute,
                lcn,
                clusters,
            });
        }
        if bad.len() >= RUNS_MAX {
            return Err(NtfsError::TooMuch {
                what: "runs of bad clusters",
                actual: RUNS_MAX as u64 + 1,
                limit: RUNS_MAX as u64,
            });
        }
        bad.push((lcn, *run));
    }
    bad.sort_unstable_by_key(|&(lcn, _)| lcn);
    Ok(bad.into_iter().map(|(_, run)| run).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::with_runs;
    use crate::fixup;
    use crate::format::{FormatOptions, VolumeBuilder};
    use crate::runs::RunList;
    use winrefit_disk::{Device, MemoryDevice, SectorSize};

    const SECTORS: u64 = 32 << 11;

    /// A volume whose $Bad has these runs; its length is left as it was.
    fn volume(runs: &[Run]) -> MemoryDevice {
        let mut device = MemoryDevice::zeroed((SECTORS * 512) as usize, SectorSize::B512);
        let builder = VolumeBuilder::new(FormatOptions::new(SECTORS)).unwrap();
        builder.write_to(&mut device).unwrap();
        let (at, bytes) = {
            let volume = Volume::open(&device).unwrap();
            let raw = volume.read_raw_record(RecordNumber::BAD_CLUS).unwrap();
            let mut record = volume.read_record(RecordNumber::BAD_CLUS).unwrap();
            let (offset, length, new) = {
                let bad = record.find(AttributeType::DATA, "$Bad").unwrap().unwrap();
                let new = with_runs(&bad, &RunList(runs.to_vec()), None);
                (bad.offset(), bad.bytes().len(), new)
            };
            record.replace_attribute(offset, length, &new).unwrap();
            let mft = volume.geometry().offset_of(volume.boot().mft_lcn());
            let at = mft + RecordNumber::BAD_CLUS.0 * u64::from(volume.geometry().record_size);
            (at, fixup::protect_over(record.bytes(), &raw))
        };
        device.write_at(at, &bytes).unwrap();
        device
    }

    fn run(lcn: Option<u64>, clusters: u64) -> Run {
        Run {
            lcn: lcn.map(Lcn),
            clusters,
        }
    }

    fn list(runs: &[Run]) -> Result<Vec<Run>, NtfsError> {
        bad_clusters(&Volume::open(volume(runs)).unwrap())
    }

    #[test]
    fn a_hole_as_long_as_the_volume_is_no_bad_cluster() {
        assert_eq!(list(&[run(None, 8191)]).unwrap(), []);
    }

    #[test]
    fn runs_are_listed_in_order_without_the_holes() {
        let found = list(&[
            run(None, 100),
            run(Some(7000), 2),
            run(None, 50),
            run(Some(300), 1),
            run(None, 8038),
        ]);
        assert_eq!(found.unwrap(), [run(Some(300), 1), run(Some(7000), 2)]);
    }

    #[test]
    fn a_cluster_that_the_volume_does_not_have_is_damage() {
        for (lcn, clusters) in [(8191, 1), (8000, 500), (1 << 40, 1)] {
            assert!(matches!(
                list(&[run(Some(lcn), clusters)]),
                Err(NtfsError::ClusterOutOfBounds { lcn: found, .. }) if found == Lcn(lcn)
            ));
        }
    }
}
