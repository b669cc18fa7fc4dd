//! The table of updates: what is known of the updates that concern the recovery environment. The facts are data, in
//! `data/kb.toml`; here is only how they are asked for.

pub mod about;
mod words;

pub use words::{family_name, kb};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;
use winrefit_formats::WimVersion;

/// How titles call the updates of WinRE, in lower case. The English one was seen; Windows calls WinRE so in the others.
const WINRE_PHRASES: [&str; 3] = [
    "windows recovery environment",
    "windows-wiederherstellungsumgebung",
    "windows \u{6062}\u{590d}\u{73af}\u{5883}",
];

/// The table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Updates, in the order of the file.
    #[serde(rename = "update")]
    pub updates: Vec<Update>,
    /// Lowest versions that have a vulnerability closed.
    #[serde(rename = "floor")]
    pub floors: Vec<Floor>,
}

/// An update.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
pub struct Update {
    /// Its number.
    pub kb: u32,
    /// What it is.
    pub kind: Kind,
    /// Build families of Windows that it is for; see [`family`].
    pub windows: Vec<u32>,
    /// When it was released: a day, a month or a year.
    pub released: Option<String>,
    /// Vulnerabilities that it closes.
    #[serde(default)]
    pub fixes: Vec<String>,
    /// Version of the image afterwards.
    pub image: Option<Version>,
    /// Since when it is no longer offered.
    pub withdrawn: Option<String>,
    /// What took its place.
    #[serde(default)]
    pub replaced_by: Vec<u32>,
    /// The Safe OS update that it brings.
    pub payload: Option<u32>,
    /// What the instructions are for.
    pub guide: Option<Guide>,
    /// What is known to go wrong with it.
    pub issue: Option<Issue>,
    /// What helps.
    #[serde(default)]
    pub cured_by: Vec<u32>,
    /// How certain this is.
    pub confidence: Sureness,
}

/// What an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Windows Update puts it into the WinRE image.
    Winre,
    /// The payload for the image, for administrators.
    SafeOs,
    /// An update of Windows.
    Cumulative,
    /// An update of Microsoft Defender.
    Defender,
    /// Instructions.
    Guide,
}

/// What Microsoft's instructions are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guide {
    /// Making the recovery partition larger by hand.
    Resize,
    /// The same, by a script.
    ResizeScript,
    /// Adding an update to the image, by a script.
    PatchScript,
    /// How much room there should be.
    Room,
}

/// What goes wrong with an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Issue {
    /// An error is shown although it is applied after a restart.
    ErrorUntilRestart,
    /// WinRE may not start afterwards.
    WinreMayNotStart,
    /// It needs more room on the system partition.
    SystemPartition,
}

/// How certain a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sureness {
    /// Microsoft says so.
    A,
    /// Seen on real machines.
    B,
    /// Reported by others.
    C,
    /// Not certain.
    D,
}

/// Lowest versions, one for each build family.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// The vulnerability.
    pub cve: String,
    /// What the versions are of.
    pub of: Of,
    /// The versions.
    pub versions: Vec<Version>,
    /// How certain this is.
    pub confidence: Sureness,
}

/// What a version is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// `Winre.wim`.
    Image,
    /// `bootmenuux.dll` in the image.
    Bootmenuux,
    /// Windows.
    Windows,
}

/// A version of four numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(pub [u32; 4]);

impl Version {
    /// Build, which names the release.
    pub fn build(self) -> u32 {
        self.0[2]
    }
}

