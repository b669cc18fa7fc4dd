//! What a Windows of the lab keeps of its past, as data: events, registry values, lines of log files.
//!
//! Every Windows has an ordinary past; a case adds to it what tells of its disease.

use crate::time::at;

/// What is in the logs and hives of the Windows on a disk beyond the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceSpec {
    /// When Windows ran last, in 100 ns since 1601, unless something below is later. The logs reach up to there.
    pub last_run: u64,
    /// What has happened, oldest first. Updates appear in `System.evtx` and `ReportingEvents.log`.
    pub past: &'static [Past],
    /// Lines of log files, oldest first within each file.
    pub lines: &'static [LogLines],
    /// What the registry says.
    pub registry: &'static [RegistryFact],
    /// State of `System.evtx`.
    pub system_log: LogState,
    /// State of the SOFTWARE hive.
    pub software_hive: HiveState,
    /// State of the SYSTEM hive.
    pub system_hive: HiveState,
    /// `\$WinREAgent` was left behind, with `Scratch\update.wim` and the state of a servicing that did not end.
    pub servicing_folder: bool,
    /// `CBS.log` is filled up to this size with what it says anyway; of no account below its ordinary size.
    pub cbs_log_bytes: u64,
}

impl EvidenceSpec {
    /// Nothing but the ordinary.
    pub const ORDINARY: Self = Self {
        // Some days after the update that the error came up with.
        last_run: at(2024, 1, 20, 8, 0),
        past: &[],
        lines: &[],
        registry: &[],
        system_log: LogState::Sound,
        software_hive: HiveState::Sound,
        system_hive: HiveState::Sound,
        servicing_folder: false,
        cbs_log_bytes: 0,
    };
}

impl Default for EvidenceSpec {
    fn default() -> Self {
        Self::ORDINARY
    }
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// When, in 100 ns since 1601; see [`crate::time::at`].
    pub time: u64,
    /// What.
    pub what: Happening,
}

