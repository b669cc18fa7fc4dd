//! GUID partition table: read with both copies checked, edited as a value, written back byte for byte.
//!
//! What is read ([`GptReading`]) is another type than what may be changed ([`Gpt`]). [`GptReading::usable`] leads from
//! one to the other, and wants both copies good, equal and in their places; [`GptReading::changeable`] is content with
//! one good copy, and says what writing mends.

mod error;
mod mend;
mod model;
mod protective;
mod read;
mod reading;
#[cfg(test)]
mod tests;
pub mod types;
mod write;

pub use error::{
    CopyKind, DifferingPart, GptDisagreement, GptEditError, GptError, GptReadError, GptWriteError, NotGpt,
};
pub use mend::{ChangeableGpt, GptMend};
pub use model::{Gpt, LbaRange, NAME_UNITS, Partition, PartitionName};
pub use protective::Mbr;
pub use read::{GptCopy, detect_sector_size};
pub use reading::{GptReading, read_gpt};
pub use write::{EncodedGpt, EncodedPart};
