//! What the SOFTWARE hive says about the Windows on a lab disk.

use crate::evidence::RegistryFact;
use crate::hive::{self, HiveError, Key};

/// A release of Windows as its registry describes it, in `SOFTWARE\Microsoft\Windows NT\CurrentVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowsRelease {
    /// `ProductName`. Windows 11 says "Windows 10" here.
    pub product_name: &'static str,
    /// `EditionID`.
    pub edition_id: &'static str,
    /// `InstallationType`: "Client", "Server" or "Server Core".
    pub installation_type: &'static str,
    /// `DisplayVersion`.
    pub display_version: &'static str,
    /// `CurrentBuild` and `CurrentBuildNumber`.
    pub build: u32,
    /// `UBR`, the update build revision.
    pub revision: u32,
    /// `BuildBranch`.
    pub branch: &'static str,
    /// How the boot menu calls it.
    pub boot_name: &'static str,
}

/// Windows Server 2022 after the update of January 2024, the month the error came up.
pub const SERVER_2022: WindowsRelease = WindowsRelease {
    product_name: "Windows Server 2022 Standard",
    edition_id: "ServerStandard",
    installation_type: "Server",
    display_version: "21H2",
    build: 20_348,
    revision: 2227,
    branch: "fe_release",
    boot_name: "Windows Server",
};

/// Windows 10 22H2 after the update of January 2024.
pub const WINDOWS_10_22H2: WindowsRelease = WindowsRelease {
    product_name: "Windows 10 Pro",
    edition_id: "Professional",
    installation_type: "Client",
    display_version: "22H2",
    build: 19_045,
    revision: 3930,
    branch: "vb_release",
    boot_name: "Windows 10",
};

/// Windows 11 21H2 after the update of January 2024.
pub const WINDOWS_11_21H2: WindowsRelease = WindowsRelease {
    product_name: "Windows 10 Pro",
    edition_id: "Professional",
    installation_type: "Client",
    display_version: "21H2",
    build: 22_000,
    revision: 2713,
    branch: "co_release",
    boot_name: "Windows 11",
};

/// Windows 10 22H2 after the update of October 2025, the last without a fee.
pub const WINDOWS_10_LATE_2025: WindowsRelease = WindowsRelease {
    revision: 6456,
    ..WINDOWS_10_22H2
};

/// Windows 11 23H2 after the update of November 2025. Its WinRE is updated with Windows itself.
pub const WINDOWS_11_23H2: WindowsRelease = WindowsRelease {
    display_version: "23H2",
    build: 22_631,
    revision: 6199,
    branch: "ni_release",
    ..WINDOWS_11_21H2
};

/// Windows Server 2022 after the update of January 2024, without a desktop.
pub const SERVER_2022_CORE: WindowsRelease = WindowsRelease {
    installation_type: "Server Core",
    ..SERVER_2022
};

/// `InstallDate`: 2022-03-01 12:00 UTC, in seconds since 1970.
pub(crate) const INSTALL_DATE: u32 = 1_646_136_000;

/// The bytes of a SOFTWARE hive. `winre_version` is the text of `WinREVersion`, a value that only an update of the
/// recovery environment writes. Facts that concern other hives are of no account. `timestamp` as in [`hive::write`].
///
/// # Errors
/// [`HiveError`] if a text does not fit a value.
pub fn software_hive(
    release: &WindowsRelease,
    winre_version: Option<&str>,
    facts: &[RegistryFact],
    timestamp: u64,
) -> Result<Vec<u8>, HiveError> {
    let mut reset = Key::new("PushButtonReset");
    if facts.contains(&RegistryFact::PatchScriptSucceeded) {
        reset = reset.dword("WinREPathScriptSucceed", 1);
    }
    let root = Key::new("ROOT").key(
        Key::new("Microsoft")
            .key(reset)
            .key(Key::new("Windows").key(current_version(release, facts)))
            .key(defender(facts))
            .key(Key::new("Windows NT").key(version(release, winre_version, facts))),
    );
    hive::write(&root, r"\SystemRoot\System32\Config\SOFTWARE", timestamp)
}

