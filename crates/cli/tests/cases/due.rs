//! What each case has to come to, and which stories of failure are told by the layout of a disk.

/// What is due of one case.
pub struct Due {
    pub profile: &'static str,
    pub verdict: &'static str,
    /// All codes, in any order.
    pub findings: &'static [&'static str],
}

const fn repair(profile: &'static str, findings: &'static [&'static str]) -> Due {
    due(profile, "needs-repair", findings)
}

const fn attention(profile: &'static str, findings: &'static [&'static str]) -> Due {
    due(profile, "attention", findings)
}

const fn healthy(profile: &'static str, findings: &'static [&'static str]) -> Due {
    due(profile, "healthy", findings)
}

const fn due(profile: &'static str, verdict: &'static str, findings: &'static [&'static str]) -> Due {
    Due {
        profile,
        verdict,
        findings,
    }
}

const TOO_SMALL: &str = "re-too-small";
const FOR_SPACE: &str = "re-update-fails-for-space";
const OPEN: &str = "winre-image-vulnerable";
const FAILS: &[&str] = &[TOO_SMALL, FOR_SPACE, OPEN];

/// Every case of the lab.
pub const CASES: &[Due] = &[
    repair("case-kb5034441", FAILS),
    repair("case-kb5034441-german", FAILS),
    repair("case-kb5034441-chinese", FAILS),
    repair("case-kb5034439", FAILS),
    repair("case-kb5034440", FAILS),
    repair("case-kb5048239", FAILS),
    repair("case-kb5120221", FAILS),
    repair("case-unknown-kb", FAILS),
    repair("case-no-agent-event", FAILS),
    repair(
        "case-4500-without-end",
        &[TOO_SMALL, "winre-servicing-unfinished", OPEN],
    ),
    repair("case-4503", &[TOO_SMALL, "winre-servicing-unfinished", OPEN]),
    repair(
        "case-4504",
        &[TOO_SMALL, FOR_SPACE, "winre-servicing-unfinished", OPEN],
    ),
    repair("case-0x800f0828", FAILS),
    repair("case-large-cbs-log", FAILS),
    repair("case-not-offered", &[TOO_SMALL, "re-update-not-offered", OPEN]),
    repair("case-windows11-23h2", &[TOO_SMALL, FOR_SPACE]),
    repair("case-setup-refused", &[TOO_SMALL, OPEN]),
    repair(
        "case-enable-failed",
        &[
            TOO_SMALL,
            "winre-placement-failed",
            "re-update-failed-unmeasured",
            "winre-disabled",
            "re-empty",
            OPEN,
        ],
    ),
    repair(
        "case-two-diseases",
        &[TOO_SMALL, FOR_SPACE, OPEN, "net-framework-update-fails"],
    ),
    repair("case-shrink-tried", FAILS),
    healthy("case-repaired-since", &["re-update-made-good"]),
    attention("case-room-now", &[OPEN, "re-update-failed-before-room"]),
    attention("case-false-error", &["re-update-error-until-restart"]),
    attention("case-false-error-pending", &["re-update-error-until-restart"]),
    healthy("case-false-error-over", &["re-update-made-good"]),
    attention("case-other-phase", &["winre-servicing-failed", OPEN]),
    attention("case-server-core", &["re-update-fails-otherwise", OPEN]),
    attention("case-old-image", &[OPEN]),
    attention("case-forged-version", &[OPEN, "winre-version-forged"]),
    healthy("case-version-missing", &[]),
    attention("case-contradiction", &[OPEN, "records-contradict"]),
    attention("case-patch-script", &[OPEN, "patch-script-claims-success"]),
    attention(
        "case-image-in-backup",
        &["winre-image-gone", "winre-in-temporary-folder", OPEN],
    ),
    attention("case-leftover-folder", &["winreagent-left-over"]),
    attention("case-kb5068164", &["winre-may-not-start"]),
    healthy("case-kb5075039", &[]),
    attention(
        "case-audit-mode",
        &["winre-disabled", "re-empty", "setup-not-finished", OPEN],
    ),
    attention(
        "case-oobe",
        &["winre-disabled", "re-empty", "setup-not-finished", OPEN],
    ),
    attention("case-dotnet", &["net-framework-update-fails"]),
    attention("case-defender-platform", &["defender-update-fails"]),
    healthy("case-defender-signatures", &[]),
    attention("case-security-platform", &["defender-update-fails"]),
    attention("case-sql-server", &["sql-server-update-fails"]),
    attention("case-office", &["office-update-fails"]),
    attention("case-antivirus", &["defender-update-fails", "antivirus-present"]),
    attention("case-controlled-folders", &["net-framework-update-fails"]),
    attention("case-component-store", &["component-store-damaged"]),
    attention("case-small-esp", &["system-partition-small"]),
    repair("case-update-service-disabled", &["update-service-disabled"]),
    repair("case-optimiser", &["update-service-disabled"]),
    healthy("case-shrink-services-disabled", &["volume-service-disabled"]),
    attention("case-dirty-software", &["re-update-error-until-restart"]),
    repair(
        "case-dirty-system",
        &[TOO_SMALL, FOR_SPACE, OPEN, "update-service-disabled"],
    ),
    repair(
        "case-no-system-hive",
        &[TOO_SMALL, FOR_SPACE, OPEN, "records-incomplete"],
    ),
    repair(
        "case-truncated-log",
        &[TOO_SMALL, FOR_SPACE, OPEN, "records-incomplete"],
    ),
    repair("case-no-log", &[TOO_SMALL, FOR_SPACE, OPEN, "records-incomplete"]),
    repair("case-dirty-log", FAILS),
    repair(
        "case-network-error",
        &[TOO_SMALL, "re-update-fails-otherwise", OPEN],
    ),
    repair("case-unknown-kb-german", FAILS),
    attention("case-silent-failure", &["re-update-failed-before-room"]),
    healthy("case-staged", &["restart-pending"]),
];

/// Stories of failure, and the disk of the lab that has their layout.
pub const STORIES: &[(&str, &str)] = &[
    (
        "A freshly installed Windows fails on its first day: Setup made the partition too small",
        "server2022",
    ),
    (
        "The recovery partition lies left of C:, as Setup laid it out until 2020, and cannot grow",
        "win10-old-order",
    ),
    ("The same on a BIOS computer", "mbr-re-first"),
    (
        "WinRE went to C: without a word, because the partition was too small for it",
        "winre-on-c",
    ),
    (
        "An unused recovery partition and WinRE elsewhere: an image that nobody refers to",
        "winre-image-elsewhere",
    ),
    (
        "The recovery partition was deleted by hand, and the image with it",
        "winre-missing",
    ),
    (
        "The wrong one of two recovery partitions was taken for the active one",
        "boot-store-disagrees",
    ),
    (
        "Old recovery partitions were left behind by upgrades",
        "leftover-between",
    ),
    (
        "`reagentc /setreimage` left WinRE bound to a temporary folder",
        "winre-in-backup",
    ),
    (
        "C: is encrypted, so nothing can be changed from outside",
        "bitlocker",
    ),
    ("VeraCrypt hides the volume", "foreign-boot-sector"),
    (
        "The recovery partition behind C: keeps a virtual disk from growing",
        "gap-behind",
    ),
    (
        "A dirty volume cannot be resized, and a script went on nevertheless",
        "dirty",
    ),
    (
        "C: cannot be shrunk although it has space: something unmovable lies at its end",
        "full-tail",
    ),
    ("Shadow copies lie where C: would be shrunk", "shadow-copies"),
    (
        "Windows was not shut down but put to sleep (Fast Startup)",
        "fast-startup",
    ),
    (
        "The last partition ends in the space that tools keep free at the end",
        "ends-in-reserve",
    ),
    (
        "Four primary partitions are in use, so nothing can be created",
        "mbr-full",
    ),
    (
        "WinRE sits in the active System Reserved partition",
        "mbr-winre-in-system-reserved",
    ),
    (
        "A computer maker's factory image has the recovery type",
        "re-over-2gib",
    ),
    (
        "A data partition stands between C: and the recovery partition",
        "data-between",
    ),
    ("A Linux partition stands right behind C:", "linux-between"),
    (
        "A dynamic disk, whose partitions are not what they seem",
        "dynamic-disk",
    ),
    ("The image was built without WinRE", "no-re"),
];
