//! Windows artefacts: bytes to values and back. Knows no operating system, no clock, and reads disks only through
//! [`winrefit_disk::ReadAt`]. Nothing that lies on a disk makes this crate panic, loop, or allocate out of proportion.
//!
//! | module | artefact | direction |
//! |---|---|---|
//! | [`gpt`] | GUID partition table, protective MBR | read, edit, write |
//! | [`guid`] | GUID in its mixed-endian form | both |

mod bytes;
pub mod gpt;
pub mod guid;

pub use gpt::{Gpt, GptCopy, GptDisagreement, GptError, GptReading, LbaRange, NotGpt, Partition};
pub use gpt::{PartitionName, detect_sector_size, read_gpt};
pub use guid::{Guid, ParseGuidError};