/// `Microsoft\Windows NT\CurrentVersion`.
fn version(release: &WindowsRelease, winre_version: Option<&str>, facts: &[RegistryFact]) -> Key {
    let build = release.build.to_string();
    let mut version = Key::new("CurrentVersion")
        .text("SystemRoot", r"C:\Windows")
        .text("BuildBranch", release.branch)
        .text("CurrentBuild", &build)
        .text("CurrentBuildNumber", &build)
        .dword("CurrentMajorVersionNumber", 10)
        .dword("CurrentMinorVersionNumber", 0)
        .text("CurrentType", "Multiprocessor Free")
        .text("CurrentVersion", "6.3")
        .text("DisplayVersion", release.display_version)
        .text("EditionID", release.edition_id)
        .text("InstallationType", release.installation_type)
        .dword("InstallDate", INSTALL_DATE)
        .text("PathName", r"C:\Windows")
        .text("ProductName", release.product_name)
        .text("ReleaseId", "2009")
        .text("SoftwareType", "System")
        .dword("UBR", release.revision);
    if let Some(text) = winre_version {
        version = version.text("WinREVersion", text);
    }
    for fact in facts {
        if let RegistryFact::LcuVersion(text) = fact {
            version = version.text("LCUVer", text);
        }
    }
    version
}

/// `Microsoft\Windows\CurrentVersion`.
fn current_version(release: &WindowsRelease, facts: &[RegistryFact]) -> Key {
    let branch = if release.build == 19_045 {
        19_041
    } else {
        release.build
    };
    let rollup = format!(
        "Package_for_RollupFix~31bf3856ad364e35~amd64~~{branch}.{}.1.7",
        release.revision
    );
    let mut packages = Key::new("Packages").key(package(&rollup, 0x70));
    let mut servicing = Key::new("Component Based Servicing");
    let mut uninstall = Key::new("Uninstall").key(
        Key::new("Microsoft Edge")
            .text("DisplayName", "Microsoft Edge")
            .text("DisplayVersion", "120.0.2210.121")
            .text("Publisher", "Microsoft Corporation"),
    );
    let mut auto_update = Key::new("Auto Update");
    let mut image_state = "IMAGE_STATE_COMPLETE";
    for fact in facts {
        match *fact {
            RegistryFact::RebootRequired => {
                // One value for each update that waits; its name is the update's GUID.
                let waiting = Key::new("RebootRequired").dword("4b1c6bd0-7e7c-4b8e-a7c6-6d5a8a0b3c11", 1);
                auto_update = auto_update.key(waiting);
            }
            RegistryFact::RebootPending => servicing = servicing.key(Key::new("RebootPending")),
            RegistryFact::Package { identity, state } => packages = packages.key(package(identity, state)),
            RegistryFact::Installed {
                key,
                name,
                publisher,
                version,
            } => {
                let program = Key::new(key)
                    .text("DisplayName", name)
                    .text("DisplayVersion", version)
                    .text("Publisher", publisher);
                uninstall = uninstall.key(program);
            }
            RegistryFact::ImageState(state) => image_state = state,
            _ => {}
        }
    }
    let state = Key::new("State").text("ImageState", image_state);
    Key::new("CurrentVersion")
        .key(servicing.key(packages))
        .key(Key::new("Setup").key(state))
        .key(uninstall)
        .key(Key::new("WindowsUpdate").key(auto_update))
}

/// A package of the component store.
fn package(identity: &str, state: u32) -> Key {
    Key::new(identity)
        .dword("CurrentState", state)
        .text("InstallClient", "WindowsUpdateAgent")
        .text("InstallName", &format!("{identity}.mum"))
        .dword("Visibility", 1)
}

