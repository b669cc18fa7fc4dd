//! The log files of a lab Windows that are text.
//!
//! The shapes of the lines of ReAgent.log and of Setup's logs, and the words that matter in them (the calls of reagentc,
//! `MeetPartitionRequirements` with its numbers), are those of published logs; so are the error lines of CBS.log. What
//! the log of WinRE servicing says was not at hand, only where it is and that its lines are like Setup's: its texts are
//! made up. So are the fields of `ReportingEvents.log` beyond what is commonly shown.

use crate::events::{UPDATE_SERVICE, update_guid};
use crate::evidence::{EvidenceSpec, Happening, Lines};
use crate::software::WindowsRelease;
use crate::time::{DAY, SECOND, stamp};
use uuid::Uuid;

/// What reagentc wants to be free beside the image, in bytes: 52 MiB.
const PLACEMENT_BYTES: u64 = 52 << 20;
/// Size and place of the partition in the lines that tell of one.
const PARTITION_BYTES: u64 = 525 << 20;
const PARTITION_AT: u64 = 33_571_209_216;

/// A log file as lines with a time, a level, a source and a text.
struct Log {
    text: String,
    width: usize,
}

impl Log {
    /// `width` is that of the column of levels.
    fn new(width: usize) -> Self {
        Self {
            text: String::new(),
            width,
        }
    }

    fn line(&mut self, time: u64, level: &str, source: &str, text: &str) {
        let width = self.width;
        let stamp = stamp(time);
        self.text += &format!("{stamp}, {level:<width$}{source}{text}\r\n");
    }

    fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}

/// `\Windows\Logs\ReAgent\ReAgent.log`.
pub(crate) fn reagent(evidence: &EvidenceSpec, now: u64) -> Vec<u8> {
    let mut log = Log::new(22);
    let old = now - 30 * DAY;
    for (index, text) in [
        "-----Executing command line: reagentc  /info-----",
        "Enter WinReGetConfig",
        "Exit WinReGetConfig returns 1 with last error: 0x0",
        "-----Exiting command line: reagentc  /info, Error: 0-----",
    ]
    .iter()
    .enumerate()
    {
        log.line(old + index as u64 * SECOND, "Info", "[ReAgentc.exe] ", text);
    }
    for lines in evidence.lines {
        let said = match lines.what {
            Lines::EnableFailed {
                image_bytes,
                free_bytes,
            } => enable_failed(image_bytes, free_bytes),
            Lines::ImageSetToBackup => image_set_to_backup(),
            _ => continue,
        };
        for (second, (level, text)) in (0..).zip(said) {
            log.line(lines.time + second * SECOND, level, "[ReAgentc.exe] ", &text);
        }
    }
    log.into_bytes()
}

/// Lines with their levels.
type Said = Vec<(&'static str, String)>;

fn enable_failed(image_bytes: u64, free_bytes: u64) -> Said {
    let info = |text: &str| ("Info", text.to_owned());
    let mut said = vec![
        info("-----Executing command line: reagentc  /enable-----"),
        info("Enter WinReInstall"),
        info("Checking partition at offset 1048576, partition number: 1"),
    ];
    said.extend(partition_refused(image_bytes, free_bytes));
    said.extend([
        info("Complete looping through each partition"),
        (
            "Error",
            "No suitable partition could be found for installing WinRE".to_owned(),
        ),
        info("Exit WinReInstall returns 0 with last error: 0x2"),
        info("-----Exiting command line: reagentc  /enable, Error: 2-----"),
    ]);
    said
}

/// What is said of a partition that has too little space.
fn partition_refused(image_bytes: u64, free_bytes: u64) -> Said {
    let required = image_bytes + PLACEMENT_BYTES;
    let tag = "MeetPartitionRequirements";
    vec![
        (
            "Info",
            format!("Checking partition at offset {PARTITION_AT}, partition number: 4"),
        ),
        (
            "Info",
            format!(
                "{tag} partition offset: {PARTITION_AT}, free space: {free_bytes}, total space: {PARTITION_BYTES}, \
                 winre image size: {image_bytes}"
            ),
        ),
        (
            "Warning",
            format!("{tag} Not enough free space, required: {required}, available: {free_bytes}"),
        ),
    ]
}

fn image_set_to_backup() -> Said {
    let call = r"reagentc  /setreimage /path C:\$WinREAgent\Backup";
    let path = r"\\?\GLOBALROOT\device\harddisk0\partition3\$WinREAgent\Backup";
    let texts = [
        format!("-----Executing command line: {call}-----"),
        "Enter WinReSetConfig".to_owned(),
        format!("WinRE image path: {path}"),
        "Exit WinReSetConfig returns 1 with last error: 0x0".to_owned(),
        format!("-----Exiting command line: {call}, Error: 0-----"),
    ];
    texts.map(|text| ("Info", text)).into()
}

/// `\Windows\Panther\setupact.log`.
pub(crate) fn panther(evidence: &EvidenceSpec, installed: u64) -> Vec<u8> {
    let mut log = Log::new(22);
    log.line(
        installed,
        "Info",
        "[windeploy.exe] ",
        "Setup has completed phase 4",
    );
    for lines in evidence.lines {
        if let Lines::SetupRefusedPartition {
            image_bytes,
            free_bytes,
        } = lines.what
        {
            let elsewhere = "Can't put WinRE on other partitions, error:0x2".to_owned();
            let said = partition_refused(image_bytes, free_bytes);
            for (level, text) in said.into_iter().chain([("Warning", elsewhere)]) {
                log.line(lines.time, level, "[SetupPlatform.exe] ", &text);
            }
        }
    }
    log.into_bytes()
}

/// `setupact.log` and `setuperr.log` of `\Windows\Logs\WinREAgent`; `None` where WinRE was never serviced.
pub(crate) fn servicing(evidence: &EvidenceSpec) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut all, mut errors) = (Log::new(22), Log::new(22));
    for lines in evidence.lines {
        let Lines::ServicingFailed { code } = lines.what else {
            continue;
        };
        let source = "[svchost.exe] ";
        for text in [
            "Servicing of the recovery environment starts",
            r"Copying the image to C:\$WinREAgent\Scratch\update.wim",
            "Applying 1 package",
        ] {
            all.line(lines.time, "Info", source, text);
        }
        let failure = format!("Replacing the image failed with 0x{code:08x}");
        all.line(lines.time + SECOND, "Error", source, &failure);
        errors.line(lines.time + SECOND, "Error", source, &failure);
        all.line(
            lines.time + 2 * SECOND,
            "Info",
            source,
            "Operation CleanupScratch",
        );
    }
    (!errors.text.is_empty()).then(|| (all.into_bytes(), errors.into_bytes()))
}

