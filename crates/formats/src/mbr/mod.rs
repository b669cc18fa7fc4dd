//! MBR partition table: primary and logical partitions, read with every rule checked, edited as a value, written as a
//! few sectors.
//!
//! What is read ([`MbrReading`]) is another type than what may be changed ([`Mbr`]): only [`MbrReading::usable`] leads
//! from one to the other, and it wants a table without a defect. Boot code, the disk signature, unknown bytes and
//! everything in a sector that an edit does not name stay as they are.
//!
//! An extended partition holds a chain of extended boot records (EBR), each of one sector. An EBR describes one logical
//! partition, whose start counts from that EBR, and names the next EBR, whose place counts from the start of the
//! extended partition. The first EBR is the extended partition's first sector. Numbers are those of Windows' device
//! names and of Linux where both agree: primary entries are 1 to 4, logical partitions 5 and up in the chain's order.

mod chs;
mod edit;
mod entry;
mod error;
mod model;
mod read;
#[cfg(test)]
mod tests;
pub mod types;
mod write;

pub use error::{MbrEditError, MbrError, MbrReadError};
pub use model::{Mbr, MbrPartition, MbrSlot};
pub use read::{MbrReading, read_mbr};
pub use write::MbrWrite;
