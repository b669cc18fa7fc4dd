//! Words for a boot store that has to name the recovery partition at its new place, and cannot be changed.

use crate::explain::Explained;

/// Why a boot store is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BootStoreRefusal {
    /// Its last write was not finished, or a log is ahead of it.
    Dirty {
        number: u32,
        path: String,
        problem: String,
    },
    /// Device elements that may name the partition are not understood.
    Unknown {
        number: u32,
        path: String,
        elements: Vec<String>,
    },
    /// It cannot be read, or its bytes cannot be replaced where they lie.
    InPlace {
        number: u32,
        path: String,
        problem: String,
    },
}

/// Elements that an explanation names.
const ELEMENTS_MAX: usize = 3;
const WHY: &str = "On an MBR disk it names the recovery partition by the place where that begins, and would have to be \
                   told of the new one.";

impl BootStoreRefusal {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Dirty { .. } => "boot-store-dirty",
            Self::Unknown { .. } => "boot-store-unknown",
            Self::InPlace { .. } => "boot-store-in-place",
        }
    }

    pub(super) fn explain(&self) -> Explained {
        match self {
            Self::Dirty {
                number,
                path,
                problem,
            } => Explained::new(
                format!("Windows has not finished its last change of the boot store on partition {number}"),
                format!("{WHY} {path}: {problem}."),
                "Start Windows from this disk once, shut it down fully (shutdown /s /t 0), and run the command again.",
            ),
            Self::Unknown {
                number,
                path,
                elements,
            } => {
                let mut named = elements
                    .iter()
                    .take(ELEMENTS_MAX)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ");
                if elements.len() > ELEMENTS_MAX {
                    named += &format!(" and {} more", elements.len() - ELEMENTS_MAX);
                }
                Explained::new(
                    format!(
                        "The boot store on partition {number} has entries that winrefit does not understand"
                    ),
                    format!("{WHY} Whether these entries of {path} name it, too, cannot be told: {named}."),
                    "Look at `bcdedit /enum all /v` in Windows, and remove the entries if nothing needs them. Or let \
                     the partition keep its start: unallocated space right behind it needs no change here.",
                )
            }
            Self::InPlace {
                number,
                path,
                problem,
            } => Explained::new(
                format!("The boot store on partition {number} cannot be changed where it lies"),
                format!("{WHY} {path}: {problem}."),
                "Start Windows from this disk once, run `chkdsk` on that volume there, shut down fully \
                 (shutdown /s /t 0), and run the command again. Compression of the file, if that is what stops it, goes \
                 with `compact /u`.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Refusal;

    #[test]
    fn each_has_its_code_and_says_where_and_what_next() {
        let (number, path, problem) = (3, r"\Boot\BCD".to_owned(), "this is wrong".to_owned());
        let elements = (1..=5).map(|i| format!("element {i}")).collect();
        for (refusal, code, words) in [
            (
                BootStoreRefusal::Dirty {
                    number,
                    path: path.clone(),
                    problem: problem.clone(),
                },
                "boot-store-dirty",
                "this is wrong",
            ),
            (
                BootStoreRefusal::Unknown {
                    number,
                    path: path.clone(),
                    elements,
                },
                "boot-store-unknown",
                "element 3 and 2 more",
            ),
            (
                BootStoreRefusal::InPlace {
                    number,
                    path,
                    problem,
                },
                "boot-store-in-place",
                "this is wrong",
            ),
        ] {
            let report = Refusal::BootStore(refusal).report();
            assert_eq!(report.code, code);
            let explained = report.explained;
            assert!(explained.title.contains("partition 3"));
            assert!(explained.detail.contains(words) && explained.detail.contains(r"\Boot\BCD"));
            assert!(explained.next.contains("Windows"));
        }
    }
}
