//! The services that updates need, with the start types that Windows gives them.

/// A service as the registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Name of its key.
    pub name: &'static str,
    /// `Start`; `None` if there is no such service or no such value.
    pub start: Option<u32>,
    /// Whether it is there at all.
    pub exists: bool,
}

/// A service and how Windows starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Name of its key.
    pub name: &'static str,
    /// How people know it.
    pub title: &'static str,
    /// `Start` as Windows sets it, the usual one first: releases differ in one of them.
    pub defaults: &'static [u32],
    /// What it is for.
    pub need: Need,
}

/// What a service is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without it updates fail.
    Updates,
    /// Without it Windows cannot shrink a volume or copy one that is in use.
    Volumes,
}

/// `Start`: by Windows itself.
pub const AUTOMATIC: u32 = 2;
/// `Start`: when something asks for it.
pub const MANUAL: u32 = 3;
/// `Start`: never.
pub const DISABLED: u32 = 4;

/// The services, with the start types that a Windows 10 has that nobody changed. Automatic, delayed or not, is one type.
pub const KNOWN: [Known; 12] = [
    updates("wuauserv", "Windows Update", &[MANUAL, AUTOMATIC]),
    updates("UsoSvc", "Update Orchestrator Service", &[AUTOMATIC]),
    updates(
        "BITS",
        "Background Intelligent Transfer Service",
        &[AUTOMATIC, MANUAL],
    ),
    updates("DoSvc", "Delivery Optimization", &[AUTOMATIC]),
    updates("CryptSvc", "Cryptographic Services", &[AUTOMATIC]),
    updates("msiserver", "Windows Installer", &[MANUAL]),
    updates(
        "TrustedInstaller",
        "Windows Modules Installer",
        &[MANUAL, AUTOMATIC],
    ),
    updates("WaaSMedicSvc", "Windows Update Medic Service", &[MANUAL]),
    volumes("VSS", "Volume Shadow Copy"),
    volumes("vds", "Virtual Disk"),
    volumes("defragsvc", "Optimize drives"),
    volumes("swprv", "Microsoft Software Shadow Copy Provider"),
];

const fn updates(name: &'static str, title: &'static str, defaults: &'static [u32]) -> Known {
    Known {
        name,
        title,
        defaults,
        need: Need::Updates,
    }
}

const fn volumes(name: &'static str, title: &'static str) -> Known {
    Known {
        name,
        title,
        defaults: &[MANUAL],
        need: Need::Volumes,
    }
}

impl Service {
    /// What is known of it.
    pub fn known(&self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.name == self.name)
    }

    /// Whether it never starts.
    pub fn is_disabled(&self) -> bool {
        self.start == Some(DISABLED)
    }
}
