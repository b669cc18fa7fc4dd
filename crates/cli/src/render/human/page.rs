//! A page: lines of spans with a tone, composed first and written last. Colour and ASCII are decided when it is
//! written, so that every form of a page has the same layout.

use super::glyphs;
use super::names::{Name, gutter};
use super::typeset;
use crate::language::Language;
use crate::output::Screen;
use anstyle::{AnsiColor, Style};
use winrefit_repair::text::Text;

/// What a piece of text means; colour follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Text.
    #[default]
    Plain,
    /// Headings and the verdict.
    Strong,
    /// Frames, legends, what may be passed over.
    Quiet,
    /// As it has to be.
    Good,
    /// Not as it has to be.
    Bad,
    /// Worth knowing.
    Caution,
    /// Belongs to a Windows volume.
    Windows,
    /// Belongs to the recovery partition.
    Recovery,
    /// Belongs to the firmware's partitions.
    System,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Quiet => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Caution => AnsiColor::Yellow.on_default().bold(),
            Self::Windows => AnsiColor::Cyan.on_default(),
            Self::Recovery => AnsiColor::Magenta.on_default(),
            Self::System => AnsiColor::Blue.on_default(),
        }
    }
}

/// Text with one tone, safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    text: String,
    tone: Tone,
}

impl Span {
    /// `text`, cleaned.
    pub fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self {
            text: typeset::clean(text.as_ref()),
            tone,
        }
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        typeset::width(&self.text)
    }
}

/// Lines to be written.
#[derive(Debug)]
pub struct Page {
    lines: Vec<Vec<Span>>,
    width: usize,
    language: &'static Language,
}

/// Columns left of everything but the headings.
pub const MARGIN: usize = 2;

impl Page {
    /// An empty page for a screen.
    pub fn new(screen: &Screen) -> Self {
        Self {
            lines: Vec::new(),
            width: screen.width,
            language: screen.language,
        }
    }

    /// What it is written in.
    pub fn language(&self) -> &'static Language {
        self.language
    }

    /// Words as a span.
    pub fn span(&self, words: impl Into<Text>, tone: Tone) -> Span {
        Span::new(self.language.say(words), tone)
    }

    /// Columns right of the margin.
    pub fn inner_width(&self) -> usize {
        self.width.saturating_sub(MARGIN)
    }

    /// An empty line, unless there is one or the page is empty.
    pub fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
    }

    /// A line behind `indent` columns, cut at the width of the page.
    pub fn line(&mut self, indent: usize, spans: impl IntoIterator<Item = Span>) {
        let mut line = vec![Span::new(" ".repeat(indent), Tone::Plain)];
        let mut left = self.width.saturating_sub(indent);
        for mut span in spans {
            span.text = typeset::fit(&span.text, left);
            left = left.saturating_sub(span.width());
            line.push(span);
        }
        self.lines.push(line);
    }

    /// A heading with an empty line before it.
    pub fn heading(&mut self, title: impl Into<Text>) {
        self.blank();
        self.line(MARGIN, [self.span(title, Tone::Strong)]);
    }

    /// Wrapped text behind `indent` columns.
    pub fn paragraph(&mut self, indent: usize, words: impl Into<Text>, tone: Tone) {
        self.hanging(indent, Vec::new(), words, tone);
    }

    /// Wrapped text behind a lead; the lines that follow are indented as far as the text began.
    pub fn hanging(&mut self, indent: usize, lead: Vec<Span>, words: impl Into<Text>, tone: Tone) {
        let lead_width: usize = lead.iter().map(Span::width).sum();
        let columns = self.width.saturating_sub(indent + lead_width).max(16);
        let mut lead = Some(lead);
        let lines = typeset::wrap(&self.language.say(words), columns);
        for line in if lines.is_empty() {
            vec![String::new()]
        } else {
            lines
        } {
            let mut spans = lead
                .take()
                .unwrap_or_else(|| vec![Span::new(" ".repeat(lead_width), Tone::Plain)]);
            spans.push(Span::new(line, tone));
            self.line(indent, spans);
        }
    }

    /// Columns of the names on the left of entries, margin not counted.
    pub fn gutter(&self) -> usize {
        gutter(self.language)
    }

    /// An entry: a name in the gutter, wrapped text beside it. Without a name it continues the entry above.
    pub fn entry(&mut self, name: Option<Name>, words: impl Into<Text>) {
        let lead = vec![self.name(name)];
        self.hanging(MARGIN, lead, words, Tone::Plain);
    }

    /// An entry that begins with a mark.
    pub fn marked_entry(&mut self, name: Option<Name>, mark: Span, words: impl Into<Text>) {
        let lead = vec![self.name(name), mark, Span::new(" ", Tone::Plain)];
        self.hanging(MARGIN, lead, words, Tone::Plain);
    }

    fn name(&self, name: Option<Name>) -> Span {
        let name = name.map_or_else(String::new, |name| self.language.say(name.text()));
        Span::new(typeset::pad(&name, self.gutter()), Tone::Quiet)
    }

    /// The page as it goes to a screen.
    pub fn render(&self, screen: &Screen) -> String {
        let mut out = String::new();
        for line in &self.lines {
            let mut rendered = String::new();
            for span in line {
                push_span(&mut rendered, span, screen);
            }
            out.push_str(rendered.trim_end());
            out.push('\n');
        }
        out
    }
}