/// What happened. Titles, names and codes are as the events have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// An update is being downloaded: WindowsUpdateClient 44.
    UpdateDownloading(&'static str),
    /// An update is being installed: WindowsUpdateClient 43.
    UpdateStarted(&'static str),
    /// An update was installed: WindowsUpdateClient 19.
    UpdateInstalled(&'static str),
    /// An update failed: WindowsUpdateClient 20.
    UpdateFailed {
        /// Its title.
        title: &'static str,
        /// `errorCode`.
        code: u32,
    },
    /// Servicing of WinRE began: WinREAgent 4500.
    ServicingStarted,
    /// Servicing of WinRE succeeded: WinREAgent 4501.
    ServicingSucceeded {
        /// The version it has now.
        version: &'static str,
    },
    /// Servicing of WinRE failed: WinREAgent 4502.
    ServicingFailed {
        /// `ErrorPhase`; 2 is too little space.
        phase: i32,
        /// `Errorcode`.
        code: u32,
    },
    /// Servicing of WinRE was cancelled: WinREAgent 4503.
    ServicingCancelled,
    /// Servicing of WinRE was rolled back: WinREAgent 4504.
    ServicingRolledBack,
    /// A service could not start: Service Control Manager 7000.
    ServiceNotStarted {
        /// Its display name.
        service: &'static str,
        /// The Win32 error.
        error: u32,
    },
    /// The start type of a service was changed: Service Control Manager 7040.
    StartTypeChanged {
        /// Its display name.
        service: &'static str,
        /// Its name.
        name: &'static str,
        /// What it was: "demand start".
        from: &'static str,
        /// What it is: "disabled".
        to: &'static str,
    },
    /// An installation by Windows Installer failed with 1603: MsiInstaller 11708 and 1033, in `Application.evtx`.
    InstallerFailed {
        /// The product.
        product: &'static str,
        /// Its version.
        version: &'static str,
        /// Who made it.
        manufacturer: &'static str,
    },
    /// What hinders a shrink of C: was looked for: Defrag 259, in `Application.evtx`.
    ShrinkAnalysed {
        /// The last file that cannot be moved.
        file: &'static str,
        /// Its last cluster.
        last_cluster: u64,
    },
}

/// What the registry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryFact {
    /// SOFTWARE `...\WindowsUpdate\Auto Update\RebootRequired`: an update waits for a restart.
    RebootRequired,
    /// SOFTWARE `...\Component Based Servicing\RebootPending`: the component store does.
    RebootPending,
    /// SOFTWARE `...\Component Based Servicing\Packages\<identity>`.
    Package {
        /// Identity of the package.
        identity: &'static str,
        /// `CurrentState`: 0x70 installed, 0x40 staged, 0x60 to be installed at the next start.
        state: u32,
    },
    /// SOFTWARE `...\Windows NT\CurrentVersion`, `LCUVer`.
    LcuVersion(&'static str),
    /// SOFTWARE `Microsoft\PushButtonReset`, `WinREPathScriptSucceed` = 1, left by Microsoft's script.
    PatchScriptSucceeded,
    /// SOFTWARE `...\Uninstall\<key>`.
    Installed {
        /// Its key.
        key: &'static str,
        /// `DisplayName`.
        name: &'static str,
        /// `Publisher`.
        publisher: &'static str,
        /// `DisplayVersion`.
        version: &'static str,
    },
    /// SOFTWARE `Microsoft\Windows Defender`, `DisableAntiSpyware` and `DisableAntiVirus` = 1.
    DefenderDisabled,
    /// SOFTWARE `Microsoft\Windows Defender\...\Controlled Folder Access`, `EnableControlledFolderAccess` = 1.
    ControlledFolderAccess,
    /// SOFTWARE `...\Setup\State`, `ImageState`; `IMAGE_STATE_COMPLETE` otherwise.
    ImageState(&'static str),
    /// SYSTEM `Setup`: `SystemSetupInProgress`, `OOBEInProgress`, `SetupType`; all 0 otherwise.
    Setup {
        /// `SystemSetupInProgress`.
        in_progress: u32,
        /// `OOBEInProgress`.
        oobe: u32,
        /// `SetupType`.
        kind: u32,
    },
    /// SYSTEM `ControlSet001\Services\<name>`, `Start`, other than its default.
    StartType {
        /// The service.
        service: &'static str,
        /// 2 automatic, 3 manual, 4 disabled.
        start: u32,
    },
    /// SYSTEM `...\FirewallPolicy`: `EnableFirewall` = 0 in every profile.
    FirewallOff,
}

/// Lines of a log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLines {
    /// When, in 100 ns since 1601.
    pub time: u64,
    /// Which and where.
    pub what: Lines,
}

/// What lines of a log file tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// `ReAgent.log`: `reagentc /enable` found no partition and failed with 2.
    EnableFailed {
        /// Size of the image.
        image_bytes: u64,
        /// Free on the partition that was looked at.
        free_bytes: u64,
    },
    /// `ReAgent.log`: `reagentc /setreimage` with `\$WinREAgent\Backup`, as it is advised in forums.
    ImageSetToBackup,
    /// `\Windows\Panther\setupact.log`: Setup found too little free space on the recovery partition.
    SetupRefusedPartition {
        /// Size of the image.
        image_bytes: u64,
        /// Free on the partition that was looked at.
        free_bytes: u64,
    },
    /// `\Windows\Logs\WinREAgent\setupact.log` and `setuperr.log`: servicing failed.
    ServicingFailed {
        /// The error.
        code: u32,
    },
    /// `CBS.log`: an operation failed.
    ComponentStoreFailed {
        /// The error.
        code: u32,
        /// Its name: "CBS_E_INSUFFICIENT_DISK_SPACE".
        name: &'static str,
        /// The package or component it was about.
        about: &'static str,
    },
}

/// State of an event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogState {
    /// As a clean shutdown leaves it.
    Sound,
    /// In use when the computer lost power.
    Dirty,
    /// Cut off behind so many bytes.
    Truncated(u64),
    /// Not there.
    Missing,
}

/// State of a registry hive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiveState {
    /// As a clean shutdown leaves it.
    Sound,
    /// In use when the computer lost power: these facts are in its `.LOG1` only.
    Dirty(&'static [RegistryFact]),
    /// Not there.
    Missing,
}
