//! Titles of updates as Windows Update shows them. The number is what counts; the words are in the language of Windows.

pub(super) const KB5034441: &str =
    "2024-01 Security Update for Windows 10 Version 22H2 for x64-based Systems (KB5034441)";
pub(super) const KB5034441_GERMAN: &str =
    "2024-01 Sicherheitsupdate f\u{fc}r Windows 10 Version 22H2 f\u{fc}r x64-basierte Systeme (KB5034441)";
pub(super) const KB5034441_CHINESE: &str = "2024-01 \u{9002}\u{7528}\u{4e8e} Windows 10 Version 22H2 \u{7684}\
    \u{5b89}\u{5168}\u{66f4}\u{65b0}\u{7a0b}\u{5e8f}\u{ff0c}\u{9002}\u{5408}\u{57fa}\u{4e8e} x64 \u{7684}\u{7cfb}\u{7edf} (KB5034441)";
pub(super) const KB5034440: &str =
    "2024-01 Security Update for Windows 11 Version 21H2 for x64-based Systems (KB5034440)";
pub(super) const KB5034439: &str = "2024-01 Security Update for Microsoft server operating system, version 21H2 for x64-based Systems (KB5034439)";
pub(super) const KB5048239: &str =
    "2024-11 Security Update for Windows 10 Version 22H2 for x64-based Systems (KB5048239)";
pub(super) const KB5057589: &str =
    "2025-04 Security Update for Windows 10 Version 22H2 for x64-based Systems (KB5057589)";
pub(super) const KB5068164: &str =
    "2025-10 Security Update for Windows 10 Version 22H2 for x64-based Systems (KB5068164)";
pub(super) const KB5075039: &str = "2026-03 Windows Recovery Environment Update (KB5075039)";
pub(super) const KB5120221: &str = "2026-07 Windows Recovery Environment Update (KB5120221)";
/// A number that nobody knows yet.
pub(super) const UNKNOWN: &str = "2027-02 Windows Recovery Environment Update (KB5987654)";

pub(super) const UNKNOWN_GERMAN: &str = "2027-02 Update der Windows-Wiederherstellungsumgebung (KB5987655)";

pub(super) const WINDOWS_10_ROLLUP: &str =
    "2024-01 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5034122)";
pub(super) const WINDOWS_10_ROLLUP_APRIL: &str =
    "2025-04 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5055518)";
pub(super) const WINDOWS_11_ROLLUP: &str =
    "2025-11 Cumulative Update for Windows 11 Version 23H2 for x64-based Systems (KB5068865)";
pub(super) const DOTNET: &str = "2024-01 Cumulative Update for .NET Framework 3.5, 4.8 and 4.8.1 for Windows 10 Version \
    22H2 for x64 (KB5034275)";
pub(super) const DEFENDER_PLATFORM: &str = "Update for Microsoft Defender Antivirus antimalware platform - KB4052623 \
    (Version 4.18.23110.3) - Current Channel (Broad)";
pub(super) const DEFENDER_SIGNATURES: &str = "Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 \
    (Version 1.403.1002.0) - Current Channel (Broad)";
pub(super) const SECURITY_PLATFORM: &str =
    "Update for Windows Security platform - KB5007651 (Version 10.0.27703.1006)";
pub(super) const SQL_SERVER: &str = "Security Update for SQL Server 2019 RTM GDR (KB5029377)";
pub(super) const OFFICE: &str = "Update for Microsoft Office 2016 (KB5002137) 64-Bit Edition";
