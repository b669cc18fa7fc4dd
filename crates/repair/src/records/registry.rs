//! The hives SOFTWARE and SYSTEM, as far as updates are concerned. Changes that wait in their logs count.

use super::services::{KNOWN, Service};
use winrefit_formats::Hive;
use winrefit_formats::hive::{HiveError, Key};

const CURRENT_VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";
const WINDOWS: &str = r"Microsoft\Windows\CurrentVersion";
/// Most packages that are looked at; a real SOFTWARE hive has some thousand packages.
const SUBKEYS_MAX: usize = 20_000;
/// Most programs that are looked at in one key; busy machines have some hundred.
const INSTALLED_MAX: usize = 2000;
/// Most values of one that are looked at; they have some twenty.
const VALUES_MAX: usize = 256;
/// Most programs that are kept.
const PROGRAMS_MAX: usize = 64;
/// How the name of an update's package begins.
const PACKAGE: &str = "Package_for_KB";
/// Longest text that is taken from a value; names and versions are short.
const TEXT_CHARS_MAX: usize = 300;

/// What SOFTWARE says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Software {
    /// `ProductName`.
    pub product: Option<String>,
    /// `EditionID`.
    pub edition: Option<String>,
    /// `InstallationType`: `Client`, `Server`, `Server Core`.
    pub installation_type: Option<String>,
    /// `DisplayVersion`.
    pub display_version: Option<String>,
    /// `CurrentBuild`.
    pub build: Option<u32>,
    /// `UBR`.
    pub revision: Option<u32>,
    /// `WinREVersion`: what an update of WinRE, or somebody, wrote down.
    pub winre_version: Option<String>,
    /// Whether Windows Update waits for a restart.
    pub restart_required: bool,
    /// Whether servicing waits for a restart.
    pub restart_pending: bool,
    /// `ImageState` of Windows Setup.
    pub image_state: Option<String>,
    /// Whether Microsoft's script for patching the image says that it has done its work.
    pub patch_script_done: bool,
    /// Packages of servicing that carry the number of an update, as (number, name of the key).
    pub packages: Vec<(u32, String)>,
    /// Programs of a kind that is known to come into updates' way.
    pub programs: Vec<Program>,
}

/// An installed program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// `DisplayName`.
    pub name: String,
    /// `Publisher`.
    pub publisher: Option<String>,
    /// What it is.
    pub kind: ProgramKind,
}

/// What a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramKind {
    /// Protection against malware that is not Microsoft's.
    Antivirus,
    /// Something that switches services of Windows off.
    Optimiser,
}

/// What SYSTEM says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct System {
    /// Name of the computer.
    pub computer_name: Option<String>,
    /// Name of the control set that Windows starts with.
    pub control_set: String,
    /// The services that updates need.
    pub services: Vec<Service>,
    /// Whether the firewall is on for domain, private and public networks.
    pub firewall: [Option<bool>; 3],
    /// Whether Windows Setup has not finished.
    pub setup_in_progress: bool,
}

/// Names in the titles of programs, in lower case, by their makers' own spelling.
const ANTIVIRUS: [&str; 24] = [
    "avast",
    "avg antivirus",
    "avg internet",
    "avira",
    "bitdefender",
    "bullguard",
    "carbon black",
    "comodo",
    "crowdstrike",
    "cylance",
    "eset ",
    "f-secure",
    "g data",
    "kaspersky",
    "malwarebytes",
    "mcafee",
    "norton ",
    "panda ",
    "sentinel agent",
    "sentinelone",
    "sophos",
    "symantec",
    "trend micro",
    "webroot",
];
const OPTIMISERS: [&str; 10] = [
    "advanced systemcare",
    "ashampoo winoptimizer",
    "ccleaner",
    "iolo system mechanic",
    "o&o shutup",
    "tuneup utilities",
    "winaero tweaker",
    "windows update blocker",
    "wise care",
    "stopupdates10",
];

/// Reads SOFTWARE. What a damaged key hides is as if it were not there; the error is told of.
pub(super) fn software(hive: &Hive<'_>, damage: &mut Vec<String>) -> Software {
    let text = |path: &str, name: &str| text(hive, path, name);
    let exists = |path: &str| hive.has_key(path).unwrap_or(false);
    let number = |path: &str, name: &str| number(hive, path, name);
    let version = |name: &str| text(CURRENT_VERSION, name);
    let build = version("CurrentBuild").and_then(|build| build.parse().ok());
    Software {
        product: version("ProductName").map(|name| product_name(&name, build)),
        edition: version("EditionID"),
        installation_type: version("InstallationType"),
        display_version: version("DisplayVersion"),
        build,
        revision: number(CURRENT_VERSION, "UBR"),
        winre_version: version("WinREVersion"),
        restart_required: exists(&format!(r"{WINDOWS}\WindowsUpdate\Auto Update\RebootRequired")),
        restart_pending: exists(&format!(r"{WINDOWS}\Component Based Servicing\RebootPending")),
        image_state: text(&format!(r"{WINDOWS}\Setup\State"), "ImageState"),
        patch_script_done: number(r"Microsoft\PushButtonReset", "WinREPathScriptSucceed") == Some(1),
        packages: packages(hive, damage),
        programs: programs(hive, damage),
    }
}

