//! What somebody asks of the table: an update by its number, or a build of Windows.

use super::{Of, Sureness, Table, Update, Version, family};
use serde::Serialize;

/// Builds from here on bring WinRE within the cumulative update: Windows 11 22H2.
const WITHIN_CUMULATIVE_SINCE: u32 = 22_621;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// An update by its number.
    Update(u32),
    /// A build of Windows, with its revision if that was named.
    Build(u32, Option<Version>),
}

impl Asked {
    /// Reads `KB5034441`, `5034441`, `19045`, `20348.2113` or `10.0.20348.2113`.
    pub fn parse(text: &str) -> Option<Self> {
        /// Builds have five digits, numbers of updates seven (and six for old ones).
        const BUILDS: std::ops::RangeInclusive<u32> = 10_000..=99_999;
        let text = text.trim().to_ascii_lowercase();
        if let Some(number) = text.strip_prefix("kb") {
            return number
                .trim_start_matches([' ', '-'])
                .parse()
                .ok()
                .map(Self::Update);
        }
        if let Ok(version) = text.parse::<Version>() {
            return Some(Self::Build(version.build(), Some(version)));
        }
        if let Some((build, revision)) = text.split_once('.') {
            let build = build.parse().ok().filter(|build| BUILDS.contains(build))?;
            let version = Version([10, 0, build, revision.parse().ok()?]);
            return Some(Self::Build(build, Some(version)));
        }
        let number: u32 = text.parse().ok()?;
        match number {
            build if BUILDS.contains(&build) => Some(Self::Build(build, None)),
            100_000.. => Some(Self::Update(number)),
            _ => None,
        }
    }
}

/// How WinRE of a build gets its updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Servicing {
    /// By updates of its own.
    Own,
    /// Within the cumulative update of Windows.
    WithinCumulative,
    /// The table says nothing of it.
    Unknown,
}

/// The lowest version for a build with a vulnerability closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FloorOf<'t> {
    /// The vulnerability.
    pub cve: &'t str,
    /// What the version is of.
    pub of: Of,
    /// The lowest one.
    pub version: Version,
    /// Whether the version that was asked for is at least that, were it a version of such a thing.
    pub met: Option<bool>,
    /// How certain this is.
    pub confidence: Sureness,
}

/// What concerns a build of Windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About<'t> {
    /// The build.
    pub build: u32,
    /// The version that was asked for.
    pub version: Option<Version>,
    /// The build whose image it has.
    pub family: u32,
    /// How its WinRE gets updates.
    pub servicing: Servicing,
    /// The newest update of WinRE that is still offered.
    pub newest_winre_kb: Option<u32>,
    /// Lowest versions.
    pub floors: Vec<FloorOf<'t>>,
    /// The updates for it, in the order of the table.
    #[serde(skip)]
    pub updates: Vec<&'t Update>,
}

impl Table {
    /// All that is known of a build.
    pub fn about(&self, build: u32, version: Option<Version>) -> About<'_> {
        let floors = self.floors.iter().filter_map(|floor| {
            let mut all = floor.versions.iter();
            let least = all.find(|least| family(least.build()) == family(build))?;
            Some(FloorOf {
                cve: &floor.cve,
                of: floor.of,
                version: *least,
                met: version.map(|version| meets(version, *least)),
                confidence: floor.confidence,
            })
        });
        About {
            build,
            version,
            family: family(build),
            servicing: match build {
                _ if self.has_winre_updates(build) => Servicing::Own,
                WITHIN_CUMULATIVE_SINCE.. => Servicing::WithinCumulative,
                _ => Servicing::Unknown,
            },
            newest_winre_kb: self.newest_winre(build).map(|update| update.kb),
            floors: floors.collect(),
            updates: self.for_build(build).collect(),
        }
    }
}

/// Whether a version of the same family is at least `least`. Releases of one family count their revisions alike: only
/// the build may be that of another one.
fn meets(version: Version, least: Version) -> bool {
    let [_, _, _, revision] = version.0;
    let [_, _, _, least] = least.0;
    revision >= least
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kb::table;

    #[test]
    fn numbers_are_told_from_builds() {
        let version = |text: &str| Some(text.parse::<Version>().unwrap());
        for (text, due) in [
            ("KB5034441", Some(Asked::Update(5_034_441))),
            ("kb5034441", Some(Asked::Update(5_034_441))),
            ("KB 5034441", Some(Asked::Update(5_034_441))),
            ("5034441", Some(Asked::Update(5_034_441))),
            ("890830", Some(Asked::Update(890_830))),
            ("19045", Some(Asked::Build(19_045, None))),
            (
                "20348.2113",
                Some(Asked::Build(20_348, version("10.0.20348.2113"))),
            ),
            (
                "10.0.20348.2113",
                Some(Asked::Build(20_348, version("10.0.20348.2113"))),
            ),
            ("", None),
            ("kb", None),
            ("KBx", None),
            ("22H2", None),
            ("9999", None),
            ("10.0", None),
            ("10.0.20348", None),
            ("99999999999999999999", None),
            ("-19045", None),
        ] {
            assert_eq!(Asked::parse(text), due, "{text:?}");
        }
    }

    #[test]
    fn a_build_has_the_floors_of_its_family() {
        let met = |text: &str| {
            let Some(Asked::Build(build, version)) = Asked::parse(text) else {
                panic!("{text}")
            };
            let about = table().about(build, version);
            let floors = about.floors.iter();
            floors
                .map(|floor| (floor.cve.to_owned(), floor.of, floor.met))
                .collect::<Vec<_>>()
        };
        let (new, old) = ("CVE-2024-20666".to_owned(), "CVE-2022-41099".to_owned());
        assert_eq!(
            met("19045"),
            [
                (new.clone(), Of::Image, None),
                (old.clone(), Of::Bootmenuux, None)
            ]
        );
        assert_eq!(met("10.0.20348.2200"), [(new.clone(), Of::Image, Some(false))]);
        assert_eq!(met("10.0.20348.2201"), [(new.clone(), Of::Image, Some(true))]);
        // Windows counts revisions of 22H2 as the image of its family does.
        assert_eq!(
            met("10.0.19045.3919"),
            [
                (new.clone(), Of::Image, Some(false)),
                (old.clone(), Of::Bootmenuux, Some(true))
            ]
        );
        assert_eq!(met("14393.6614")[0], (new, Of::Windows, Some(true)));
        assert!(met("26100").is_empty());
    }

    #[test]
    fn winre_is_updated_alone_or_with_windows() {
        let servicing = |build| table().about(build, None).servicing;
        for build in [19_041, 19_045, 20_348, 22_000] {
            assert_eq!(servicing(build), Servicing::Own, "{build}");
        }
        for build in [22_621, 22_631, 26_100, 26_200] {
            assert_eq!(servicing(build), Servicing::WithinCumulative, "{build}");
        }
        assert_eq!(servicing(14_393), Servicing::Unknown);
        assert_eq!(table().about(19_045, None).newest_winre_kb, Some(5_120_221));
        assert_eq!(table().about(22_631, None).newest_winre_kb, None);
    }
}
