//! Which partition is *the* recovery partition. The Windows that uses it says so in its ReAgent.xml; type, size and
//! label only make candidates, because factory images and leftovers of upgrades have the same type. Where WinRE is
//! disabled nothing is said: then a partition is chosen only if there is no other choice.

use crate::observation::{Content, Observation, Partition, Windows};
use crate::refusal::Refusal;
use crate::winre::{hidden_windows, is_foreign, partition_to_be_used};

/// The recovery partition to work on: the one the user named, else the one that Windows refers to.
///
/// # Errors
/// A [`Refusal`] that says what is missing.
pub fn recovery_partition(observation: &Observation, named: Option<u32>) -> Result<&Partition, Refusal> {
    if let Some(number) = named {
        let partition = observation
            .partition(number)
            .ok_or(Refusal::NoSuchPartition { number })?;
        if !partition.is_recovery_type() {
            return Err(Refusal::NotRecoveryType {
                number,
                is_named: true,
            });
        }
        return match others_used(observation, number) {
            Some(used) => Err(Refusal::NotInUse { number, used }),
            None => Ok(partition),
        };
    }
    let mut referred: Vec<u32> = observation
        .windows
        .iter()
        .filter_map(|windows| windows.recovery_partition)
        .collect();
    referred.sort_unstable();
    referred.dedup();
    match referred[..] {
        [number] => {
            let partition = observation
                .partition(number)
                .ok_or(Refusal::NoSuchPartition { number })?;
            if partition.is_recovery_type() {
                Ok(partition)
            } else {
                partition_to_be_used(observation).ok_or(Refusal::NotRecoveryType {
                    number,
                    is_named: false,
                })
            }
        }
        [] => partition_to_be_used(observation).ok_or_else(|| no_reference(observation)),
        _ => Err(Refusal::SeveralRecoveryPartitions { numbers: referred }),
    }
}

/// The recovery partition that the Windows of this disk use instead of `number`: all of them can be read, and none names
/// that one.
fn others_used(observation: &Observation, number: u32) -> Option<u32> {
    let used = |w: &Windows| {
        let used = observation.partition(w.recovery_partition?)?;
        let enabled = w.readable_reagent()?.install_state == Some(1);
        (used.is_recovery_type() && enabled && used.number != number).then_some(used.number)
    };
    let used: Option<Vec<u32>> = observation.windows.iter().map(used).collect();
    used.filter(|_| hidden_windows(observation).is_none())?
        .first()
        .copied()
}

/// Why no recovery partition is known to be the right one.
fn no_reference(observation: &Observation) -> Refusal {
    let Some(partition) = candidate(observation) else {
        return Refusal::NoRecoveryPartition;
    };
    let all = || observation.partitions.iter();
    // The Windows that refers to it is probably the one that cannot be read.
    if let Some(encrypted) = all().find(|p| matches!(p.content, Content::BitLocker)) {
        let number = encrypted.number;
        return Refusal::BitLocker { number };
    }
    match all().find(|p| observation.windows.is_empty() && is_foreign(p)) {
        Some(foreign) => Refusal::ForeignBootSector {
            number: foreign.number,
        },
        None => Refusal::NoWindowsReference {
            number: partition.number,
        },
    }
}

/// For a report: the partition that the user named, whatever it is; else the one of [`recovery_partition`], or the first
/// one of the recovery type.
pub fn candidate_or_named(observation: &Observation, named: Option<u32>) -> Option<&Partition> {
    match named {
        Some(number) => observation.partition(number),
        None => recovery_partition(observation, None)
            .ok()
            .or_else(|| candidate(observation)),
    }
}

fn candidate(observation: &Observation) -> Option<&Partition> {
    observation.partitions.iter().find(|p| p.is_recovery_type())
}
