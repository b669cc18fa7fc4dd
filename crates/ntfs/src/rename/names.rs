//! Which names a file has in a directory, and which it gets.

use super::short;
use super::{Checked, RenameError};
use crate::format::names::{POSIX, WIN32_AND_DOS, namespace, units};
use crate::types::RecordNumber;

pub(super) const WIN32: u8 = 1;
pub(super) const DOS: u8 = 2;

/// Names of devices, which no file can have, whatever the extension (Microsoft: "Naming Files, Paths, and Namespaces").
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// A name with its namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) units: Vec<u16>,
    pub(super) namespace: u8,
}

/// The units of a name that Win32 programs can use.
pub(super) fn checked(name: &str) -> Result<Vec<u16>, RenameError> {
    let invalid = |problem| RenameError::InvalidName {
        name: name.to_owned(),
        problem,
    };
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let is_device = DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem))
        || NUMBERED_DEVICES.iter().any(|device| {
            let (head, number) = stem.split_at_checked(3).unwrap_or_default();
            device.eq_ignore_ascii_case(head) && matches!(number.as_bytes(), [b'1'..=b'9'])
        });
    if is_device {
        return Err(invalid("it is the name of a device"));
    }
    units(name).map_err(invalid)
}

/// What decides about the namespaces of the new names.
pub(super) struct Situation {
    /// Whether the old name has a partner of the 8.3 form, or is of that form itself.
    pub(super) had_short: bool,
    /// Whether another link of the file has a name for DOS: a file has one at most.
    pub(super) has_short_elsewhere: bool,
}

/// The names that the file gets: one for Win32 and DOS if it is of the 8.3 form; a pair if the old name was reachable from
/// DOS; one POSIX name otherwise, as Windows writes where it makes no 8.3 names. `taken` says whether the directory
/// has a name already.
pub(super) fn choose(
    (new, long): (&str, &[u16]),
    situation: &Situation,
    directory: RecordNumber,
    mut taken: impl FnMut(&[u16]) -> Checked<bool>,
) -> Checked<Vec<Name>> {
    let name = |namespace| Name {
        units: long.to_vec(),
        namespace,
    };
    if situation.has_short_elsewhere {
        return Ok(vec![name(POSIX)]);
    }
    if namespace(new) == WIN32_AND_DOS {
        return Ok(vec![name(WIN32_AND_DOS)]);
    }
    if !situation.had_short {
        return Ok(vec![name(POSIX)]);
    }
    for candidate in short::candidates(long) {
        let units: Vec<u16> = candidate.encode_utf16().collect();
        if !taken(&units)? {
            let namespace = DOS;
            return Ok(vec![name(WIN32), Name { units, namespace }]);
        }
    }
    Err(RenameError::NoShortName {
        directory,
        name: new.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(new: &str, situation: &Situation, taken: &[&str]) -> Vec<(String, u8)> {
        let long: Vec<u16> = new.encode_utf16().collect();
        let is_taken = |units: &[u16]| Ok(taken.contains(&String::from_utf16_lossy(units).as_str()));
        let names = choose((new, &long), situation, RecordNumber(5), is_taken).unwrap();
        names
            .iter()
            .map(|name| (String::from_utf16_lossy(&name.units), name.namespace))
            .collect()
    }

    #[test]
    fn namespaces_follow_the_form_of_the_name_and_what_there_was() {
        let with = Situation {
            had_short: true,
            has_short_elsewhere: false,
        };
        let without = Situation {
            had_short: false,
            has_short_elsewhere: false,
        };
        let elsewhere = Situation {
            had_short: false,
            has_short_elsewhere: true,
        };
        let long = "SoftwareDistribution.old";
        let pair = |short: &str| vec![(long.to_owned(), 1), (short.to_owned(), 2)];
        assert_eq!(chosen(long, &with, &[]), pair("SOFTWA~1.OLD"));
        let taken = ["SOFTWA~1.OLD", "SOFTWA~2.OLD"];
        assert_eq!(chosen(long, &with, &taken), pair("SOFTWA~3.OLD"));
        assert_eq!(chosen(long, &without, &[]), [(long.to_owned(), 0)]);
        for situation in [&with, &without] {
            let single = [("catroot2.old".to_owned(), 3)];
            assert_eq!(chosen("catroot2.old", situation, &[]), single);
        }
        assert_eq!(chosen("a.old", &elsewhere, &[]), [("a.old".to_owned(), 0)]);
    }

    #[test]
    fn names_of_devices_are_refused_and_others_that_begin_so_are_not() {
        for name in ["con", "NUL.txt", "Com1", "lpt9.a.b", "aux .x"] {
            assert!(
                matches!(checked(name), Err(RenameError::InvalidName { .. })),
                "{name}"
            );
        }
        for name in ["com", "com0", "com10", "console", "nul1", "x.con", "\u{e4}\u{e4}"] {
            assert!(checked(name).is_ok(), "{name}");
        }
    }
}
