//! What a report says of a reset of Windows Update.

use crate::plan::{Plan, Step};
use crate::records::services::{AUTOMATIC, DISABLED, MANUAL};
use crate::reset::Start;
use crate::text;
use crate::text::Text;

/// What is done, and what people will miss.
pub(super) fn summary(plan: &Plan) -> Text {
    let number = plan.changed_partitions().first().copied().unwrap_or_default();
    let (folders, services) = (renames(plan), starts(plan));
    if !folders && !services {
        return text!("There is nothing of Windows Update to reset.");
    }
    let folders = folders.then(|| {
        Text::sentences([
            text!(
                "What Windows Update has stored on partition {number} is put aside: Windows makes its folders anew at its next \
                 start.",
                number
            ),
            text!("The view of the update history is empty then, until this is undone; no update is removed."),
        ])
    });
    let services = services.then(|| {
        text!(
            "Services that updates need and that are disabled in the Windows on partition {number} start again as Windows \
             sets them.",
            number
        )
    });
    Text::sentences(folders.into_iter().chain(services))
}

pub(super) fn untouched(plan: &Plan) -> Vec<Text> {
    let folders = text!("Every file in the folders that are renamed, and every other name beside them");
    let services = text!("All else in the registry; the time of its last change, too");
    let both = [(renames(plan), folders), (starts(plan), services)];
    both.into_iter()
        .filter_map(|(is_due, words)| is_due.then_some(words))
        .collect()
}

pub(super) fn afterwards(plan: &Plan) -> Vec<Text> {
    let start = text!("Start Windows and let Windows Update look for updates.");
    let aside = plan.steps.iter().filter_map(|step| match step {
        Step::RenameFolder { folder, to, .. } => Some(Text::raw(format!(r"{folder}\{to}"))),
        _ => None,
    });
    let aside: Vec<Text> = aside.collect();
    if aside.is_empty() {
        return vec![start];
    }
    let delete = text!(
        "Once they install, what was put aside can be deleted: {folders}. It may take some GiB.",
        folders = Text::listed(aside)
    );
    vec![Text::sentences([start, delete])]
}

/// The way back ends when Windows starts.
pub(super) fn undo_in_time() -> Text {
    text!(
        "That is: until Windows starts from this disk, since it then writes to the same directories and to its registry."
    )
}

/// Services that are not what Windows sets, and stay so.
pub(in crate::commands) fn told(services: &[Start]) -> Option<Text> {
    let differ = services
        .iter()
        .filter(|service| service.start != DISABLED && !service.is_usual());
    let words: Vec<Text> = differ
        .map(|service| {
            let name = service.known.name;
            match service.start {
                AUTOMATIC => text!("{name} (automatic)", name),
                MANUAL => text!("{name} (manual)", name),
                start => text!("{name} (Start = {start})", name, start),
            }
        })
        .collect();
    (!words.is_empty()).then(|| {
        text!(
            "Services that start otherwise than Windows sets them, but do start: {services}",
            services = Text::listed(words)
        )
    })
}

fn renames(plan: &Plan) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| matches!(step, Step::RenameFolder { .. }))
}

fn starts(plan: &Plan) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| matches!(step, Step::SetServiceStart { .. }))
}
