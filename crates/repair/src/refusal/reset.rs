//! Refusals of a reset of Windows Update, in words.

use super::{Refusal, unreachable_explanation};
use crate::explain::Explained;
use crate::text;
use crate::text::Text;

impl Refusal {
    pub(super) fn explain_reset(&self) -> Explained {
        match self {
            Self::NoWindows { number: None } => Explained::new(
                text!("There is no Windows on this disk"),
                text!("No volume of it holds a Windows that can be read."),
                text!("Run the command on the disk that Windows starts from."),
            ),
            Self::NoWindows { number: Some(number) } => Explained::new(
                text!("There is no Windows on partition {number}", number),
                text!("Neither a registry nor a ReAgent.xml of a Windows is there."),
                text!("`winrefit diagnose` lists every Windows with its partition."),
            ),
            Self::SeveralWindows { numbers } => Explained::new(
                text!("Several Windows are on this disk"),
                text!(
                    "They are on the partitions {numbers}, and nothing says which one is meant.",
                    numbers = Text::all_of(numbers.iter().map(|&number| number.into()))
                ),
                text!(
                    "Say which one to reset: add --windows with {numbers}.",
                    numbers = Text::one_of(numbers.iter().map(|&number| number.into()))
                ),
            ),
            Self::EncryptedWindows { number } => Explained::new(
                text!("Partition {number} is encrypted by BitLocker", number),
                text!("Neither folders nor registry of a Windows in it can be seen or changed from outside."),
                text!(
                    "Decrypt the volume in Windows (manage-bde -off), let it finish, shut down, and run the command \
                     again."
                ),
            ),
            Self::HalfDone => Explained::new(
                text!("The first of a repair's two commits is on this disk"),
                text!("Another change would replace the record that takes it back."),
                text!(
                    "Run `winrefit fix` to complete that repair, or `winrefit undo` to take it back, first."
                ),
            ),
            Self::NoFreeName { number, path } => Explained::new(
                text!("No name is left for a folder of Windows Update"),
                text!(
                    "Partition {number}: each name that differs from {path} in its last character is taken, or does not \
                     come next to it in the order of names.",
                    number,
                    path
                ),
                text!("Remove old ones in Windows, or reset the services alone: add --only services."),
            ),
            Self::CannotRename {
                number,
                path,
                problem,
            } => Explained::new(
                text!("A folder of Windows Update cannot be renamed"),
                text!("Partition {number}, {path}: {problem}.", number, path, problem),
                text!(
                    "Nothing was written. Rename it in Windows' recovery environment, or reset the services alone: add \
                     --only services."
                ),
            ),
            _ => self.explain_hive(),
        }
    }

    fn explain_hive(&self) -> Explained {
        match self {
            Self::Hive {
                number,
                path,
                problem,
            } => Explained::new(
                text!(
                    "The registry of the Windows on partition {number} cannot be changed",
                    number
                ),
                text!("{path}: {problem}.", path = *path, problem),
                text!("Nothing was written. To reset the folders alone, add --only folders."),
            ),
            Self::HiveDirty { number, path } => Explained::new(
                text!(
                    "Windows on partition {number} has not finished writing its registry",
                    number
                ),
                text!(
                    "What {path} says by now is in its log files, which only Windows may write into it.",
                    path = *path
                ),
                text!(
                    "Start that Windows once and shut it down fully (shutdown /s /t 0), then run the command again; or reset \
                     the folders alone: add --only folders."
                ),
            ),
            _ => unreachable_explanation(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_way_out() {
        let (number, path) = (3, r"\Windows\SoftwareDistribution");
        let problem = text!("it is not there");
        for refusal in [
            Refusal::NoWindows { number: None },
            Refusal::NoWindows { number: Some(number) },
            Refusal::SeveralWindows { numbers: vec![3, 5] },
            Refusal::EncryptedWindows { number },
            Refusal::HalfDone,
            Refusal::NoFreeName {
                number,
                path: path.to_owned(),
            },
            Refusal::CannotRename {
                number,
                path: path.to_owned(),
                problem: problem.clone(),
            },
            Refusal::Hive {
                number,
                path,
                problem: problem.clone(),
            },
            Refusal::HiveDirty { number, path },
        ] {
            let said = refusal.explain();
            for text in [said.title, said.detail, said.next] {
                assert!(
                    text.to_string()
                        .ends_with(|c: char| c.is_alphanumeric() || ".)".contains(c))
                );
            }
        }
    }
}
