//! Putting the components of Windows Update back: what people do with `net stop`, `ren SoftwareDistribution` and
//! `ren catroot2`, and services' start types set to what Windows gives them. docs/adr/0013-reset-update.md.

mod facts;
mod plan;

pub use facts::{FolderFact, Start, folders, services};
pub use plan::{plan, windows};

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResetRequest {
    /// The partition of the Windows, where the user names it.
    pub windows: Option<u32>,
    /// The only part that is reset; both without it.
    pub only: Option<ResetPart>,
}

/// A part of the reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetPart {
    /// The folders that Windows makes anew.
    Folders,
    /// Services that are disabled.
    Services,
}

impl ResetRequest {
    /// Whether a part is asked for.
    pub fn wants(&self, part: ResetPart) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

/// The folders, as (directory, name).
pub const FOLDERS: [(&str, &str); 2] = [
    (r"\Windows", "SoftwareDistribution"),
    (r"\Windows\System32", "catroot2"),
];
