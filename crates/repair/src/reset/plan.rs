//! Which Windows is meant, and what is done to it. Pure functions of facts.

use super::facts::{FolderFact, Start};
use super::{ResetPart, ResetRequest};
use crate::observation::{Content, Observation};
use crate::plan::at_rest::{check_volume, managed_disk};
use crate::plan::{Plan, Step, Strategy};
use crate::records::SYSTEM_HIVE;
use crate::records::services::DISABLED;
use crate::refusal::Refusal;
use crate::text::Text;

/// The partition of the Windows that is meant, whose volume may be changed.
///
/// # Errors
/// The first [`Refusal`] met.
pub fn windows(observation: &Observation, request: &ResetRequest) -> Result<u32, Refusal> {
    managed_disk(observation)?;
    if !observation.table.is_whole() {
        // The journal's place follows from the table.
        let sound = observation.table.sound.as_ref().err();
        let problem = sound.map_or_else(Text::empty, Text::quoted);
        return Err(Refusal::Table { problem });
    }
    let number = chosen(observation, request.windows)?;
    let partition = observation.partition(number);
    check_volume(partition.ok_or(Refusal::NoSuchPartition { number })?)?;
    Ok(number)
}

fn chosen(observation: &Observation, named: Option<u32>) -> Result<u32, Refusal> {
    let numbers: Vec<u32> = observation.windows.iter().map(|w| w.partition).collect();
    match (named, &numbers[..]) {
        (Some(number), all) if all.contains(&number) => Ok(number),
        (None, [only]) => Ok(*only),
        (None, [_, _, ..]) => Err(Refusal::SeveralWindows { numbers }),
        // It may be there and cannot be seen.
        (named, _) => Err(out_of_sight(observation, named).unwrap_or(Refusal::NoWindows { number: named })),
    }
}

/// The volume that may hide a Windows: the one that was named, or any that holds data.
fn out_of_sight(observation: &Observation, named: Option<u32>) -> Option<Refusal> {
    let mut may_be = observation.partitions.iter().filter(|partition| match named {
        Some(number) => partition.number == number,
        None => partition.kind.is_basic_data(),
    });
    may_be.find_map(|partition| {
        let number = partition.number;
        match &partition.content {
            Content::BitLocker => Some(Refusal::EncryptedWindows { number }),
            Content::DamagedNtfs(_) => check_volume(partition).err(),
            _ => None,
        }
    })
}

/// The plan for the Windows on partition `number`; empty if nothing is to be done. `services` are asked for only if
/// the request wants them, `filetime` is the time of the renaming.
///
/// # Errors
/// [`Refusal`].
pub fn plan(
    number: u32,
    (folders, services): (&[FolderFact], Result<&[Start], &Text>),
    request: &ResetRequest,
    filetime: u64,
) -> Result<Plan, Refusal> {
    let mut steps = Vec::new();
    if request.wants(ResetPart::Folders) {
        for folder in folders {
            steps.push(rename(number, folder, filetime)?);
        }
    }
    if request.wants(ResetPart::Services) {
        let services = services.map_err(|problem| Refusal::Hive {
            number,
            path: SYSTEM_HIVE,
            problem: problem.clone(),
        })?;
        let disabled = services.iter().filter(|service| service.start == DISABLED);
        steps.extend(disabled.filter_map(|service| {
            Some(Step::SetServiceStart {
                partition: number,
                service: service.known.name,
                from: service.start,
                to: *service.known.defaults.first()?,
            })
        }));
    }
    Ok(Plan {
        strategy: Strategy::ResetUpdate,
        recovery_partition: None,
        free_bytes: 0,
        target_free_bytes: 0,
        growth_bytes: 0,
        steps,
        then: None,
    })
}

fn rename(number: u32, folder: &FolderFact, filetime: u64) -> Result<Step, Refusal> {
    let FolderFact {
        directory,
        name,
        free_name,
    } = folder;
    let path = || format!(r"{directory}\{name}");
    let to = match free_name {
        Ok(Some(to)) => to.clone(),
        Ok(None) => {
            let path = path();
            return Err(Refusal::NoFreeName { number, path });
        }
        Err(problem) => {
            let (path, problem) = (path(), problem.clone());
            return Err(Refusal::CannotRename {
                number,
                path,
                problem,
            });
        }
    };
    Ok(Step::RenameFolder {
        partition: number,
        folder: directory,
        from: name,
        to,
        filetime,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::services::KNOWN;
    use crate::text;

    fn starts(values: &[(&str, u32)]) -> Vec<Start> {
        let start = |(name, start): &(&str, u32)| Start {
            known: KNOWN.iter().find(|known| known.name == *name).unwrap(),
            start: *start,
        };
        values.iter().map(start).collect()
    }

    #[test]
    fn what_is_disabled_gets_the_usual_start_and_the_rest_stays() {
        let services = starts(&[("wuauserv", 4), ("UsoSvc", 3), ("BITS", 4), ("DoSvc", 2)]);
        let facts = (&[][..], Ok(&services[..]));
        let steps = plan(3, facts, &ResetRequest::default(), 0).unwrap().steps;
        let set = |service, to| Step::SetServiceStart {
            partition: 3,
            service,
            from: 4,
            to,
        };
        assert_eq!(steps, [set("wuauserv", 3), set("BITS", 2)]);
    }

    #[test]
    fn a_part_that_is_not_asked_for_refuses_nothing() {
        let folder = FolderFact {
            directory: r"\Windows",
            name: "SoftwareDistribution",
            free_name: Ok(None),
        };
        let problem = text!("it is not there");
        let facts = || (std::slice::from_ref(&folder), Err(&problem));
        let only = |part| ResetRequest {
            windows: None,
            only: Some(part),
        };
        let code = |result: Result<Plan, Refusal>| result.map_err(|refusal| refusal.code());
        let folders = plan(3, facts(), &only(ResetPart::Folders), 0);
        assert_eq!(code(folders).unwrap_err(), "no-free-name");
        let services = plan(3, facts(), &only(ResetPart::Services), 0);
        assert_eq!(code(services).unwrap_err(), "hive");
        let none = plan(3, (&[], Err(&problem)), &only(ResetPart::Folders), 0);
        assert!(code(none).unwrap().is_empty());
    }
}