/// The product's name as people know it: the registry of Windows 11 says 10.
pub fn product_name(name: &str, build: Option<u32>) -> String {
    const WINDOWS_11: u32 = 22_000;
    match name.strip_prefix("Windows 10") {
        Some(rest) if build.is_some_and(|build| build >= WINDOWS_11) => format!("Windows 11{rest}"),
        _ => name.to_owned(),
    }
}

/// Packages of servicing by the update's number in their names: `Package_for_KB5034441~31bf3856ad364e35~amd64~~...`.
fn packages(hive: &Hive<'_>, damage: &mut Vec<String>) -> Vec<(u32, String)> {
    let path = format!(r"{WINDOWS}\Component Based Servicing\Packages");
    let mut found = Vec::new();
    each_subkey(hive, (&path, SUBKEYS_MAX), damage, |key| {
        let name = key.name();
        let Some((start, rest)) = name.split_at_checked(PACKAGE.len()) else {
            return;
        };
        if !start.eq_ignore_ascii_case(PACKAGE) {
            return;
        }
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        found.extend(digits.parse().ok().map(|kb| (kb, name.to_owned())));
    });
    found
}

/// Programs that are known to come into updates' way, those for 32 bits included.
fn programs(hive: &Hive<'_>, damage: &mut Vec<String>) -> Vec<Program> {
    let mut found: Vec<Program> = Vec::new();
    for path in [
        format!(r"{WINDOWS}\Uninstall"),
        format!(r"WOW6432Node\{WINDOWS}\Uninstall"),
    ] {
        each_subkey(hive, (&path, INSTALLED_MAX), damage, |key| {
            let mut texts = [None, None];
            let values = key
                .values()
                .into_iter()
                .flatten()
                .take(VALUES_MAX)
                .map_while(Result::ok);
            for value in values {
                let names = ["DisplayName", "Publisher"];
                let of_it = names
                    .iter()
                    .position(|name| value.name().eq_ignore_ascii_case(name));
                if let Some(text) = of_it.and_then(|at| texts.get_mut(at)) {
                    *text = value.decode().ok().and_then(|value| short(value.as_str()?));
                }
            }
            let [Some(name), publisher] = texts else { return };
            let Some(kind) = kind_of(&name) else { return };
            if found.len() < PROGRAMS_MAX && found.iter().all(|program| program.name != name) {
                found.push(Program {
                    name,
                    publisher,
                    kind,
                });
            }
        });
    }
    found
}

fn kind_of(name: &str) -> Option<ProgramKind> {
    let name = name.to_lowercase();
    if ANTIVIRUS.iter().any(|known| name.contains(known)) {
        Some(ProgramKind::Antivirus)
    } else if OPTIMISERS.iter().any(|known| name.contains(known)) {
        Some(ProgramKind::Optimiser)
    } else {
        None
    }
}

/// Looks at the subkeys of a key, up to a bound.
fn each_subkey<'f>(
    hive: &Hive<'f>,
    (path, most): (&str, usize),
    damage: &mut Vec<String>,
    mut look: impl FnMut(&Key<'f>),
) {
    let mut walk = || -> Result<(), HiveError> {
        let Some(key) = hive.key(path)? else {
            return Ok(());
        };
        for subkey in key.subkeys()?.take(most) {
            look(&subkey?);
        }
        Ok(())
    };
    if let Err(error) = walk() {
        damage.push(format!("{path}: {error}"));
    }
}

/// Reads SYSTEM.
pub(super) fn system(hive: &Hive<'_>) -> System {
    let current = hive.current_control_set().ok().flatten();
    let set = current.unwrap_or_else(|| "ControlSet001".to_owned());
    let service = |name: &'static str| {
        let path = format!(r"{set}\Services\{name}");
        Service {
            name,
            start: number(hive, &path, "Start"),
            exists: hive.has_key(&path).unwrap_or(false),
        }
    };
    let firewall = |profile: &str| {
        let path = format!(r"{set}\Services\SharedAccess\Parameters\FirewallPolicy\{profile}");
        number(hive, &path, "EnableFirewall").map(|on| on != 0)
    };
    let in_progress = |name: &str| number(hive, "Setup", name).is_some_and(|value| value != 0);
    System {
        computer_name: text(
            hive,
            &format!(r"{set}\Control\ComputerName\ComputerName"),
            "ComputerName",
        ),
        services: KNOWN.iter().map(|known| service(known.name)).collect(),
        firewall: ["DomainProfile", "StandardProfile", "PublicProfile"].map(firewall),
        setup_in_progress: in_progress("SystemSetupInProgress") || in_progress("OOBEInProgress"),
        control_set: set,
    }
}

fn text(hive: &Hive<'_>, path: &str, name: &str) -> Option<String> {
    short(&hive.string(path, name).ok().flatten()?)
}

fn short(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(TEXT_CHARS_MAX).collect())
}

fn number(hive: &Hive<'_>, path: &str, name: &str) -> Option<u32> {
    hive.dword(path, name).ok().flatten()
}
