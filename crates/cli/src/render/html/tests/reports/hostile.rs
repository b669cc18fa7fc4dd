//! A report whose every string wants to be more than that.

use super::{everything, explained};
use winrefit_repair::explain::Explained;
use winrefit_repair::report::Report;
use winrefit_repair::text::Text;

const EVIL: &str = "<script>alert(1)</script>\"'&\u{202e}\0\u{85}\u{ffff}`<b>`";

fn evil() -> String {
    EVIL.to_owned()
}

fn said() -> Text {
    Text::raw(EVIL)
}

fn bad() -> Explained {
    explained(EVIL, EVIL, EVIL)
}

/// Every string is one that nobody wants on a page.
pub fn hostile() -> Report {
    let mut report = everything();
    report.target = evil();
    of_the_disk(&mut report);
    of_records(&mut report);
    report.refusal.as_mut().unwrap().explained = bad();
    let plan = report.plan.as_mut().unwrap();
    (plan.summary, plan.undo, plan.journal_place) = (said(), said(), Some(said()));
    for list in [&mut plan.steps, &mut plan.untouched, &mut plan.afterwards] {
        *list = vec![said(), said()];
    }
    plan.dropped_shadow_copies[0].text = said();
    for item in &mut report.verification {
        (item.what, item.detail) = (said(), said());
    }
    let problem = &mut report.checks[0].problems[0];
    (problem.text, problem.path, problem.attribute) = (said(), Some(evil()), Some(evil()));
    let journal = report.journal.as_mut().unwrap();
    (journal.memo, journal.place, journal.text) = (said(), said(), said());
    report
}

fn of_the_disk(report: &mut Report) {
    let disk = report.disk.as_mut().unwrap();
    (disk.disk_guid, disk.disk_signature) = (Some(evil()), Some(evil()));
    for partition in &mut disk.partitions {
        partition.type_guid = evil();
        (partition.unique_guid, partition.attributes) = (Some(evil()), Some(evil()));
        (partition.name, partition.label) = (evil(), Some(evil()));
        partition.roles.retain(|role| *role == "windows");
    }
    for image in disk
        .partitions
        .iter_mut()
        .flat_map(|p| &mut p.images)
        .chain(&mut report.recovery.as_mut().unwrap().image)
    {
        image.path = evil();
        (image.version, image.architecture, image.modified) = (Some(evil()), Some(evil()), Some(evil()));
    }
    let recovery = report.recovery.as_mut().unwrap();
    recovery
        .rules
        .iter_mut()
        .for_each(|rule| rule.arithmetic = said());
    recovery
        .usage
        .as_mut()
        .unwrap()
        .files
        .iter_mut()
        .for_each(|file| file.path = evil());
}

fn of_records(report: &mut Report) {
    for windows in &mut report.windows {
        (windows.product, windows.display_version, windows.build) =
            (Some(evil()), Some(evil()), Some(evil()));
        let registry = windows.registry.as_mut().unwrap();
        (registry.computer_name, registry.edition) = (Some(evil()), Some(evil()));
        (registry.installation_type, registry.winre_version) = (Some(evil()), Some(evil()));
        registry.setup_state = Some(evil());
        (registry.winre_packages, registry.programs) = (vec![evil()], vec![evil()]);
        registry
            .services
            .iter_mut()
            .for_each(|service| service.start = evil());
    }
    for finding in &mut report.findings {
        finding.explained = bad();
        for evidence in &mut finding.evidence {
            (evidence.source, evidence.value, evidence.time) = (said(), said(), Some(evil()));
        }
    }
    for (index, entry) in report.timeline.iter_mut().enumerate() {
        (entry.source, entry.what) = (said(), said());
        if index % 2 == 0 {
            entry.time = evil();
        }
    }
    for source in &mut report.sources {
        (source.path, source.detail) = (evil(), said());
    }
}
