//! What events say, in words.

use super::events::{EventPlace, OtherEvent, Servicing, ServicingEvent, UpdateEvent, UpdateStep};
use crate::text;
use crate::text::Text;

/// `0x80070643`
pub fn hex(code: u32) -> String {
    format!("0x{code:08X}")
}

impl EventPlace {
    /// `...\System.evtx, record 4711`
    pub fn words(&self) -> Text {
        text!("{log}, record {record}", log = self.log, record = self.record)
    }
}

impl UpdateEvent {
    /// What happened.
    pub fn words(&self) -> Text {
        let (id, title) = (self.place.id, self.title.as_str());
        match (self.what, self.code) {
            (UpdateStep::Failed, Some(code)) => {
                let code = hex(code);
                text!(
                    "event {id}: installation failed with {code}: {title}",
                    id,
                    code,
                    title
                )
            }
            (UpdateStep::Failed, None) => text!("event {id}: installation failed: {title}", id, title),
            (UpdateStep::Installed, _) => text!("event {id}: installed: {title}", id, title),
            (UpdateStep::Started, _) => text!("event {id}: installation started: {title}", id, title),
            (UpdateStep::Downloading, _) => text!("event {id}: download started: {title}", id, title),
        }
    }
}

impl ServicingEvent {
    /// What happened.
    pub fn words(&self) -> Text {
        let id = self.place.id;
        match &self.what {
            Servicing::Started => text!("event {id}: servicing of WinRE started", id),
            Servicing::Succeeded {
                version: Some(version),
            } => text!(
                "event {id}: servicing of WinRE succeeded, version {version}",
                id,
                version
            ),
            Servicing::Succeeded { version: None } => text!("event {id}: servicing of WinRE succeeded", id),
            Servicing::Failed { phase, code } => {
                let unknown = || "?".to_owned();
                text!(
                    "event {id}: servicing of WinRE failed, ErrorPhase {phase}, Errorcode {code}",
                    id,
                    phase = phase.map_or_else(unknown, |phase| phase.to_string()),
                    code = code.map_or_else(unknown, hex),
                )
            }
            Servicing::Cancelled => text!("event {id}: servicing of WinRE was cancelled", id),
            Servicing::RolledBack => text!("event {id}: the changes to WinRE were rolled back", id),
        }
    }
}

impl OtherEvent {
    /// What it says.
    pub fn words(&self) -> Text {
        let (id, provider) = (self.place.id, self.place.provider);
        text!(
            "event {id} of {provider}: {text}",
            id,
            provider,
            text = self.text.as_str()
        )
    }
}
