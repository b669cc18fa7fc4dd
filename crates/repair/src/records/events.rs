//! The events of Windows Update, of the servicing of WinRE and of Windows Installer, from the logs System and
//! Application.

use winrefit_formats::evtx::{Event, EventLog, Group, Wanted};
use winrefit_formats::kb_numbers;

const UPDATE_CLIENT: &str = "Microsoft-Windows-WindowsUpdateClient";
const WINRE_AGENT: &str = "Microsoft-Windows-WinREAgent";
const INSTALLER: &str = "MsiInstaller";
const DEFRAG: &str = "Microsoft-Windows-Defrag";

/// What is looked for in System. A failure of months ago must not be crowded out by the updates of definitions that succeed
/// every day, nor a success by the steps of others.
pub(super) const SYSTEM_WANTED: [Group<'static>; 3] = [
    Group {
        wanted: &[
            Wanted {
                provider: UPDATE_CLIENT,
                ids: &[20],
            },
            Wanted {
                provider: WINRE_AGENT,
                ids: &[4500, 4501, 4502, 4503, 4504],
            },
        ],
        events_max: 2000,
    },
    Group {
        wanted: &[Wanted {
            provider: UPDATE_CLIENT,
            ids: &[19],
        }],
        events_max: 4000,
    },
    STEPS,
];

/// Steps of updates, which are for the record: that older ones are left out takes nothing away.
pub(super) const STEPS: Group<'static> = Group {
    wanted: &[Wanted {
        provider: UPDATE_CLIENT,
        ids: &[43, 44],
    }],
    events_max: 200,
};

/// What is looked for in Application. 1023 to 1025 are failed updates, 1033 and 1035 to 1038 the ends of installations with
/// their status, 11708 a failed one.
pub(super) const APPLICATION_WANTED: [Group<'static>; 1] = [Group {
    wanted: &[
        Wanted {
            provider: INSTALLER,
            ids: &[1023, 1024, 1025, 1033, 1035, 1036, 1037, 1038, 1603, 11708],
        },
        Wanted {
            provider: DEFRAG,
            ids: &[259],
        },
    ],
    events_max: 1000,
}];

/// Longest text of an event that is kept, in characters.
const TEXT_CHARS_MAX: usize = 400;

/// Where an event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPlace {
    /// Path of the log.
    pub log: &'static str,
    /// Number of the record.
    pub record: u64,
    /// Its provider, as people say it.
    pub provider: &'static str,
    /// Number of the event.
    pub id: u32,
    /// When it was written (FILETIME).
    pub time: u64,
}

/// An event of Windows Update about one update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateEvent {
    /// Where it stands.
    pub place: EventPlace,
    /// What happened.
    pub what: UpdateStep,
    /// The error.
    pub code: Option<u32>,
    /// Title of the update, in the language of that Windows.
    pub title: String,
    /// Numbers of updates in the title.
    pub kbs: Vec<u32>,
}

/// What happened to an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateStep {
    /// 19
    Installed,
    /// 20
    Failed,
    /// 43
    Started,
    /// 44
    Downloading,
}

/// An event of the servicing of WinRE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicingEvent {
    /// Where it stands.
    pub place: EventPlace,
    /// What happened.
    pub what: Servicing,
}

/// What happened to the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Servicing {
    /// 4500
    Started,
    /// 4501
    Succeeded {
        /// The version that the image has now, as Windows says.
        version: Option<String>,
    },
    /// 4502
    Failed {
        /// `ErrorPhase`; 2 is the only one that Microsoft explains: a shortage of space.
        phase: Option<i64>,
        /// `Errorcode`.
        code: Option<u32>,
    },
    /// 4503
    Cancelled,
    /// 4504
    RolledBack,
}

/// An event of a program that Windows Update starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherEvent {
    /// Where it stands.
    pub place: EventPlace,
    /// What it says, its values one after another.
    pub text: String,
}

