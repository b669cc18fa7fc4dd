//! What the SYSTEM hive says: services and their start types, the computer's name, Setup, the firewall.

use crate::evidence::RegistryFact;
use crate::hive::{self, Data, HiveError, Key};
use crate::identity::COMPUTER;

const AUTOMATIC: u32 = 2;
const MANUAL: u32 = 3;
/// `Type` of a driver of a device and of a file system, of a service with a process of its own, and of one in svchost.
const DRIVER: u32 = 1;
const FILE_SYSTEM: u32 = 2;
const OWN: u32 = 0x10;
const SHARED: u32 = 0x20;

/// A service: name, `Start`, `Type`, `DelayedAutostart`, what runs it.
type Service = (&'static str, u32, u32, bool, &'static str);

/// Services as a new Windows has them. Of wuauserv, UsoSvc and VSS the start types are confirmed by tools that restore
/// them, of msiserver by Microsoft; the others are those that are commonly told.
const SERVICES: &[Service] = &[
    ("wuauserv", MANUAL, SHARED, false, "netsvcs"),
    ("UsoSvc", AUTOMATIC, SHARED, true, "netsvcs"),
    ("BITS", MANUAL, SHARED, false, "netsvcs"),
    ("DoSvc", AUTOMATIC, SHARED, true, "NetworkService"),
    ("CryptSvc", AUTOMATIC, SHARED, false, "NetworkService"),
    (
        "msiserver",
        MANUAL,
        OWN,
        false,
        r"%systemroot%\system32\msiexec.exe /V",
    ),
    (
        "TrustedInstaller",
        MANUAL,
        OWN,
        false,
        r"%SystemRoot%\servicing\TrustedInstaller.exe",
    ),
    ("WaaSMedicSvc", MANUAL, SHARED, false, "wusvcs"),
    ("VSS", MANUAL, OWN, false, r"%systemroot%\system32\vssvc.exe"),
    ("vds", MANUAL, OWN, false, r"%SystemRoot%\System32\vds.exe"),
    ("defragsvc", MANUAL, OWN, false, "defragsvc"),
    ("swprv", MANUAL, OWN, false, "swprv"),
    ("RpcSs", AUTOMATIC, SHARED, false, "rpcss"),
    (
        "EventLog",
        AUTOMATIC,
        SHARED,
        false,
        "LocalServiceNetworkRestricted",
    ),
    ("Dhcp", AUTOMATIC, SHARED, false, "LocalServiceNetworkRestricted"),
    ("Dnscache", AUTOMATIC, SHARED, false, "NetworkService"),
    ("LanmanServer", AUTOMATIC, SHARED, false, "netsvcs"),
    ("LanmanWorkstation", AUTOMATIC, SHARED, false, "NetworkService"),
    (
        "MpsSvc",
        AUTOMATIC,
        SHARED,
        false,
        "LocalServiceNoNetworkFirewall",
    ),
    ("Schedule", AUTOMATIC, SHARED, false, "netsvcs"),
    (
        "Spooler",
        AUTOMATIC,
        OWN,
        false,
        r"%SystemRoot%\System32\spoolsv.exe",
    ),
    ("Themes", AUTOMATIC, SHARED, false, "netsvcs"),
    ("W32Time", MANUAL, SHARED, false, "LocalService"),
    (
        "WinDefend",
        AUTOMATIC,
        OWN,
        false,
        r#""%ProgramFiles%\Windows Defender\MsMpEng.exe""#,
    ),
    ("disk", 0, DRIVER, false, r"System32\drivers\disk.sys"),
    ("fvevol", 0, DRIVER, false, r"System32\DRIVERS\fvevol.sys"),
    ("Ntfs", MANUAL, FILE_SYSTEM, false, r"System32\Drivers\Ntfs.sys"),
];

/// The bytes of a SYSTEM hive. Facts that concern other hives are of no account; `timestamp` as in [`hive::write`].
///
/// # Errors
/// [`HiveError`] if a text does not fit a value.
pub fn system_hive(facts: &[RegistryFact], timestamp: u64) -> Result<Vec<u8>, HiveError> {
    let services = SERVICES
        .iter()
        .fold(Key::new("Services"), |key, service| {
            key.key(service_key(service, facts))
        })
        .key(firewall(facts));
    let control = Key::new("Control")
        .text("SystemStartOptions", " NOEXECUTE=OPTOUT")
        .key(Key::new("ComputerName").key(Key::new("ComputerName").text("ComputerName", COMPUTER)))
        .key(Key::new("Session Manager").key(Key::new("Power").dword("HiberbootEnabled", 0)));
    let root = Key::new("ROOT")
        .key(Key::new("ControlSet001").key(control).key(services))
        .key(Key::new("MountedDevices"))
        .key(
            Key::new("Select")
                .dword("Current", 1)
                .dword("Default", 1)
                .dword("Failed", 0)
                .dword("LastKnownGood", 1),
        )
        .key(setup(facts));
    hive::write(&root, r"\SystemRoot\System32\Config\SYSTEM", timestamp)
}

