//! Bytes on a medium.
//!
//! Everything above this crate reads through [`ReadAt`] and writes through [`Device`]; there is no second path to a
//! disk. [`Overlay`] stages changes without touching the disk beneath, [`Window`] shows a part of a device as if it
//! were a whole one, and [`device`] says what is assumed of a medium. [`FailStop`] writes nothing more after a
//! failure, [`Recording`] and [`Metered`] are for tests and benchmarks.

pub mod device;
pub mod error;
pub mod fail_stop;
pub mod file;
pub mod journal;
pub mod memory;
pub mod metered;
pub mod overlay;
mod platform;
pub mod recording;
pub mod units;
pub mod window;

pub use device::{Device, ReadAt};
pub use error::{DiskError, InUseBy, NotADiskKind, Operation};
pub use fail_stop::FailStop;
pub use file::{DiskFile, MediumKind};
pub use journal::{Extent, JournalError, JournalPlace};
pub use memory::MemoryDevice;
pub use metered::Metered;
pub use overlay::{Change, Overlay};
pub use recording::{Crash, Event, Recording};
pub use units::{ByteRange, Lba, SectorSize};
pub use window::{ReadWindow, Window};
