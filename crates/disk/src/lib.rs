//! Bytes on a medium.
//!
//! Everything above this crate reads through [`ReadAt`] and writes through [`Device`]; there is no second path to a
//! disk. [`device`] says what is assumed of a medium.
//!
//! * [`DiskFile`] is a raw image (a VHD of fixed size is one with a footer) or a block device, locked, and refused while
//!   something else uses it.
//! * [`Window`] shows a part of a device as if it were a whole one.
//! * [`Overlay`] stages changes without touching the disk beneath.
//! * [`journal`] makes staged changes real: all of them or none, whatever happens, and undone on demand.
//! * [`Allowance`] bounds what reading may cost.
//! * [`FailStop`] writes nothing more after a failure.
//! * [`Recording`], [`Faulty`] and [`Metered`] are for crash tests, bad disks, budgets and benchmarks; [`MemoryDevice`] for
//!   tests.

pub mod allowance;
pub mod device;
pub mod error;
pub mod fail_stop;
pub mod faulty;
pub mod file;
pub mod journal;
pub mod memory;
pub mod metered;
pub mod moves;
pub mod overlay;
mod platform;
pub mod recording;
pub mod units;
mod vhd;
pub mod window;

pub use allowance::Allowance;
pub use device::{Device, ReadAt};
pub use error::{DiskError, InUseBy, NotADiskKind, Operation};
pub use fail_stop::FailStop;
pub use faulty::{Fault, Faulty};
pub use file::{DiskFile, MediumKind};
pub use journal::{Extent, JournalError, JournalPlace};
pub use memory::MemoryDevice;
pub use metered::Metered;
pub use moves::{Move, Moved};
pub use overlay::{Change, Overlay};
pub use recording::{Crash, Event, Recording};
pub use units::{ByteRange, Lba, SectorSize};
pub use window::{ReadWindow, Window};