fn service_key((name, start, kind, delayed, runs): &Service, facts: &[RegistryFact]) -> Key {
    let other = facts.iter().find_map(|fact| match fact {
        RegistryFact::StartType { service, start } if service.eq_ignore_ascii_case(name) => Some(*start),
        _ => None,
    });
    let path = if runs.contains('\\') {
        (*runs).to_owned()
    } else {
        format!(r"%systemroot%\system32\svchost.exe -k {runs}")
    };
    let mut key = Key::new(*name)
        .dword("ErrorControl", 1)
        .dword("Start", other.unwrap_or(*start))
        .dword("Type", *kind)
        .value("ImagePath", Data::ExpandText(path));
    if *delayed {
        key = key.dword("DelayedAutostart", 1);
    }
    if !matches!(*kind, DRIVER | FILE_SYSTEM) {
        key = key.text("ObjectName", "LocalSystem");
    }
    if *name == "wuauserv" {
        key = key.value("DependOnService", Data::MultiText(vec!["rpcss".to_owned()]));
    }
    key
}

fn firewall(facts: &[RegistryFact]) -> Key {
    let enabled = u32::from(!facts.contains(&RegistryFact::FirewallOff));
    let policy = ["StandardProfile", "PublicProfile", "DomainProfile"]
        .into_iter()
        .fold(Key::new("FirewallPolicy"), |key, profile| {
            key.key(Key::new(profile).dword("EnableFirewall", enabled))
        });
    Key::new("SharedAccess")
        .dword("Start", MANUAL)
        .dword("Type", SHARED)
        .key(Key::new("Parameters").key(policy))
}

fn setup(facts: &[RegistryFact]) -> Key {
    let told = facts.iter().find_map(|fact| match fact {
        RegistryFact::Setup {
            in_progress,
            oobe,
            kind,
        } => Some((*in_progress, *oobe, *kind)),
        _ => None,
    });
    let (in_progress, oobe, kind) = told.unwrap_or((0, 0, 0));
    let command = if kind == 0 { "" } else { r"oobe\windeploy.exe" };
    Key::new("Setup")
        .text("CmdLine", command)
        .dword("OOBEInProgress", oobe)
        .dword("SetupPhase", 0)
        .dword("SetupType", kind)
        .dword("SystemSetupInProgress", in_progress)
        .text("WorkingDirectory", r"C:\Windows\Panther")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;

    fn value(hive: &oracle::TempFile, key: &str, name: &str) -> Option<String> {
        oracle::run("hivexget", &[hive.path(), key, name]).map(|text| text.trim().to_owned())
    }

    #[test]
    fn other_tools_find_services_and_settings() {
        let facts = [
            RegistryFact::StartType {
                service: "wuauserv",
                start: 4,
            },
            RegistryFact::FirewallOff,
            RegistryFact::Setup {
                in_progress: 1,
                oobe: 1,
                kind: 2,
            },
        ];
        let [plain, told] = [&[][..], &facts].map(|facts| {
            let bytes = system_hive(facts, 0).unwrap();
            oracle::TempFile::new("SYSTEM", &bytes)
        });
        let services = r"\ControlSet001\Services";
        let profile = format!(r"{services}\SharedAccess\Parameters\FirewallPolicy\PublicProfile");
        for (key, name, ordinary, other) in [
            (r"\Select", "Current", "1", "1"),
            (r"\Select", "Default", "1", "1"),
            (&format!(r"{services}\wuauserv"), "Start", "3", "4"),
            (&format!(r"{services}\UsoSvc"), "DelayedAutostart", "1", "1"),
            (&format!(r"{services}\TrustedInstaller"), "Start", "3", "3"),
            (&profile, "EnableFirewall", "1", "0"),
            (r"\Setup", "SystemSetupInProgress", "0", "1"),
            (r"\Setup", "SetupType", "0", "2"),
            (
                r"\ControlSet001\Control\ComputerName\ComputerName",
                "ComputerName",
                COMPUTER,
                COMPUTER,
            ),
        ] {
            let Some(found) = value(&plain, key, name) else {
                return;
            };
            assert_eq!(found, ordinary, "{key} {name}");
            assert_eq!(value(&told, key, name).unwrap(), other, "{key} {name}");
        }
    }
}
