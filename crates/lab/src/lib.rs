//! Builds whole Windows-like disks from declarative profiles, for `winrefit lab` and for every test.
//!
//! The same profile and size give the same bytes on every machine: times, GUIDs and file contents all come from the
//! profile. Targets are taken to be zero-filled (a new sparse file), so zeros are not written.

mod alter;
pub mod bcd;
mod bios;
pub mod content;
pub mod create;
mod data;
pub mod error;
mod eventlogs;
mod events;
pub mod evidence;
pub mod evtx;
pub mod fat;
mod foreign;
mod history;
pub mod hive;
mod identity;
mod mbr;
#[cfg(test)]
mod oracle;
pub mod profile;
pub mod profiles;
pub mod random;
mod shadow;
pub mod software;
mod sources;
pub mod system_hive;
mod table;
mod textlogs;
pub mod time;
mod volumes;

pub use create::{CreateOptions, CreatedDisk, CreatedPartition, create, create_file, new_file};
pub use error::LabError;
pub use profile::Profile;