/// `\Windows\Logs\CBS\CBS.log`.
pub(crate) fn component_store(evidence: &EvidenceSpec, release: &WindowsRelease, now: u64) -> Vec<u8> {
    let mut log = Log::new(22);
    let ordinary = |log: &mut Log, time: u64, number: u64| {
        let text = match number % 3 {
            0 => "TI: --- Initializing Trusted Installer ---".to_owned(),
            1 => format!(
                "Session: 31080000_{number} initialized by client WindowsUpdateAgent, external staging directory: (null)"
            ),
            _ => format!(
                "Appl: Evaluating package applicability for package Package_for_RollupFix~31bf3856ad364e35~amd64~~{}.{}.1.{number}, applicable state: Installed",
                release.build, release.revision
            ),
        };
        log.line(time, "Info", "CBS    ", &text);
    };
    let mut number = 0;
    let start = now - 30 * DAY;
    while number < 20 || (log.text.len() as u64) < evidence.cbs_log_bytes {
        ordinary(&mut log, start + number * SECOND, number);
        number += 1;
    }
    for lines in evidence.lines {
        if let Lines::ComponentStoreFailed { code, name, about } = lines.what {
            let text = format!("Failed to process {about} [HRESULT = 0x{code:08x} - {name}]");
            log.line(lines.time, "Error", "CBS    ", &text);
            ordinary(&mut log, lines.time + SECOND, number);
        }
    }
    log.into_bytes()
}

/// `\Windows\SoftwareDistribution\ReportingEvents.log`: UTF-16 with a byte order mark, fields between tabs.
pub(crate) fn reporting_events(evidence: &EvidenceSpec, now: u64) -> Vec<u8> {
    let scan = "Windows Update Client successfully detected 1 updates.";
    let found = "Success\tSoftware Synchronization";
    let mut text = reporting_line(
        now - 30 * DAY,
        "147 [AGENT_DETECTION_FINISHED]",
        Uuid::nil(),
        0,
        found,
        scan,
    );
    for past in evidence.past {
        let (event, code, outcome, title, words) = match past.what {
            Happening::UpdateInstalled(title) => (
                "183 [AGENT_INSTALLING_SUCCEEDED]",
                0,
                "Success\tContent Install",
                title,
                "Installation Successful: Windows successfully installed the following update: ".to_owned(),
            ),
            Happening::UpdateFailed { title, code } => (
                "182 [AGENT_INSTALLING_FAILED]",
                code,
                "Failure\tContent Install",
                title,
                format!(
                    "Installation Failure: Windows failed to install the following update with error 0x{code:08x}: "
                ),
            ),
            Happening::UpdateStarted(title) => (
                "181 [AGENT_INSTALLING_STARTED]",
                0,
                "Success\tContent Install",
                title,
                "Installation Started: Windows successfully started the following update: ".to_owned(),
            ),
            Happening::UpdateDownloading(title) => (
                "167 [AGENT_DOWNLOAD_STARTED]",
                0,
                "Success\tContent Download",
                title,
                "Download started: ".to_owned(),
            ),
            _ => continue,
        };
        let about = update_guid(title);
        text += &reporting_line(past.time, event, about, code, outcome, &format!("{words}{title}"));
    }
    let units = [0xFEFF].into_iter().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// One line: its own GUID, time, number in a session, event, what it is about and its revision, result, client, outcome,
/// text.
fn reporting_line(time: u64, event: &str, about: Uuid, code: u32, outcome: &str, text: &str) -> String {
    let line = Uuid::new_v5(&UPDATE_SERVICE, format!("{time} {event} {text}").as_bytes());
    let (line, about) = (
        line.braced().to_string().to_uppercase(),
        about.braced().to_string().to_uppercase(),
    );
    let stamp = stamp(time);
    format!(
        "{line}\t{stamp}:000+0000\t1\t{event}\t101\t{about}\t200\t{code:x}\tUpdateOrchestrator\t{outcome}\t{text}\r\n"
    )
}

/// `\$WinREAgent\Scratch\..\WinREServicingManager.xml`: the state of a servicing that did not end. Known are its name, the
/// attribute and the operation; the rest is made up.
pub(crate) const SERVICING_STATE: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
<WinREServicingManager version=\"1.0\">\r\n  <ResetSession Staged=\"true\"/>\r\n  <Operations>\r\n\
    <Operation Name=\"CleanupScratch\"/>\r\n  </Operations>\r\n</WinREServicingManager>\r\n";
