//! What a Windows has written down about itself and its updates: registry, event logs, text logs, folders left behind.
//! Facts with their places, without judgement. All of it is read-only, and nothing that is missing or damaged ends it:
//! each source says how it was found.

pub mod events;
pub mod logs;
mod read;
mod registry;
pub mod services;
pub mod usage;
pub mod words;

pub use events::Events;
pub use logs::{Logs, WorkFolder};
pub use read::{APPLICATION_LOG, SOFTWARE_HIVE, SYSTEM_HIVE, SYSTEM_LOG, read};
pub use registry::{Program, ProgramKind, Software, System};
pub use services::Service;

/// What was found of one Windows.
#[derive(Debug, Default)]
pub struct Records {
    /// The partition of that Windows.
    pub partition: u32,
    /// Every source that was looked for.
    pub sources: Vec<SourceState>,
    /// The hive SOFTWARE.
    pub software: Option<Software>,
    /// The hive SYSTEM.
    pub system: Option<System>,
    /// The event logs.
    pub events: Events,
    /// The text logs.
    pub logs: Logs,
    /// The folder of WinRE's servicing, if it is there.
    pub work_folder: Option<WorkFolder>,
    /// The partition that the computer starts from, with its free bytes, where it is a FAT volume of its own.
    pub system_partition: Option<(u32, u64)>,
}

/// How a source was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// Its path on the volume.
    pub path: &'static str,
    /// Whether every Windows has it.
    pub is_expected: bool,
    /// How it was found.
    pub state: State,
}

/// How a source was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Read.
    Read(Reading),
    /// There is none.
    Missing,
    /// It is there, and nothing of it can be used.
    Unreadable(String),
}

/// How much of a source was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Whether only its newest part was read, because it is long.
    pub newest_part: bool,
    /// Damaged places that were passed over.
    pub damage: Vec<String>,
    /// Whether changes that Windows had not yet written into a hive were read from its log files.
    pub from_logs: bool,
}
