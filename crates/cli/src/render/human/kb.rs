//! The table of updates, one of them, and what concerns a build of Windows.

use super::explain::{Names, heading, row};
use super::page::{MARGIN, Page, Span, Tone, mark};
use crate::output::Screen;
use winrefit_repair::kb::about::{About, FloorOf};
use winrefit_repair::kb::{self, Guide, Sureness, Update};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Columns of `KB5034441`, and of a date.
const KB_COLUMNS: usize = 9;
const DATE_COLUMNS: usize = 10;

/// The whole table.
pub fn table(screen: &Screen) -> String {
    let mut page = Page::new(screen);
    let table = kb::table();
    let mut families: Vec<u32> = Vec::new();
    for family in table.updates.iter().flat_map(|update| &update.windows) {
        if !families.contains(family) {
            families.push(*family);
        }
    }
    for family in families {
        heading(&mut page, &kb::family_name(family));
        rows(&mut page, table.for_build(family));
    }
    heading(&mut page, &text!("Not for one Windows alone"));
    let others = table.updates.iter().filter(|update| update.windows.is_empty());
    rows(&mut page, others);
    legend(&mut page);
    page.render(screen)
}

fn rows<'u>(page: &mut Page, updates: impl Iterator<Item = &'u Update>) {
    let all = kb::table().updates.iter();
    let kind = |page: &Page, update: &Update| page.span(update.kind.name(), Tone::Plain);
    let kind_columns = all.map(|update| kind(page, update).width()).max().unwrap_or(0);
    for update in updates {
        let kind = kind(page, update);
        let padding = " ".repeat(kind_columns.saturating_sub(kind.width()) + 2);
        let number = kb::kb(update.kb).to_string();
        let released = update.released.as_deref().unwrap_or("");
        let lead = vec![
            Span::new(format!("{number:<KB_COLUMNS$}  "), Tone::Plain),
            Span::new(format!("{released:<DATE_COLUMNS$}  "), Tone::Quiet),
            kind,
            Span::new(padding, Tone::Plain),
            Span::new(format!("{}  ", update.confidence.mark()), Tone::Quiet),
        ];
        row(page, lead, &row_words(update), Tone::Plain);
    }
}

/// What is to be said of an update in a row of a table.
fn row_words(update: &Update) -> Text {
    let image = update.image.map_or_else(Text::empty, |version| {
        text!("image {version}", version = version.to_string())
    });
    let fixes = match update.fixes.as_slice() {
        [] => Text::empty(),
        fixes => text!("fixes {fixes}", fixes = Text::all_of(fixes.iter().map(Text::raw))),
    };
    let known = if update.issue.is_some() {
        text!("known issue")
    } else {
        Text::empty()
    };
    let guide = update.guide.map_or_else(Text::empty, Guide::name);
    let words = [guide, image, fixes, update.state(kb::table()), known];
    Text::listed(words.into_iter().filter(|words| !words.is_empty()))
}

fn legend(page: &mut Page) {
    page.blank();
    for sureness in [Sureness::A, Sureness::B, Sureness::C, Sureness::D] {
        let lead = vec![Span::new(format!("{}  ", sureness.mark()), Tone::Quiet)];
        page.hanging(MARGIN, lead, sureness.meaning(), Tone::Quiet);
    }
}

/// All that is known of an update.
pub fn update(update: &Update, screen: &Screen) -> String {
    let mut page = Page::new(screen);
    page.paragraph(MARGIN, kb::kb(update.kb), Tone::Strong);
    page.paragraph(MARGIN, update.meaning(), Tone::Plain);
    page.blank();
    let released = update.released.as_ref().map_or_else(Text::empty, Text::raw);
    let entries = [
        (text!("For"), update.windows_names()),
        (text!("Released"), released),
        (text!("State"), update.state(kb::table())),
        (text!("Fixes"), Text::all_of(update.fixes.iter().map(Text::raw))),
        (text!("Image"), update.image_words()),
        (text!("Offered"), update.channel()),
        (text!("Issue"), update.issue_and_cure()),
        (text!("Known from"), update.confidence.meaning()),
    ];
    let names = Names::new(&page, &entries.each_ref().map(|(name, _)| name.clone()));
    for (name, words) in &entries {
        names.entry(&mut page, name, words);
    }
    page.render(screen)
}

/// What concerns a build of Windows.
pub fn build(about: &About<'_>, screen: &Screen) -> String {
    let mut page = Page::new(screen);
    page.paragraph(MARGIN, about.title(), Tone::Strong);
    page.paragraph(MARGIN, about.family_words(), Tone::Plain);
    page.blank();
    let newest = about.newest_winre_kb.map_or_else(Text::empty, |newest| {
        let released = kb::table()
            .update(newest)
            .and_then(|update| update.released.as_ref());
        match released {
            Some(date) => text!("{newest} of {date}", newest = kb::kb(newest), date),
            None => kb::kb(newest),
        }
    });
    let [updates, latest, needed] = [text!("Updates"), text!("Newest"), text!("Needed")];
    let names = Names::new(&page, &[updates.clone(), latest.clone(), needed.clone()]);
    names.entry(&mut page, &updates, &about.servicing.meaning());
    names.entry(&mut page, &latest, &newest);
    for (at, floor) in about.floors.iter().enumerate() {
        let name = if at == 0 { needed.clone() } else { Text::empty() };
        names.marked(&mut page, &name, floor.met.map(mark), &floor_words(floor, about));
    }
    if let Some(version) = about.version {
        page.blank();
        let words = text!(
            "Version {version} is taken for that of the file named. The build of Windows is not the version of its WinRE \
             image, which may be much older: `winrefit diagnose` shows that of a disk.",
            version = version.to_string()
        );
        page.paragraph(MARGIN, words, Tone::Caution);
    }
    if !about.updates.is_empty() {
        heading(&mut page, &text!("Updates that are known"));
        rows(&mut page, about.updates.iter().copied());
        legend(&mut page);
    }
    page.render(screen)
}

/// A version that has something closed, and what that says of the version that was asked for.
fn floor_words(floor: &FloorOf<'_>, about: &About<'_>) -> Text {
    let (cve, of) = (floor.cve, floor.of.name());
    let version = floor.version.to_string();
    let named = about
        .version
        .map(|version| version.to_string())
        .unwrap_or_default();
    match floor.met {
        None => text!(
            "{of} has {cve} closed from version {version} on.",
            of,
            cve,
            version
        ),
        Some(true) => text!(
            "{of} has {cve} closed from version {version} on. If that file is of version {named}, it is closed there.",
            of,
            cve,
            version,
            named
        ),
        Some(false) => text!(
            "{of} has {cve} closed from version {version} on. If that file is of version {named}, it is open there.",
            of,
            cve,
            version,
            named
        ),
    }
}
