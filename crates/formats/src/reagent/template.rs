//! A whole new `ReAgent.xml`, for disks built from nothing.

use super::ReAgentLocation;
use crate::Guid;
use std::fmt::Write;

/// What a new file is to say; everything else gets the value that Windows writes by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReAgentTemplate {
    /// The boot store's object for the recovery environment, zero for none.
    pub winre_bcd_id: Guid,
    /// Where the recovery environment is installed.
    pub winre_location: ReAgentLocation,
    /// Where its image is staged.
    pub image_location: ReAgentLocation,
    /// 1: enabled, 0: disabled.
    pub install_state: u32,
    /// 1: the image waits at `image_location`.
    pub winre_staged: u32,
    /// Build string of the system that wrote the file, as `20348.1.amd64fre.fe_release.210507-1500`, or empty.
    pub os_build_version: String,
    /// Whether the system is a server.
    pub is_server: bool,
}

impl ReAgentTemplate {
    /// The file as Windows writes it: UTF-8 byte order mark, a declaration in single quotes that ends in a bare line
    /// feed, CR LF after every other line, nothing after the root's end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let nowhere = ReAgentLocation::default();
        let state = |value: u32| format!("state=\"{value}\"");
        let image = |extra: &str| format!("{}{extra}", location(&nowhere));
        let elements = [
            ("WinreBCD", format!("id=\"{{{}}}\"", self.winre_bcd_id)),
            ("WinreLocation", location(&self.winre_location)),
            ("ImageLocation", location(&self.image_location)),
            ("PBRImageLocation", image(" index=\"0\"")),
            ("PBRCustomImageLocation", image(" index=\"0\"")),
            ("InstallState", state(self.install_state)),
            ("OsInstallAvailable", state(0)),
            ("CustomImageAvailable", state(0)),
            ("IsAutoRepairOn", state(1)),
            ("WinREStaged", state(self.winre_staged)),
            ("OperationParam", "path=\"\"".to_owned()),
            ("OperationPermanent", state(0)),
            (
                "OsBuildVersion",
                format!("path=\"{}\"", escape(&self.os_build_version)),
            ),
            ("OemTool", state(0)),
            ("IsServer", state(u32::from(self.is_server))),
            ("DownlevelWinreLocation", image("")),
            ("IsWimBoot", state(0)),
            ("NarratorScheduled", state(0)),
            ("ScheduledOperation", state(4)),
        ];
        let mut xml =
            "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n\r\n<WindowsRE version=\"2.0\">\r\n".to_owned();
        for (name, attributes) in elements {
            // Writing to a string cannot fail.
            let _ = write!(xml, "  <{name} {attributes}/>\r\n");
        }
        xml.push_str("</WindowsRE>");
        xml.into_bytes()
    }
}

fn location(place: &ReAgentLocation) -> String {
    format!(
        "path=\"{}\" id=\"{}\" offset=\"{}\" guid=\"{{{}}}\"",
        escape(&place.path),
        place.id,
        place.offset,
        place.guid
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
