//! What the SOFTWARE hive says about the Windows on a lab disk.

use crate::hive::{self, HiveError, Key};

/// A release of Windows as its registry describes it, in `SOFTWARE\Microsoft\Windows NT\CurrentVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowsRelease {
    /// `ProductName`. Windows 11 says "Windows 10" here.
    pub product_name: &'static str,
    /// `EditionID`.
    pub edition_id: &'static str,
    /// `InstallationType`: "Client" or "Server".
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

/// `InstallDate`: 2022-03-01 12:00 UTC, in seconds since 1970.
const INSTALL_DATE: u32 = 1_646_136_000;

/// The bytes of a SOFTWARE hive. `winre_version` is the text of `WinREVersion`, a value that only an update of the
/// recovery environment writes. `timestamp` as in [`hive::write`].
///
/// # Errors
/// [`HiveError`] if a text does not fit a value.
pub fn software_hive(
    release: &WindowsRelease,
    winre_version: Option<&str>,
    timestamp: u64,
) -> Result<Vec<u8>, HiveError> {
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
    let root = Key::new("ROOT").key(
        Key::new("Microsoft")
            .key(Key::new("PushButtonReset"))
            .key(Key::new("Windows").key(Key::new("CurrentVersion")))
            .key(Key::new("Windows NT").key(version)),
    );
    hive::write(&root, r"\SystemRoot\System32\Config\SOFTWARE", timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;

    const VERSION_KEY: &str = r"\Microsoft\Windows NT\CurrentVersion";

    fn export(winre_version: Option<&str>) -> Option<String> {
        let bytes = software_hive(&SERVER_2022, winre_version, 0).unwrap();
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
    fn without_an_update_of_winre_there_is_no_version_of_it() {
        let with = software_hive(&WINDOWS_11_21H2, Some("10.0.22000.2710"), 0).unwrap();
        let without = software_hive(&WINDOWS_11_21H2, None, 0).unwrap();
        let mentions = |hive: &[u8]| hive.windows(12).any(|part| part == b"WinREVersion");
        assert!(mentions(&with) && !mentions(&without));
    }
}
