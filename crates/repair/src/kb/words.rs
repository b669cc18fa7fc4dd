//! The table of updates in words for people.

use super::about::{About, Servicing};
use super::{Guide, Issue, Kind, Of, Sureness, Table, Update};
use crate::text;
use crate::text::Text;

/// A number as it is always written.
pub fn kb(number: u32) -> Text {
    Text::raw(format!("KB{number}"))
}

fn kbs(numbers: &[u32]) -> Text {
    Text::all_of(numbers.iter().copied().map(kb))
}

/// The releases of a family of builds.
pub fn family_name(family: u32) -> Text {
    match family {
        10_240 => Text::raw("Windows 10 1507"),
        14_393 => text!("Windows 10 1607, Windows Server 2016"),
        17_763 => text!("Windows 10 1809, Windows Server 2019"),
        19_041 => text!("Windows 10 2004 to 22H2"),
        20_348 => text!("Windows Server 2022, Azure Stack HCI 22H2"),
        22_000 => Text::raw("Windows 11 21H2"),
        22_621 => text!("Windows 11 22H2 and 23H2"),
        25_398 => Text::raw("Windows Server, version 23H2"),
        26_100 => text!("Windows 11 24H2 and 25H2, Windows Server 2025"),
        other => text!("build {build}", build = other),
    }
}

/// The release of a build, where it is known.
pub fn release(build: u32) -> Option<&'static str> {
    Some(match build {
        10_240 => "Windows 10 1507",
        14_393 => "Windows 10 1607, Windows Server 2016",
        17_763 => "Windows 10 1809, Windows Server 2019",
        19_041 => "Windows 10 2004",
        19_042 => "Windows 10 20H2",
        19_043 => "Windows 10 21H1",
        19_044 => "Windows 10 21H2",
        19_045 => "Windows 10 22H2",
        20_348 => "Windows Server 2022, Azure Stack HCI 22H2",
        22_000 => "Windows 11 21H2",
        22_621 => "Windows 11 22H2",
        22_631 => "Windows 11 23H2",
        25_398 => "Windows Server, version 23H2",
        26_100 => "Windows 11 24H2, Windows Server 2025",
        26_200 => "Windows 11 25H2",
        _ => return None,
    })
}

impl Kind {
    /// The name in a table.
    pub fn name(self) -> Text {
        match self {
            Self::Winre => Text::raw("WinRE"),
            Self::SafeOs => Text::raw("Safe OS"),
            Self::Cumulative => Text::raw("Windows"),
            Self::Defender => Text::raw("Defender"),
            Self::Guide => text!("guide"),
        }
    }

    /// What such an update is.
    pub fn meaning(self) -> Text {
        match self {
            Self::Winre => text!(
                "An update of the recovery environment (WinRE): Windows Update puts it into the image of the machine."
            ),
            Self::SafeOs => {
                text!(
                    "A Safe OS Dynamic Update: the new files for the image of the recovery environment (WinRE), for administrators."
                )
            }
            Self::Cumulative => text!("A cumulative update of Windows itself."),
            Self::Defender => {
                text!(
                    "An update of Microsoft Defender. It has nothing to do with WinRE, and fails with the same 0x80070643."
                )
            }
            Self::Guide => text!("Not an update, but a page of Microsoft with instructions."),
        }
    }
}

impl Guide {
    /// The same in a table.
    pub fn name(self) -> Text {
        match self {
            Self::Resize => text!("enlarge the partition by hand"),
            Self::ResizeScript => text!("enlarge the partition by a script"),
            Self::PatchScript => text!("patch the image by a script"),
            Self::Room => text!("room that should be free"),
        }
    }

    /// What the instructions are for.
    pub fn meaning(self) -> Text {
        match self {
            Self::Resize => text!(
                "How to make the recovery partition larger by hand: shrink C:, delete the partition, make a new one. `winrefit plan` does \
                 it without deleting anything."
            ),
            Self::ResizeScript => text!(
                "A script that makes the recovery partition larger, from within Windows, by deleting it and making a new one."
            ),
            Self::PatchScript => {
                text!("A script that adds a Safe OS Dynamic Update to the image in place. It makes no room.")
            }
            Self::Room => {
                text!("How much room a recovery partition should have: 200 MB free since Windows 10 2004.")
            }
        }
    }
}

impl Issue {
    /// What goes wrong.
    pub fn meaning(self) -> Text {
        match self {
            Self::ErrorUntilRestart => text!(
                "0x80070643 was shown where another update waited for a restart, although this one was applied with the restart."
            ),
            Self::WinreMayNotStart => text!("WinRE may not start afterwards."),
            Self::SystemPartition => {
                text!("It fails with 0x800F0922 where the system partition has too little room.")
            }
        }
    }
}

impl Of {
    /// What has the version.
    pub fn name(self) -> Text {
        match self {
            Self::Image => Text::raw("Winre.wim"),
            Self::Bootmenuux => text!("bootmenuux.dll in Winre.wim"),
            Self::Windows => text!("Windows itself"),
        }
    }
}

