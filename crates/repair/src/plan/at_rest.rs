//! What has to be true of volumes and disk before anything may be changed.

use crate::observation::{Content, Observation, Partition, Space};
use crate::refusal::Refusal;
use crate::text;
use crate::text::Text;
use crate::winre::is_foreign;
use winrefit_ntfs::Lcn;
use winrefit_ntfs::logfile::LogState;

/// Whether the volume of a partition may be changed; and its space.
pub(crate) fn check_volume(partition: &Partition) -> Result<Space, Refusal> {
    let number = partition.number;
    let ntfs = match &partition.content {
        Content::Ntfs(ntfs) => ntfs,
        Content::BitLocker => return Err(Refusal::BitLocker { number }),
        Content::Refs => return Err(Refusal::Refs { number }),
        Content::DamagedNtfs(error) => return Err(Refusal::of_unread(number, error)),
        _ if is_foreign(partition) => return Err(Refusal::ForeignBootSector { number }),
        other => {
            return Err(Refusal::UnknownFilesystem {
                number,
                found: other.text(),
                is_recovery: partition.is_recovery_type(),
            });
        }
    };
    let state = ntfs.state.as_ref();
    let state = state.map_err(|error| Refusal::of_unread(number, error))?;
    let (major, minor) = state.version;
    if (major, minor) != (3, 1) {
        return Err(Refusal::NtfsVersion { number, major, minor });
    }
    if state.hibernated {
        return Err(Refusal::Hibernated { number });
    }
    if state.is_dirty() {
        return Err(Refusal::Dirty { number });
    }
    match state.log {
        LogState::Uninitialized | LogState::Clean => {}
        LogState::FastStartup { .. } => {
            return Err(Refusal::UncleanLog {
                number,
                fast_startup: true,
            });
        }
        LogState::InUse => {
            return Err(Refusal::UncleanLog {
                number,
                fast_startup: false,
            });
        }
        LogState::Damaged => {
            let problem = text!("$LogFile has no readable restart page");
            return Err(Refusal::DamagedNtfs { number, problem });
        }
    }
    let unread = Refusal::DamagedNtfs {
        number,
        problem: text!("$Bitmap cannot be read"),
    };
    ntfs.space.ok_or(unread)
}

/// Whether a new start breaks nothing that starts from the partition, and every Windows that may refer to it can be told.
/// Where a readable one refers to it, that is the one; otherwise it may be any that cannot be read.
pub(super) fn start_can_be_told(observation: &Observation, recovery: u32) -> Result<(), Refusal> {
    if observation.partition(recovery).is_some_and(|p| p.is_active) {
        return Err(Refusal::ActiveRecovery { number: recovery });
    }
    if observation
        .windows
        .iter()
        .any(|w| w.recovery_partition == Some(recovery))
    {
        return Ok(());
    }
    for windows in &observation.windows {
        if let Some(Err(problem)) = &windows.reagent {
            let (number, problem) = (windows.partition, Text::raw(problem));
            return Err(Refusal::ReAgentUnreadable { number, problem });
        }
    }
    let data = observation.partitions.iter().filter(|p| p.kind.is_basic_data());
    for partition in data {
        let number = partition.number;
        match &partition.content {
            Content::BitLocker => return Err(Refusal::BitLocker { number }),
            Content::DamagedNtfs(error) => return Err(Refusal::of_unread(number, error)),
            Content::Refs => return Err(Refusal::Refs { number }),
            Content::Unknown => return Err(Refusal::ForeignBootSector { number }),
            _ => {}
        }
    }
    Ok(())
}

/// A Windows that is hibernated or was not shut down goes on with the partition table that it remembers, whichever
/// partitions the plan changes.
pub(super) fn windows_at_rest(observation: &Observation) -> Result<(), Refusal> {
    let partitions = observation
        .windows
        .iter()
        .filter_map(|w| observation.partition(w.partition));
    for partition in partitions {
        check_volume(partition)?;
    }
    Ok(())
}

/// Whether no sector behind `start`, a byte of the disk, is known to be bad: what is put there would be lost.
pub(super) fn no_bad_clusters_behind(donor: &Partition, start: u64) -> Result<(), Refusal> {
    let number = donor.number;
    let Some(ntfs) = donor.ntfs() else { return Ok(()) };
    let bad = ntfs.bad_clusters.as_ref();
    let bad = bad.map_err(|error| Refusal::of_unread(number, error))?;
    let first = start.saturating_sub(donor.range.start) / u64::from(ntfs.geometry.cluster_size);
    let mut behind = bad.iter().filter_map(|run| {
        let from = run.lcn?.0.max(first);
        let count = (run.lcn?.0 + run.clusters).saturating_sub(from);
        (count > 0).then_some((from, count))
    });
    let Some((lcn, count)) = behind.next() else {
        return Ok(());
    };
    Err(Refusal::BadClusters {
        number,
        count: count + behind.map(|(_, count)| count).sum::<u64>(),
        first_byte: donor.range.start + ntfs.geometry.offset_of(Lcn(lcn)),
    })
}

pub(crate) fn managed_disk(observation: &Observation) -> Result<(), Refusal> {
    for partition in &observation.partitions {
        if let Some(manager) = partition.kind.manager() {
            return Err(Refusal::ManagedDisk {
                number: partition.number,
                manager,
            });
        }
    }
    Ok(())
}