/// `Microsoft\Windows Defender`.
fn defender(facts: &[RegistryFact]) -> Key {
    let disabled = u32::from(facts.contains(&RegistryFact::DefenderDisabled));
    let controlled = u32::from(facts.contains(&RegistryFact::ControlledFolderAccess));
    let access = Key::new("Controlled Folder Access").dword("EnableControlledFolderAccess", controlled);
    Key::new("Windows Defender")
        .dword("DisableAntiSpyware", disabled)
        .dword("DisableAntiVirus", disabled)
        .text("ProductAppDataPath", r"C:\ProgramData\Microsoft\Windows Defender")
        .dword("ProductStatus", 0)
        .key(Key::new("Signature Updates").text("AVSignatureVersion", "1.403.1002.0"))
        .key(Key::new("Windows Defender Exploit Guard").key(access))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;

    const VERSION_KEY: &str = r"\Microsoft\Windows NT\CurrentVersion";

    fn export(winre_version: Option<&str>) -> Option<String> {
        let bytes = software_hive(&SERVER_2022, winre_version, &[], 0).unwrap();
        let file = oracle::TempFile::new("SOFTWARE", &bytes);
        oracle::run(
            "hivexregedit",
            &["--export", "--unsafe-printable-strings", file.path(), VERSION_KEY],
        )
    }

    #[test]
    fn other_tools_find_the_release() {
        let Some(text) = export(Some("10.0.20348.2201")) else {
            return;
        };
        for expected in [
            r#""ProductName"=str(1):"Windows Server 2022 Standard""#,
            r#""CurrentBuild"=str(1):"20348""#,
            r#""UBR"=dword:000008b3"#,
            r#""WinREVersion"=str(1):"10.0.20348.2201""#,
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }

    #[test]
    fn other_tools_find_what_is_told() {
        let facts = [
            RegistryFact::RebootRequired,
            RegistryFact::RebootPending,
            RegistryFact::Package {
                identity: "Package_for_KB5034441~31bf3856ad364e35~amd64~~19041.3920.1.3",
                state: 0x70,
            },
            RegistryFact::LcuVersion("10.0.22621.6199"),
            RegistryFact::PatchScriptSucceeded,
            RegistryFact::Installed {
                key: "{23170F69-40C1-2702-0000-000001000000}",
                name: "Some Antivirus",
                publisher: "Some Company",
                version: "1.0",
            },
            RegistryFact::DefenderDisabled,
            RegistryFact::ControlledFolderAccess,
            RegistryFact::ImageState("IMAGE_STATE_UNDEPLOYABLE"),
        ];
        let bytes = software_hive(&WINDOWS_10_22H2, None, &facts, 0).unwrap();
        let file = oracle::TempFile::new("SOFTWARE", &bytes);
        let Some(text) = oracle::run(
            "hivexregedit",
            &[
                "--export",
                "--unsafe-printable-strings",
                file.path(),
                r"\Microsoft",
            ],
        ) else {
            return;
        };
        let current = r"[\Microsoft\Windows\CurrentVersion";
        for expected in [
            &format!(r"{current}\WindowsUpdate\Auto Update\RebootRequired]")[..],
            &format!(r"{current}\Component Based Servicing\RebootPending]"),
            "Package_for_KB5034441~31bf3856ad364e35~amd64~~19041.3920.1.3]\n\"CurrentState\"=dword:00000070",
            r#""LCUVer"=str(1):"10.0.22621.6199""#,
            r#""WinREPathScriptSucceed"=dword:00000001"#,
            r#""DisplayName"=str(1):"Some Antivirus""#,
            r#""DisableAntiSpyware"=dword:00000001"#,
            r#""EnableControlledFolderAccess"=dword:00000001"#,
            r#""ImageState"=str(1):"IMAGE_STATE_UNDEPLOYABLE""#,
            r#""UBR"=dword:00000f5a"#,
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }

    #[test]
    fn without_an_update_of_winre_there_is_no_version_of_it() {
        let with = software_hive(&WINDOWS_11_21H2, Some("10.0.22000.2710"), &[], 0).unwrap();
        let without = software_hive(&WINDOWS_11_21H2, None, &[], 0).unwrap();
        let mentions = |hive: &[u8]| hive.windows(12).any(|part| part == b"WinREVersion");
        assert!(mentions(&with) && !mentions(&without));
    }
}
