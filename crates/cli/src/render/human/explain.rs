//! Codes in words, and the list of all.

use super::page::{MARGIN, Page, Span, Tone};
use super::typeset::width;
use crate::commands::explain::Answer;
use crate::output::Screen;
use winrefit_repair::codes::{self, Entry, Kind};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Names left of wrapped words, in a column as wide as the widest of them.
pub struct Names {
    columns: usize,
}

impl Names {
    /// A column for these on a page.
    pub fn new(page: &Page, names: &[Text]) -> Self {
        let widest = names
            .iter()
            .map(|name| page.span(name.clone(), Tone::Quiet).width())
            .max();
        Self {
            columns: widest.unwrap_or(0) + 2,
        }
    }

    /// Words beside a name; nothing is shown where there are none.
    pub fn entry(&self, page: &mut Page, name: &Text, words: &Text) {
        self.marked(page, name, None, words);
    }

    /// Words behind a mark, beside a name.
    pub fn marked(&self, page: &mut Page, name: &Text, mark: Option<Span>, words: &Text) {
        if words.is_empty() {
            return;
        }
        let name = page.span(name.clone(), Tone::Quiet);
        let padding = " ".repeat(self.columns.saturating_sub(name.width()));
        let mut lead = vec![name, Span::new(padding, Tone::Quiet)];
        if let Some(mark) = mark {
            lead.extend([mark, Span::new(" ", Tone::Plain)]);
        }
        page.hanging(MARGIN, lead, words.clone(), Tone::Plain);
    }

    /// Several, each behind a mark; one alone needs none.
    fn several(&self, page: &mut Page, name: &Text, items: &[Text], mark: impl Fn(usize) -> String) {
        if let [only] = items {
            return self.entry(page, name, only);
        }
        for (at, item) in items.iter().enumerate() {
            let name = if at == 0 { name.clone() } else { Text::empty() };
            self.marked(page, &name, Some(Span::new(mark(at), Tone::Quiet)), item);
        }
    }
}

/// A heading that may be longer than a narrow page is wide.
pub fn heading(page: &mut Page, words: &Text) {
    page.blank();
    page.paragraph(MARGIN, words.clone(), Tone::Strong);
}

/// A row of a table: a lead, and words beside it, or below it where that leaves them too few columns.
pub fn row(page: &mut Page, lead: Vec<Span>, words: &Text, tone: Tone) {
    const COLUMNS_MIN: usize = 24;
    const INDENT: usize = 4;
    let beside = page
        .inner_width()
        .saturating_sub(lead.iter().map(Span::width).sum());
    if beside >= COLUMNS_MIN || words.is_empty() {
        page.hanging(MARGIN, lead, words.clone(), tone);
    } else {
        page.line(MARGIN, lead);
        page.paragraph(MARGIN + INDENT, words.clone(), tone);
    }
}

/// Codes that were asked for, one after another.
pub fn entries(answers: &[Answer], screen: &Screen) -> String {
    let mut page = Page::new(screen);
    for answer in answers {
        if answer.known.len() > 1 {
            page.blank();
            let several = text!(
                "{asked} may mean {count} things:",
                asked = answer.asked.as_str(),
                count = answer.known.len()
            );
            page.paragraph(MARGIN, several.clone(), Tone::Quiet);
        }
        for known in &answer.known {
            page.blank();
            one(&mut page, &known.entry());
        }
    }
    page.render(screen)
}

fn one(page: &mut Page, entry: &Entry) {
    let kinds = Text::all_of(entry.kinds.iter().map(|kind| kind.name()));
    page.paragraph(MARGIN, entry.title.clone(), Tone::Strong);
    let code = text!("{code} ({kinds})", code = entry.code, kinds);
    page.paragraph(MARGIN, code.clone(), Tone::Quiet);
    page.blank();
    let [means, causes, next, sources] = [text!("Means"), text!("Causes"), text!("Next"), text!("Sources")];
    let names = Names::new(
        page,
        &[means.clone(), causes.clone(), next.clone(), sources.clone()],
    );
    names.entry(page, &means, &entry.means);
    names.several(page, &causes, &entry.causes, |_| "-".to_owned());
    names.several(page, &next, &entry.next, |at| format!("{}.", at + 1));
    names.several(page, &sources, &entry.sources, |_| "-".to_owned());
}

/// All codes by kind. One that is of several kinds stands under the first.
pub fn list(screen: &Screen) -> String {
    let mut page = Page::new(screen);
    let widest = codes::all().map(|known| width(known.code)).max().unwrap_or(0);
    for kind in Kind::ALL {
        heading(&mut page, &kind.heading());
        for known in codes::all().filter(|known| known.kinds.first() == Some(&kind)) {
            let lead = vec![Span::new(format!("{:<widest$}  ", known.code), Tone::Plain)];
            row(&mut page, lead, &known.title(), Tone::Quiet);
        }
    }
    page.render(screen)
}
