//! Which partition is *the* recovery partition. The Windows that uses it says so in its ReAgent.xml; type, size and
//! label only make candidates, because factory images and leftovers of upgrades have the same type.

use crate::observation::{Observation, Partition};
use crate::refusal::Refusal;

/// The recovery partition to work on: the one the user named, else the one that Windows refers to.
///
/// # Errors
/// A [`Refusal`] that says what is missing.
pub fn recovery_partition(observation: &Observation, named: Option<u32>) -> Result<&Partition, Refusal> {
    if let Some(number) = named {
        let partition = observation
            .partition(number)
            .ok_or(Refusal::NoSuchPartition { number })?;
        return if partition.is_recovery_type() {
            Ok(partition)
        } else {
            Err(Refusal::NotRecoveryType { number })
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
                Err(Refusal::NotRecoveryType { number })
            }
        }
        [] => Err(match candidate(observation) {
            Some(partition) => Refusal::NoWindowsReference {
                number: partition.number,
            },
            None => Refusal::NoRecoveryPartition,
        }),
        _ => Err(Refusal::SeveralRecoveryPartitions { numbers: referred }),
    }
}

/// For a report: the partition of [`recovery_partition`], or the first one of the recovery type.
pub fn candidate_or_named(observation: &Observation, named: Option<u32>) -> Option<&Partition> {
    recovery_partition(observation, named)
        .ok()
        .or_else(|| candidate(observation))
}

fn candidate(observation: &Observation) -> Option<&Partition> {
    observation.partitions.iter().find(|p| p.is_recovery_type())
}
