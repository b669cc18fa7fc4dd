//! What Windows shows and writes down when updates fail, and the vulnerabilities that it is about.

use super::Kind::WindowsCode;
use super::others::mend_store;
use super::winre::plan_and_fix;
use super::{Known, Words, machines, microsoft, on_disk, reports};
use crate::text;
use crate::text::Text;

/// The page of Microsoft that explains most codes of updates.
const MITIGATION: &str = "Windows Update common errors and mitigation";
/// The pages of Microsoft on the update that failed.
const KB5034441: &str = "KB5034441, KB5028997";

/// What several codes of a damaged store have in common.
fn store_damaged(title: Text) -> Words {
    Words {
        title,
        means: text!(
            "Servicing did not find what it needs in the component store of Windows (WinSxS). Updates fail until it is mended. This has \
             nothing to do with the size of the recovery partition."
        ),
        causes: vec![text!(
            "An update that was cut off, errors of the disk, or programs that clean up Windows."
        )],
        next: mend_store(),
        sources: vec![microsoft(MITIGATION)],
    }
}

pub(super) const ALL: &[Known] = &[
    Known::new("0x80070643", &[WindowsCode], || Words {
        title: text!("An update failed, and its installer does not say why (ERROR_INSTALL_FAILURE)"),
        means: text!(
            "It is Win32 1603, \"fatal error during installation\", and Windows Update shows it for every kind of installer. For an \
             update of WinRE it is the wrong code: meant is 0x800F0828, too little room."
        ),
        causes: vec![
            text!("An update of WinRE, and less than 250 MiB free in the recovery partition."),
            text!("An update of WinRE, and a restart that waits (April 2025). The error goes away with it."),
            text!("An update of .NET Framework, Microsoft Defender, SQL Server or Office, or another package of Windows Installer."),
        ],
        next: vec![
            text!("Look at the title of the update that failed: does it say Windows Recovery Environment, or is its number in `winrefit kb`?"),
            text!("Restart Windows, if it waits for that."),
            text!("`winrefit diagnose` on the disk tells the causes apart. If it is room, `winrefit plan` and `winrefit fix` make it."),
            text!("Beware of sites that offer a repair program for this code: some of them spread malware."),
        ],
        sources: vec![microsoft(KB5034441), microsoft(MITIGATION), on_disk()],
    }),
    Known::new("0x800F0828", &[WindowsCode], || Words {
        title: text!("Too little room for servicing (CBS_E_INSUFFICIENT_DISK_SPACE)"),
        means: text!(
            "The code that an update of WinRE should have shown instead of 0x80070643. It stands in CBS.log, or in event 4502 of \
             WinREAgent."
        ),
        causes: vec![text!("Less than 250 MiB are free where WinRE lies; for an update of Windows, too little on C:.")],
        next: plan_and_fix(),
        sources: vec![microsoft(KB5034441), machines()],
    }),
    Known::new("0x800F0922", &[WindowsCode], || Words {
        title: text!("An update could not be completed while Windows started (CBS_E_INSTALLERS_FAILED)"),
        means: text!(
            "A part of the update failed at the restart and all was taken back. It is another disease than 0x80070643: a larger recovery \
             partition does not help."
        ),
        causes: vec![
            text!("The system partition (EFI, or System Reserved) has no room for new boot files; KB5089549 of May 2026 is known for it."),
            text!("A folder C:\\$WinREAgent was left behind by a migration."),
            text!("A scheduled task is damaged, on Windows Server 2016 for example. CBS.log names it."),
        ],
        next: vec![
            text!("`winrefit diagnose` shows the size of the system partition and a folder that was left behind."),
            text!("Give the partition a letter (`mountvol S: /s`) and remove old fonts and firmware files; look for updates."),
            text!("Else look at Logs\\CBS\\CBS.log in the Windows folder, at the last error before the code."),
        ],
        sources: vec![microsoft("Error 0x800f0922 when installing Windows updates"), reports()],
    }),
    Known::new("0x800F0823", &[WindowsCode], || Words {
        title: text!("A package needs a newer servicing stack (CBS_E_NEW_SERVICING_STACK_REQUIRED)"),
        means: text!("The part of Windows that installs updates is older than the package allows: in Windows, or in a WinRE image."),
        causes: vec![text!("A cumulative update was added to Winre.wim by hand, without the servicing stack update before it.")],
        next: vec![
            text!("Add the servicing stack update of the same month first, then the package."),
            text!("Into a WinRE image put the Safe OS Dynamic Update: it is meant for that, is small, and needs nothing before it."),
        ],
        sources: vec![microsoft("Windows Update error code 0x800f0823"), reports()],
    }),
    Known::new("0x800F081F", &[WindowsCode], || {
        store_damaged(text!("A source file was not found (CBS_E_SOURCE_MISSING)"))
    }),
    Known::new("0x800F0831", &[WindowsCode], || {
        store_damaged(text!("The component store is damaged (CBS_E_STORE_CORRUPTION)"))
    }),
    Known::new("0x80073701", &[WindowsCode], || {
        store_damaged(text!("An assembly is missing (ERROR_SXS_ASSEMBLY_MISSING)"))
    }),
    Known::new("0x80073712", &[WindowsCode], || {
        store_damaged(text!("The component store is damaged (ERROR_SXS_COMPONENT_STORE_CORRUPT)"))
    }),
    Known::new("0x80070422", &[WindowsCode], || Words {
        title: text!("A service is disabled (ERROR_SERVICE_DISABLED)"),
        means: text!("Windows Update, or a service that it needs, is switched off or does not run."),
        causes: vec![text!("A tool that promises to speed up Windows, a policy, or a script.")],
        next: vec![
            text!("`winrefit diagnose` names services that are switched off."),
            text!("Set them back to what Windows has by default, in services.msc, and look for updates."),
        ],
        sources: vec![microsoft(MITIGATION)],
    }),
    Known::new("0x80070070", &[WindowsCode], || Words {
        title: text!("A volume is full (ERROR_DISK_FULL)"),
        means: text!("It is Win32 112: there was no room for a file. reagentc and DISM show the same as 70 and 112."),
        causes: vec![
            text!("C: is full, for an update of Windows."),
            text!("Winre.wim was changed in place on its partition and did not fit any more."),
        ],
        next: vec![
            text!("Free space on C:."),
            text!("If it is the recovery partition: `winrefit plan` shows how room can be made."),
        ],
        sources: vec![microsoft("System error codes"), reports()],
    })
    .also(&["error-112", "112", "win32-112"]),
    Known::new("0x80240034", &[WindowsCode], || Words {
        title: text!("An update was not downloaded (WU_E_DOWNLOAD_FAILED)"),
        means: text!("It never came to installing it, so nothing can be said of WinRE."),
        causes: vec![text!("The connection, a proxy, or an update server of the company.")],
        next: vec![text!("Look for updates again, with another connection if there is one.")],
        sources: vec![microsoft("Windows Update error code list")],
    }),
    Known::new("Win32 1603", &[WindowsCode], || Words {
        title: text!("Fatal error during installation (ERROR_INSTALL_FAILURE)"),
        means: text!("Windows Installer ends with it whatever went wrong. As an HRESULT it is 0x80070643."),
        causes: vec![
            text!("Missing rights, a full disk, a restart that waits, or a program that is in use."),
            text!("A damaged registration of the product, or a source that is missing."),
        ],
        next: vec![
            text!("Look in the Application log for events of MsiInstaller at that time: they name the product."),
            text!("Install it by hand with a log (`msiexec /i PACKAGE /l*v LOG`) and look for \"return value 3\" in it."),
            text!("The troubleshooter for installing and removing programs mends registrations."),
        ],
        sources: vec![microsoft("Windows Installer error 1603")],
    })
    .also(&["1603", "error-1603"]),
    Known::new("event 4500", &[WindowsCode], || Words {
        title: text!("Servicing of WinRE starts (WinREAgent)"),
        means: text!("Windows begins to build a new image in C:\\$WinREAgent. If no other of these events follows, it did not end."),
        causes: Vec::new(),
        next: vec![text!("Look for an event 4501 to 4504 after it.")],
        sources: event_log(),
    }),
    Known::new("event 4501", &[WindowsCode], || Words {
        title: text!("Servicing of WinRE succeeded (WinREAgent)"),
        means: text!("The event gives the version that the image has now."),
        causes: Vec::new(),
        next: vec![text!("Nothing. `winrefit diagnose` compares the version with the image itself.")],
        sources: event_log(),
    }),
    Known::new("event 4502", &[WindowsCode], || Words {
        title: text!("Servicing of WinRE failed (WinREAgent)"),
        means: text!(
            "The event gives a phase and a code. Phase 2 means too little room for the update; no other phase is documented. That \
             there is no such event proves nothing: logs roll over."
        ),
        causes: vec![text!("In phase 2: less than 250 MiB free where WinRE lies.")],
        next: [text!("Open the event in Event Viewer (Windows Logs, System) and look at ErrorPhase.")]
            .into_iter()
            .chain(plan_and_fix())
            .collect(),
        sources: vec![microsoft(KB5034441), machines()],
    }),
    Known::new("event 4503", &[WindowsCode], || Words {
        title: text!("Servicing of WinRE was cancelled (WinREAgent)"),
        means: text!("The image is the old one."),
        causes: Vec::new(),
        next: vec![text!("Restart Windows and look for updates.")],
        sources: event_log(),
    }),
    Known::new("event 4504", &[WindowsCode], || Words {
        title: text!("Servicing of WinRE was taken back (WinREAgent)"),
        means: text!("Windows put back what it had changed; the image is the old one."),
        causes: Vec::new(),
        next: vec![text!("Look for an event 4502 before it, then restart Windows and look for updates.")],
        sources: event_log(),
    }),
    Known::new("event 20", &[WindowsCode], || Words {
        title: text!("An update failed to install (WindowsUpdateClient)"),
        means: text!("The event gives the code and the title of the update, with its number. 19 is a success, 43 that it began."),
        causes: Vec::new(),
        next: vec![text!("Look up the code with `winrefit explain` and the number with `winrefit kb`.")],
        sources: event_log(),
    }),
    Known::new("event 259", &[WindowsCode], || Words {
        title: text!("How far a volume can be shrunk (Defrag)"),
        means: text!(
            "Disk Management or diskpart looked how much a volume can give. The event names the last file that Windows does not move \
             out of the way, and where it lies."
        ),
        causes: vec![text!("$MFT, $LogFile, the page file, shadow copies or another file that is fixed while Windows runs.")],
        next: vec![text!("Windows cannot move it while it runs. winrefit moves most of them, on a disk that no Windows uses.")],
        sources: vec![machines()],
    }),
    Known::new("ErrorPhase 2", &[WindowsCode], || Words {
        title: text!("Servicing of WinRE failed for want of room"),
        means: text!("A value in event 4502 of WinREAgent, and the only phase that Microsoft explains: the partition with WinRE has too little room."),
        causes: vec![text!("Less than 250 MiB are free there.")],
        next: plan_and_fix(),
        sources: vec![microsoft(KB5034441)],
    }),
    Known::new("CVE-2024-20666", &[WindowsCode], || Words {
        title: text!("A way around BitLocker through the recovery environment (January 2024)"),
        means: text!(
            "Somebody who has the machine in hand gets at encrypted data through an old WinRE. It is closed in the image and not in \
             Windows: an image below the version that `winrefit kb` lists stays open however new Windows is."
        ),
        causes: vec![text!("The update of WinRE failed, or was never offered, because the recovery partition has too little room.")],
        next: plan_and_fix()
            .into_iter()
            .chain([text!("Let Windows Update install the newest update of WinRE, and look at the version again.")])
            .collect(),
        sources: vec![microsoft("CVE-2024-20666"), machines()],
    }),
    Known::new("CVE-2022-41099", &[WindowsCode], || Words {
        title: text!("A way around BitLocker through the recovery environment (November 2022)"),
        means: text!(
            "As CVE-2024-20666, and older. Microsoft's script closes it by adding a Safe OS Dynamic Update to the image, and goes by the \
             version of bootmenuux.dll in it."
        ),
        causes: vec![text!("The image is older than November 2022 and was not patched.")],
        next: vec![
            text!("Install the newest update of WinRE, which closes both; make room first, if there is too little."),
            text!("To patch an image by hand: PatchWinREScript of KB5025175."),
        ],
        sources: vec![microsoft("KB5025175")],
    }),
];

/// Where the meaning of events is known from.
fn event_log() -> Vec<Text> {
    vec![
        text!("the description of the events in Windows itself"),
        machines(),
    ]
}