/// What the event logs hold.
#[derive(Debug, Default)]
pub struct Events {
    /// Of Windows Update, oldest first.
    pub updates: Vec<UpdateEvent>,
    /// Of the servicing of WinRE, oldest first.
    pub servicing: Vec<ServicingEvent>,
    /// Failures of Windows Installer, oldest first.
    pub installer: Vec<OtherEvent>,
    /// Why a volume cannot be shrunk, oldest first.
    pub defrag: Vec<OtherEvent>,
    /// Time of the oldest and of the newest record of System (FILETIME), if it was read.
    pub system_span: Option<(u64, u64)>,
}

impl Events {
    /// Takes in what a log holds.
    pub(super) fn add(&mut self, log: &'static str, read: &EventLog) {
        for event in &read.events {
            match event.provider.as_str() {
                UPDATE_CLIENT => self.updates.extend(update(log, event)),
                WINRE_AGENT => self.servicing.extend(servicing(log, event)),
                INSTALLER => self.installer.extend(installer(log, event)),
                DEFRAG => self.defrag.push(other(log, event, "Defrag")),
                _ => {}
            }
        }
    }
}

fn place(log: &'static str, event: &Event, provider: &'static str) -> EventPlace {
    EventPlace {
        log,
        record: event.record_id,
        provider,
        id: event.id,
        time: event.written,
    }
}

fn update(log: &'static str, event: &Event) -> Option<UpdateEvent> {
    let what = match event.id {
        19 => UpdateStep::Installed,
        20 => UpdateStep::Failed,
        43 => UpdateStep::Started,
        44 => UpdateStep::Downloading,
        _ => return None,
    };
    let title = short(event.get("updateTitle").unwrap_or_default());
    Some(UpdateEvent {
        place: place(log, event, "WindowsUpdateClient"),
        what,
        code: event.get("errorCode").and_then(code),
        kbs: kb_numbers(&title),
        title,
    })
}

fn servicing(log: &'static str, event: &Event) -> Option<ServicingEvent> {
    let what = match event.id {
        4500 => Servicing::Started,
        4501 => Servicing::Succeeded {
            version: event.get("Version").map(short),
        },
        4502 => Servicing::Failed {
            phase: event
                .get("ErrorPhase")
                .and_then(|phase| phase.trim().parse().ok()),
            code: event
                .get("Errorcode")
                .or_else(|| event.get("ErrorCode"))
                .and_then(code),
        },
        4503 => Servicing::Cancelled,
        4504 => Servicing::RolledBack,
        _ => return None,
    };
    Some(ServicingEvent {
        place: place(log, event, "WinREAgent"),
        what,
    })
}

/// A failure of Windows Installer: by its number, or by the status 1603 among its values.
fn installer(log: &'static str, event: &Event) -> Option<OtherEvent> {
    let is_fatal = |value: &str| value.trim() == "1603" || value.contains("Error code 1603");
    let failed = matches!(event.id, 1603 | 11_708) || event.data.iter().any(|(_, value)| is_fatal(value));
    failed.then(|| other(log, event, INSTALLER))
}

fn other(log: &'static str, event: &Event, provider: &'static str) -> OtherEvent {
    // Classic events carry bytes beside their words.
    let words = event.data.iter().filter(|(name, _)| name != "Binary");
    let values = words.map(|(_, value)| value.trim());
    let values: Vec<&str> = values
        .filter(|value| !value.is_empty() && *value != "(NULL)")
        .collect();
    OtherEvent {
        place: place(log, event, provider),
        text: short(&values.join(", ")),
    }
}

/// An error code as events write it: `0x80070643`, or a number that may be negative.
fn code(text: &str) -> Option<u32> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => {
            let number: i64 = text.parse().ok()?;
            // The same 32 bits, with or without a sign.
            u32::try_from(number)
                .ok()
                .or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
        }
    }
}

fn short(text: &str) -> String {
    text.trim().chars().take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_written() {
        for text in ["0x80070643", " 0X80070643", "2147944003", "-2147023293"] {
            assert_eq!(code(text), Some(0x8007_0643), "{text}");
        }
        for text in ["", "0x", "x", "0x800706430", "99999999999"] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
