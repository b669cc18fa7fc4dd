//! Windows artefacts: bytes to values and back. Knows no operating system, no clock, and reads disks only through
//! [`winrefit_disk::ReadAt`]. Nothing that lies on a disk makes this crate panic, loop, or allocate out of proportion.
//!
//! | module | artefact | direction |
//! |---|---|---|
//! | [`bcd`] | boot configuration data: objects, devices, the way to WinRE | read, re-point in place |
//! | [`evtx`] | Windows event logs: events of wanted providers | read |
//! | [`fat`] | FAT12, FAT16, FAT32: files and their places on the volume | read |
//! | [`gpt`] | GUID partition table, protective MBR | read, edit, write |
//! | [`guid`] | GUID in its mixed-endian form | both |
//! | [`hive`] | registry hive (regf): keys, values, log files | read on demand, overwrite data in place |
//! | [`kb`] | numbers of updates in their titles | read |
//! | [`logs`] | text logs of Setup, WinRE, servicing and Windows Update | read, from the end |
//! | [`mbr`] | MBR partition table with logical partitions | read, edit, write |
//! | [`reagent`] | `ReAgent.xml`, the recovery configuration | read, patch in bytes, write anew |
//! | [`wim`] | WIM header and XML, without the image's content | read, write a skeleton |
//! | [`xml`] | bounds for XML from a disk, shared by the modules above | read |

pub mod bcd;
mod bytes;
pub mod evtx;
pub mod fat;
pub mod gpt;
pub mod guid;
pub mod hive;
pub mod kb;
pub mod logs;
pub mod mbr;
pub mod reagent;
#[cfg(test)]
mod testing;
pub mod wim;
pub mod xml;

pub use bcd::{Bcd, BcdDevice, BcdError, BcdPartition, ChainBreak, WinreChain};
pub use evtx::{Event, EventLog, EvtxError};
pub use fat::{FatEntry, FatError, FatKind, FatState, FatVolume};
pub use gpt::{Gpt, GptCopy, GptDisagreement, GptError, GptReading, LbaRange, NotGpt, Partition};
pub use gpt::{PartitionName, detect_sector_size, read_gpt};
pub use guid::{Guid, ParseGuidError};
pub use hive::{CurrentHive, Replay, ReplayError, ReplayedHive, open_with_logs, replay};
pub use hive::{Hive, HiveEdit, HiveEditError, HiveError, HiveWrite, Key, RegistryValue, Value};
pub use kb::kb_numbers;
pub use mbr::{
    Mbr, MbrEditError, MbrError, MbrPartition, MbrReadError, MbrReading, MbrSlot, MbrWrite, read_mbr,
};
pub use reagent::{ReAgent, ReAgentLocation, ReAgentTemplate, ReagentError, set_winre_offset};
pub use wim::{Wim, WimArchitecture, WimError, WimImage, WimSkeleton, WimTemplate, WimVersion};
