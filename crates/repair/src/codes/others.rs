//! Findings on other updates that fail, and on what Windows is set to.

use super::Kind::Finding;
use super::{Known, Words, microsoft, on_disk, reports};
use crate::text;
use crate::text::Text;

/// The page of Microsoft that most of these rest on.
const MITIGATION: &str = "Windows Update common errors and mitigation";

/// What all of these have in common.
fn not_winre() -> Text {
    text!("It has nothing to do with WinRE, and a larger recovery partition does not help.")
}

pub(super) const ALL: &[Known] = &[
    Known::new("net-framework-update-fails", &[Finding], || Words {
        title: text!("An update of .NET Framework fails"),
        means: Text::sentences([
            text!("The update failed with 0x80070643, which says only that its installer failed."),
            not_winre(),
        ]),
        causes: vec![text!(
            "The registration of .NET Framework or of its patches is damaged."
        )],
        next: vec![
            text!("Run Microsoft's .NET Framework Repair Tool."),
            text!(
                "Then the troubleshooter for installing and removing programs, which mends registrations of patches."
            ),
            text!("Last, remove .NET Framework and install it anew."),
        ],
        sources: vec![microsoft(".NET Framework Repair Tool"), on_disk()],
    }),
    Known::new("defender-update-fails", &[Finding], || Words {
        title: text!("An update of Microsoft Defender fails"),
        means: Text::sentences([
            text!(
                "Its platform or its signatures (KB4052623, KB2267602, KB5005292, KB5007651) failed to install."
            ),
            not_winre(),
        ]),
        causes: vec![
            text!("It was busy with another update of itself, which passes."),
            text!("Remains of another antivirus program are in its way."),
        ],
        next: vec![
            text!("Wait for a day: it often passes."),
            text!("`MpCmdRun -removedefinitions -all`, then `MpCmdRun -signatureupdate`, as administrator."),
            text!("Install the platform package by hand; remove what is left of other antivirus programs."),
        ],
        sources: vec![microsoft("update pages of Defender"), reports()],
    }),
    Known::new("sql-server-update-fails", &[Finding], || Words {
        title: text!("An update of SQL Server fails"),
        means: Text::sentences([
            text!("Its setup ended with an error, which Windows Update shows as 0x80070643."),
            not_winre(),
        ]),
        causes: vec![text!(
            "Files are missing from the Windows Installer cache, or an instance cannot be updated."
        )],
        next: vec![
            text!("Look at Summary.txt in the folder Setup Bootstrap\\Log of SQL Server."),
            text!("Put missing files of the Windows Installer cache back."),
            text!("Run the package of the update by hand."),
        ],
        sources: vec![
            microsoft("Restore missing Windows Installer cache files (SQL Server)"),
            on_disk(),
        ],
    }),
    Known::new("office-update-fails", &[Finding], || Words {
        title: text!("An update of Office fails"),
        means: Text::sentences([
            text!("Its package ended with an error, which Windows Update shows as 0x80070643."),
            not_winre(),
        ]),
        causes: vec![text!(
            "A program of Office was running, or its installation is damaged."
        )],
        next: vec![
            text!("Close Office and run the package of the update by hand."),
            text!("If it fails, repair Office in Apps and features, and try again."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("installer-fails", &[Finding], || Words {
        title: text!("A package of Windows Installer fails"),
        means: Text::sentences([
            text!("Beside the failed update there is an event of MsiInstaller, which names the product."),
            not_winre(),
        ]),
        causes: vec![
            text!("Rights, a full disk, a restart that waits, or a damaged registration of the product."),
            text!("The source of the product is missing."),
        ],
        next: vec![
            text!("Restart Windows."),
            text!("Install the package by hand with a log: `msiexec /i PACKAGE /l*v LOG`."),
            text!("The troubleshooter for installing and removing programs mends registrations."),
        ],
        sources: vec![microsoft("Windows Installer error 1603"), on_disk()],
    }),
    Known::new("update-fails", &[Finding], || Words {
        title: text!("An update fails with a code that only says that its installer failed"),
        means: text!(
            "Neither the title nor the records beside it tell what the update belongs to. It is none of WinRE that is known."
        ),
        causes: Vec::new(),
        next: vec![
            text!("Look up the update by its number."),
            text!("Install it by hand from the Microsoft Update Catalog, to see its own error."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("system-partition-small", &[Finding], || Words {
        title: text!("An update of Windows fails, most likely for want of space on the system partition"),
        means: text!(
            "0x800F0922 is another disease than a recovery partition that is too small: boot files did not fit on the partition that \
             the machine starts from. It should have 200 MB; older ones have 100 MB."
        ),
        causes: vec![
            text!("The partition is small, or a computer maker's firmware files fill it."),
            text!("Fonts and languages of the boot manager take room that they are not used for."),
        ],
        next: vec![
            text!("Give it a letter in Windows: `mountvol S: /s`, as administrator."),
            text!(
                "Remove what is not needed: fonts under EFI\\Microsoft\\Boot\\Fonts, old firmware files of the maker."
            ),
            text!("Look for updates again. winrefit does not change that partition."),
        ],
        sources: vec![
            microsoft("UEFI/GPT-based hard drive partitions"),
            reports(),
            on_disk(),
        ],
    }),
    Known::new("winreagent-left-over", &[Finding], || Words {
        title: text!("Servicing of WinRE has left its folder behind"),
        means: text!(
            "Servicing works in C:\\$WinREAgent and removes it when it is done. One that stays takes room; with rights from another \
             disk it is known to make cumulative updates fail with 0x800F0922."
        ),
        causes: vec![text!(
            "Servicing was interrupted, or the disk was migrated to this machine."
        )],
        next: vec![
            text!("Keep Backup\\Winre.wim of it until WinRE works: it may be the last copy."),
            text!("Rename the folder in Windows, and look for updates."),
        ],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("reagent-copy-differs", &[Finding], || Words {
        title: text!("The two copies of ReAgent.xml name different places"),
        means: text!(
            "Windows has its own ReAgent.xml, and one lies beside the image. Windows goes by its own; the other one serves people."
        ),
        causes: vec![text!(
            "The recovery partition was moved or made anew, and only one of the two was told."
        )],
        next: vec![text!(
            "Nothing has to be done. `reagentc /disable` and `reagentc /enable` write both anew."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("winre-placement-failed", &[Finding], || Words {
        title: text!("Windows looked for a place for WinRE and found none"),
        means: text!(
            "ReAgent.log or Setup's log says that no partition could take the image: it has to fit with 52 MiB to spare."
        ),
        causes: vec![
            text!("The recovery partition is too small for the image, or there is none."),
            text!("It is encrypted, or of another type."),
        ],
        next: vec![
            text!("Make room: `winrefit plan`, then `winrefit fix`."),
            text!("Run `reagentc /enable` in Windows, and check the place with `reagentc /info`."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("component-store-damaged", &[Finding], || Words {
        title: text!("The component store of Windows seems to be damaged"),
        means: text!(
            "Servicing did not find files that it needs, or found them changed. Updates fail until they are mended."
        ),
        causes: vec![text!(
            "An update that was cut off, errors of the disk, or programs that clean up Windows."
        )],
        next: mend_store(),
        sources: vec![microsoft(MITIGATION), on_disk()],
    }),
    Known::new("antivirus-present", &[Finding], || Words {
        title: text!("Another antivirus program is installed"),
        means: text!(
            "Such programs can block installers. Whether this one did cannot be told from the disk."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "If updates go on failing, switch it off or remove it for as long as the update takes."
        )],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("update-service-disabled", &[Finding], || Words {
        title: text!("A service that updates need is switched off"),
        means: text!(
            "By default neither Windows Update nor its orchestrator, BITS, the installer or the cryptographic services are disabled. \
             Where one is, updates fail with 0x80070422 or are not looked for."
        ),
        causes: vec![text!(
            "A tool that promises to speed up Windows, a policy, or a script."
        )],
        next: vec![
            text!("If it was meant, updates are managed in another way: ask who manages the machine."),
            text!("Else set the services back to what Windows has by default, in services.msc."),
        ],
        sources: vec![on_disk(), microsoft(MITIGATION)],
    }),
    Known::new("volume-service-disabled", &[Finding], || Words {
        title: text!("A service that Windows needs to shrink volumes is switched off"),
        means: text!(
            "Disk Management, diskpart and Microsoft's scripts fail without it. winrefit does not need it."
        ),
        causes: vec![text!(
            "Somebody, a policy or a program has set it to Disabled; by default it is started when it is needed."
        )],
        next: vec![text!(
            "Nothing for a repair by winrefit; else set it back to Manual in services.msc."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("setup-not-finished", &[Finding], || Words {
        title: text!("Windows Setup has not finished, or Windows is in audit mode"),
        means: text!("Until that is over reagentc refuses with 4c7. WinRE is enabled at the end of Setup."),
        causes: Vec::new(),
        next: vec![text!("Finish Setup, or sysprep; then look again.")],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("restart-pending", &[Finding], || Words {
        title: text!("Windows waits for a restart to finish updates"),
        means: text!("Errors of updates that are shown until then may go away with it."),
        causes: Vec::new(),
        next: vec![text!("Restart Windows before you judge its updates.")],
        sources: vec![on_disk()],
    }),
    Known::new("records-incomplete", &[Finding], || Words {
        title: text!("Records of Windows are missing or damaged"),
        means: text!(
            "Event logs, registry or log files could not be read whole. That nothing was found in them means nothing."
        ),
        causes: vec![text!(
            "They were cleared, rolled over, or cut off with the power; or Windows is still at work in them."
        )],
        next: vec![text!(
            "Take the other findings as they are; look in Event Viewer if Windows starts."
        )],
        sources: vec![on_disk()],
    }),
];

/// What mends the component store.
pub(super) fn mend_store() -> Vec<Text> {
    vec![
        text!("In Windows, as administrator: `dism /online /cleanup-image /restorehealth`."),
        text!("Then `sfc /scannow`, restart, and look for updates."),
    ]
}