fn push_span(out: &mut String, span: &Span, screen: &Screen) {
    let text: String = if screen.ascii {
        in_ascii(&span.text, screen.language)
    } else {
        span.text.clone()
    };
    let style = span.tone.style();
    if screen.colour && style != Style::new() {
        out.push_str(&format!("{style}{text}{style:#}"));
    } else {
        out.push_str(&text);
    }
}

/// Wide characters keep their columns, so that frames stay straight. Those of a language that has no others stay.
fn in_ascii(text: &str, language: &Language) -> String {
    let stand_in = |c| match glyphs::ascii(c) {
        '?' if language.tag().keeps_letters() => std::iter::repeat_n(c, 1),
        stand_in => std::iter::repeat_n(stand_in, columns(c)),
    };
    text.chars().flat_map(stand_in).collect()
}

fn columns(c: char) -> usize {
    unicode_width::UnicodeWidthChar::width(c).unwrap_or(1)
}

/// A mark for met or not met.
pub fn mark(ok: bool) -> Span {
    if ok {
        Span::new(glyphs::CHECK.to_string(), Tone::Good)
    } else {
        Span::new(glyphs::CROSS.to_string(), Tone::Bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Tag;

    fn screen(colour: bool, ascii: bool) -> Screen {
        Screen {
            width: 40,
            colour,
            ascii,
            language: Language::of(Tag::English, ascii),
        }
    }

    #[test]
    fn text_from_a_disk_is_harmless_on_a_page() {
        let mut page = Page::new(&screen(false, false));
        page.entry(Some(Name::Windows), Text::raw("\x1b]0;title\x07"));
        let plain = page.render(&screen(false, false));
        assert!(!plain.contains('\x1b') && plain.contains("\\u{1b}"), "{plain:?}");
        let coloured = page.render(&screen(true, false));
        assert!(
            !coloured.contains("\x1b]") && !coloured.contains('\x07'),
            "{coloured:?}"
        );
    }

    #[test]
    fn ascii_keeps_the_columns() {
        let mut page = Page::new(&screen(false, false));
        page.line(0, [Span::new("\u{65e5}\u{672c}", Tone::Plain), mark(true)]);
        assert_eq!(page.render(&screen(false, true)), "????+\n");
    }

    #[test]
    fn chinese_stays_chinese_in_ascii_and_pictures_do_not() {
        let chinese = Screen {
            language: Language::of(Tag::Chinese, true),
            ..screen(false, true)
        };
        let mut page = Page::new(&chinese);
        page.line(0, [Span::new("\u{65e5}\u{672c}", Tone::Plain), mark(true)]);
        assert_eq!(page.render(&chinese), "\u{65e5}\u{672c}+\n");
    }

    #[test]
    fn no_colour_means_no_escape_sequence() {
        let mut page = Page::new(&screen(false, false));
        page.heading(Text::raw("Findings"));
        assert_eq!(page.render(&screen(false, false)), "  Findings\n");
        assert_eq!(page.render(&screen(true, false)), "  \x1b[1mFindings\x1b[0m\n");
    }
}
