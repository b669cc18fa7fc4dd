//! A directory that is renamed in, beside what it has to look like.

use super::random::Random;
use std::collections::{BTreeMap, BTreeSet};
use winrefit_disk::{Device, ReadAt};
use winrefit_ntfs::attribute::FileName;
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::rename::{RenameError, Renamed, rename};
use winrefit_ntfs::{AttributeType, FileReference, Volume};

/// A time that no other writer of the tests has.
pub const TIME: u64 = 0x01D9_8765_4321_0000;

/// The long names of a directory with their files, and the DOS names.
pub type Listing = (BTreeMap<String, FileReference>, BTreeSet<String>);

/// What a directory has, in our reader. Its entries are in order of collation, as the checker requires, too.
pub fn listing<R: ReadAt>(device: R, directory: &str) -> Listing {
    let volume = Volume::open(device).unwrap();
    let file = volume.lookup(directory).unwrap().unwrap();
    let all = volume.directory(&file).unwrap().list().unwrap();
    let upcase = volume.upcase().unwrap();
    assert!(
        all.windows(2)
            .all(|pair| upcase.compare(&pair[0].1.name, &pair[1].1.name).is_le())
    );
    let (dos, long): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, name)| name.namespace == 2);
    let long = long
        .into_iter()
        .map(|(reference, name)| (name.display_name(), reference));
    let dos = dos.into_iter().map(|(_, name)| name.display_name());
    (long.collect(), dos.collect())
}

/// Our full check finds nothing of any severity.
pub fn assert_clean<R: ReadAt>(device: R, what: &str) {
    let report = check(device, &CheckOptions::default()).unwrap();
    assert!(report.problems_total == 0, "{what}: {:#?}", report.problems);
}

/// Plans a renaming and writes it.
pub fn apply<D: Device>(
    device: &mut D,
    directory: &str,
    old: &str,
    new: &str,
) -> Result<Renamed, RenameError> {
    let volume = Volume::open(&*device)?;
    let renamed = rename(&volume, directory, old, new, TIME)?;
    renamed
        .edits
        .apply(device)
        .map_err(winrefit_ntfs::NtfsError::from)?;
    Ok(renamed)
}

/// The names in the record of a file in the order in which they lie there: name and namespace.
pub fn own_names<R: ReadAt>(device: R, path: &str) -> Vec<(String, u8)> {
    let volume = Volume::open(device).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let names = file.names().unwrap();
    names
        .iter()
        .map(|name| (name.display_name(), name.namespace))
        .collect()
}

/// The value of the first attribute of a type.
pub fn value_of<R: ReadAt>(device: R, path: &str, type_code: AttributeType) -> Vec<u8> {
    let volume = Volume::open(device).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let attribute = file.base().find(type_code, "").unwrap().unwrap();
    attribute.value().unwrap().to_vec()
}

/// The fixed fields of a name: parent, times, sizes, flags.
pub fn fixed_fields<R: ReadAt>(device: R, path: &str) -> Vec<u8> {
    let value = value_of(device, path, AttributeType::FILE_NAME);
    assert!(FileName::parse(&value).is_some());
    value[..0x40].to_vec()
}

/// Renames at random in one directory, and says what must be there now.
pub struct Renamer {
    pub directory: String,
    pub names: BTreeMap<String, FileReference>,
    random: Random,
    /// Kinds of new names, as [`Renamer::name`] counts them.
    kinds: &'static [u64],
}

/// All kinds of names, most of them in the middle.
const MIXED: &[u64] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8];
/// Names that fill a block with few, so that blocks split and empty often.
const LONG: &[u64] = &[5, 5, 5, 6, 6, 2, 3];

impl Renamer {
    pub fn new<R: ReadAt>(device: R, directory: &str, seed: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            names: listing(device, directory).0,
            random: Random::new(seed),
            kinds: MIXED,
        }
    }

    /// The same, most of the new names being long.
    pub fn with_long_names(self) -> Self {
        Self { kinds: LONG, ..self }
    }

    /// A name of one of several kinds; it may exist already.
    fn name(&mut self) -> String {
        let random = &mut self.random;
        let number = random.below(1 << 24);
        match self.kinds[random.below(self.kinds.len() as u64) as usize] {
            0 => format!("{number:x}"),
            1 => format!("{:06x}.t{}", number, number % 90 + 10),
            2 => format!("!{number:o} at the front"),
            3 => format!("zzz {number:o} at the end"),
            4 => format!("\u{e4}{number:x}\u{4e2d}\u{6587} \u{1F600}"),
            5 => format!("{number:x}{}", "n".repeat(255 - format!("{number:x}").len())),
            6 => {
                let length = 1 + random.below(240) as usize;
                format!("{number:x}{}", "m".repeat(length))
            }
            7 => format!("MixedCase{number:X}.Extension"),
            _ => format!("a name in the middle {number:08}.dat"),
        }
    }

    /// One renaming. A name that exists must be refused; a directory or record that is full may refuse.
    pub fn step<D: Device>(&mut self, device: &mut D) -> bool {
        let index = self.random.below(self.names.len() as u64) as usize;
        let (old, reference) = self.names.iter().nth(index).unwrap();
        let (old, reference) = (old.clone(), *reference);
        let new = self.name();
        let exists = self.names.keys().any(|name| name.eq_ignore_ascii_case(&new));
        match apply(device, &self.directory, &old, &new) {
            Ok(renamed) => {
                assert!(!exists && renamed.file == reference && renamed.old == old);
                self.names.remove(&old);
                self.names.insert(new, reference);
                true
            }
            Err(RenameError::Exists { .. }) => false,
            Err(
                error @ (RenameError::RecordFull { .. }
                | RenameError::DirectoryFull { .. }
                | RenameError::SplitRecord { .. }),
            ) => {
                eprintln!("{error}");
                false
            }
            Err(error) => panic!("{old} -> {new}: {error}"),
        }
    }

    /// The directory has these names and no others, each of its file.
    pub fn assert_listed<R: ReadAt>(&self, device: R) {
        let (long, _) = listing(device, &self.directory);
        assert!(
            long == self.names,
            "{} names, {} due",
            long.len(),
            self.names.len()
        );
    }
}
