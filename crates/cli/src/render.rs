//! Renderings of the one report, a file each.

pub mod html;
pub mod human;
pub mod json;
#[cfg(test)]
pub mod testing;