impl From<WimVersion> for Version {
    fn from(version: WimVersion) -> Self {
        Self([version.major, version.minor, version.build, version.sp_build])
    }
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no version of four numbers")]
pub struct NoVersion {
    text: String,
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let numbers: Option<Vec<u32>> = text.trim().split('.').map(|part| part.parse().ok()).collect();
        let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
        numbers.map(Self).ok_or_else(|| NoVersion {
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for Version {
    type Error = NoVersion;

    fn try_from(text: String) -> Result<Self, NoVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

/// The table that this version of winrefit knows. A test reads it, so that it is never empty for a mistake in the data.
pub fn table() -> &'static Table {
    static TABLE: LazyLock<Table> =
        LazyLock::new(|| toml::from_str(include_str!("../data/kb.toml")).unwrap_or_default());
    &TABLE
}

/// The build whose image a build of Windows has: releases of one family share their updates.
pub fn family(build: u32) -> u32 {
    match build {
        19_041..=19_045 => 19_041,
        22_621 | 22_631 => 22_621,
        26_100 | 26_200 => 26_100,
        other => other,
    }
}

impl Table {
    /// The update of that number.
    pub fn update(&self, kb: u32) -> Option<&Update> {
        self.updates.iter().find(|update| update.kb == kb)
    }

    /// The updates for a build of Windows, in the order of the table.
    pub fn for_build(&self, build: u32) -> impl Iterator<Item = &Update> {
        let family = family(build);
        self.updates
            .iter()
            .filter(move |update| update.windows.contains(&family))
    }

    /// Whether WinRE of this build gets updates of its own. From Windows 11 22H2 on the cumulative ones bring them.
    pub fn has_winre_updates(&self, build: u32) -> bool {
        self.for_build(build).any(|update| update.kind == Kind::Winre)
    }

    /// The newest update of WinRE for a build that is still offered.
    pub fn newest_winre(&self, build: u32) -> Option<&Update> {
        let offered = |update: &&Update| update.kind == Kind::Winre && update.withdrawn.is_none();
        let released = |update: &&Update| update.released.clone().unwrap_or_default();
        // A year alone sorts before its months; the table is in order where they are equal.
        self.for_build(build).filter(offered).max_by_key(released)
    }

    /// Whether an update, by number or title, is one of WinRE.
    pub fn is_winre(&self, kbs: &[u32], title: &str) -> bool {
        let of_kind = |kb: &u32| self.update(*kb).is_some_and(|update| update.kind == Kind::Winre);
        let title = title.to_lowercase();
        kbs.iter().any(of_kind) || WINRE_PHRASES.iter().any(|phrase| title.contains(phrase))
    }

    /// Vulnerabilities that an image of this version is open to, with the version that closes each.
    pub fn open_in(&self, image: Version) -> Vec<(&str, Version)> {
        let floors = self.floors.iter().filter(|floor| floor.of == Of::Image);
        let of_family = |version: &&Version| family(version.build()) == family(image.build());
        floors
            .filter_map(|floor| {
                let least = floor.versions.iter().find(of_family)?;
                (image < *least).then_some((floor.cve.as_str(), *least))
            })
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let read: Table = toml::from_str(include_str!("../data/kb.toml")).unwrap();
        assert!(read.updates.len() >= 30 && read.floors.len() >= 3);
        let numbers = |update: &Update| {
            let named = update
                .replaced_by
                .iter()
                .chain(&update.cured_by)
                .chain(&update.payload);
            named.copied().collect::<Vec<_>>()
        };
        for update in &read.updates {
            assert_eq!(
                read.updates.iter().filter(|other| other.kb == update.kb).count(),
                1,
                "{}",
                update.kb
            );
            for kb in numbers(update) {
                assert!(read.update(kb).is_some(), "{} names {kb}", update.kb);
            }
            if let Some(image) = update.image {
                assert!(update.windows.contains(&family(image.build())), "{}", update.kb);
            }
            // A vulnerability without a floor would be told of and never looked for.
            for cve in &update.fixes {
                assert!(read.floors.iter().any(|floor| floor.cve == *cve), "{cve}");
            }
            let is_date = |date: &String| date.len() >= 4 && date.starts_with("20");
            assert!(
                update.released.iter().chain(&update.withdrawn).all(is_date),
                "{}",
                update.kb
            );
        }
        assert_eq!(table().updates, read.updates);
    }

    #[test]
    fn an_image_is_open_below_the_floor_of_its_family() {
        let open = |version: &str| table().open_in(version.parse().unwrap());
        let floor = "10.0.19041.3920".parse().unwrap();
        assert_eq!(open("10.0.19041.3919"), [("CVE-2024-20666", floor)]);
        assert_eq!(open("10.0.19041.1"), [("CVE-2024-20666", floor)]);
        assert!(open("10.0.19041.3920").is_empty());
        assert_eq!(open("10.0.20348.587").len(), 1);
        // No floor of an image is known there.
        assert!(open("10.0.22621.1").is_empty());
    }

    #[test]
    fn updates_of_winre_are_known_by_number_or_by_name() {
        let table = table();
        assert!(table.is_winre(&[5_034_441], "Sicherheitsupdate"));
        assert!(table.is_winre(
            &[9_999_999],
            "2027-01 Windows Recovery Environment Update (KB9999999)"
        ));
        assert!(!table.is_winre(&[5_034_123], "2024-01 Cumulative Update (KB5034123)"));
        assert_eq!(table.newest_winre(19_045).unwrap().kb, 5_120_221);
        assert_eq!(table.newest_winre(20_348).unwrap().kb, 5_057_588);
        assert!(table.has_winre_updates(22_000) && !table.has_winre_updates(22_631));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| text.parse::<Version>();
        assert!(version("10.0.19041.10000").unwrap() > version("10.0.19041.3920").unwrap());
        for text in [
            "",
            "10.0.19041",
            "10.0.19041.1.2",
            "10.0.x.1",
            "10.0.19041.-1",
            "10.0.19041.99999999999",
        ] {
            assert!(version(text).is_err(), "{text:?}");
        }
    }
}