impl Sureness {
    /// The mark in a table.
    pub fn mark(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// How certain that is.
    pub fn meaning(self) -> Text {
        match self {
            Self::A => text!("Microsoft says so."),
            Self::B => text!("Seen on real machines."),
            Self::C => text!("Reported by others, not confirmed by Microsoft."),
            Self::D => text!("Not certain."),
        }
    }
}

impl Servicing {
    /// How WinRE gets its updates there.
    pub fn meaning(self) -> Text {
        match self {
            Self::Own => text!(
                "WinRE has updates of its own there. Windows Update and WSUS offer them, and only where the recovery environment has \
                 room for them."
            ),
            Self::WithinCumulative => text!(
                "The cumulative updates of Windows bring WinRE with them, since Windows 11 22H2. Where it has too little room they mostly go on \
                 without it, and say so in logs only."
            ),
            Self::Unknown => text!("The table has no update of WinRE for it."),
        }
    }
}

impl Update {
    /// Which Windows it is for; nothing where that is not for one of them.
    pub fn windows_names(&self) -> Text {
        Text::all_of(self.windows.iter().map(|family| family_name(*family)))
    }

    /// Whether it is offered still, in a few words; nothing for what was never offered.
    pub fn state(&self, table: &Table) -> Text {
        let newer = || self.windows.iter().find_map(|build| table.newest_winre(*build));
        let since = self.withdrawn.as_deref();
        match (since, self.replaced_by.as_slice(), self.kind) {
            (Some(since), [], _) => text!("withdrawn {since}", since),
            (Some(since), by, _) => text!("withdrawn {since}, replaced by {by}", since, by = kbs(by)),
            (None, [], Kind::Winre) => match newer() {
                Some(newest) if newest.kb == self.kb => text!("offered, the newest that is known"),
                Some(newest) => text!("{newest} is newer", newest = kb(newest.kb)),
                None => Text::empty(),
            },
            (None, [], _) => Text::empty(),
            (None, by, _) => text!("replaced by {by}", by = kbs(by)),
        }
    }

    /// How a machine gets it.
    pub fn channel(&self) -> Text {
        match self.kind {
            Kind::Winre if self.withdrawn.is_some() => text!(
                "It is no longer offered. While it was, it was offered to machines with too little room as well, and failed there with \
                 0x80070643."
            ),
            Kind::Winre => text!(
                "Windows Update and WSUS offer it; the Microsoft Update Catalog does not have it. It is not offered, and no error shows, \
                 where the recovery partition has too little room, where the image has it already, or where WinRE is disabled."
            ),
            Kind::SafeOs => text!(
                "The Microsoft Update Catalog has it. An administrator adds it to Winre.wim with DISM; it cannot be removed from an image \
                 again."
            ),
            Kind::Cumulative | Kind::Defender => text!("By Windows Update."),
            Kind::Guide => Text::empty(),
        }
    }

    /// What goes wrong with it, and what helps.
    pub fn issue_and_cure(&self) -> Text {
        let Some(issue) = self.issue else {
            return Text::empty();
        };
        let cure = match self.cured_by.as_slice() {
            [] if issue == Issue::ErrorUntilRestart => text!("Restart Windows; nothing has to be repaired."),
            [] => Text::empty(),
            by => text!("{by} cures it.", by = kbs(by)),
        };
        Text::sentences([issue.meaning(), cure])
    }

    /// From which version of the image on it is there.
    pub fn image_words(&self) -> Text {
        self.image.map_or_else(Text::empty, |version| {
            text!(
                "Winre.wim has it from version {version} on. Below that it is missing, whatever the registry says.",
                version = version.to_string()
            )
        })
    }

    /// What it is, in full.
    pub fn meaning(&self) -> Text {
        let guide = self.guide.map_or_else(Text::empty, Guide::meaning);
        let payload = self.payload.map_or_else(Text::empty, |payload| {
            text!(
                "It brings the Safe OS Dynamic Update {payload}.",
                payload = kb(payload)
            )
        });
        Text::sentences([self.kind.meaning(), guide, payload])
    }
}

impl About<'_> {
    /// The Windows that was asked for.
    pub fn title(&self) -> Text {
        match release(self.build) {
            Some(name) => text!("{name} (build {build})", name, build = self.build),
            None => text!("Build {build}, a release that is not known", build = self.build),
        }
    }

    /// Whether it shares its images with other builds.
    pub fn family_words(&self) -> Text {
        if self.updates.is_empty() && self.floors.is_empty() {
            return text!("The table of updates has nothing on this build.");
        }
        let family = self.family;
        // Of these several releases share an image.
        match family {
            19_041 | 22_621 | 26_100 => text!(
                "Its WinRE has versions 10.0.{family}.x, as that of all of {name}.",
                family,
                name = family_name(family)
            ),
            _ => text!("Its WinRE has versions 10.0.{family}.x.", family),
        }
    }
}
