//! Bytes on a medium.
//!
//! Everything above this crate reads through [`ReadAt`] and writes through [`Device`]; there is no second path to a
//! disk. [`Overlay`] stages changes without touching the disk beneath, [`Window`] shows a part of a device as if it
//! were a whole one, and [`device`] says what is assumed of a medium.

pub mod device;
pub mod error;
pub mod memory;
pub mod overlay;
pub mod units;
pub mod window;

pub use device::{Device, ReadAt};
pub use error::{DiskError, Operation};
pub use memory::MemoryDevice;
pub use overlay::{Change, Overlay};
pub use units::{ByteRange, Lba, SectorSize};
pub use window::{ReadWindow, Window};
