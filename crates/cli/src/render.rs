//! Renderings of the one report, a file each.

pub mod human;
pub mod json;
