//! Markup that is well-formed, as HTML and as XML, because nothing else can be written: elements close themselves, and
//! every text is escaped.

use super::escape::escape;
use super::words::Say;

/// Names and values of attributes.
pub type Attributes<'a> = &'a [(&'static str, &'a str)];

/// Elements after which a line of the file ends.
const BLOCKS: &[&str] = &[
    "html",
    "head",
    "body",
    "header",
    "main",
    "footer",
    "nav",
    "section",
    "div",
    "p",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "thead",
    "tbody",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "figure",
    "figcaption",
    "details",
    "summary",
    "svg",
    "g",
    "title",
    "desc",
    "meta",
    "style",
    "pre",
    "defs",
    "pattern",
    "caption",
];

/// A piece of a page.
#[derive(Debug, Default)]
pub struct Html {
    out: String,
    /// What ids on this piece begin with.
    name: &'static str,
    ids: u32,
}

impl Html {
    /// An empty piece; ids on it begin with `name`.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The markup.
    pub fn into_markup(self) -> String {
        self.out
    }

    /// Another piece, here.
    pub fn append(&mut self, piece: Self) {
        self.out.push_str(&piece.out);
    }

    /// An id that is used once.
    pub fn id(&mut self) -> String {
        self.ids += 1;
        format!("{}-{}", self.name, self.ids)
    }

    /// An element with what `content` writes.
    pub fn element(
        &mut self,
        name: &'static str,
        attributes: Attributes<'_>,
        content: impl FnOnce(&mut Self),
    ) {
        self.tag(name, attributes);
        self.out.push('>');
        content(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self.end_line(name);
    }

    /// An element without content, such as `meta` or `rect`.
    pub fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.out.push_str(" />");
        self.end_line(name);
    }

    /// An element with words.
    pub fn leaf(&mut self, name: &'static str, class: &str, words: impl Say) {
        if class.is_empty() {
            self.element(name, &[], |html| html.text(words));
        } else {
            self.element(name, &[("class", class)], |html| html.text(words));
        }
    }

    /// Words.
    pub fn text(&mut self, words: impl Say) {
        self.out.push_str(&escape(&words.say()));
    }

    /// A text of several lines, as it is in a `pre`.
    pub fn lines(&mut self, text: &str) {
        for line in text.lines() {
            self.out.push_str(&escape(line));
            self.out.push('\n');
        }
    }

    /// A value from the disk: it may be written from right to left, and must not turn what stands beside it.
    pub fn value(&mut self, words: impl Say) {
        self.element("bdi", &[("dir", "auto")], |html| html.text(words));
    }

    /// Words with commands in backquotes, which are set as such.
    pub fn prose(&mut self, words: impl Say) {
        let words = words.say();
        let mut rest = words.as_str();
        while let Some((before, behind)) = rest.split_once('`') {
            let Some((command, after)) = behind.split_once('`') else {
                break;
            };
            self.text(before);
            self.leaf("code", "", command);
            rest = after;
        }
        self.text(rest);
    }

    /// A paragraph of such words; none if there are none.
    pub fn paragraph(&mut self, class: &str, words: impl Say) {
        let words = words.say();
        if words.is_empty() {
            return;
        }
        self.element("p", &[("class", class)], |html| html.prose(words));
    }

    /// A style sheet. It is part of the program, and has none of the characters that would have to be escaped.
    pub fn style(&mut self, sheet: &'static str) {
        debug_assert!(!sheet.contains(['<', '&']));
        self.out.push_str("<style>\n");
        self.out.push_str(sheet);
        self.out.push_str("</style>\n");
    }

    /// What makes a file HTML.
    pub fn doctype(&mut self) {
        self.out.push_str("<!DOCTYPE html>\n");
    }

    fn tag(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.out.push_str(&escape(value));
            self.out.push('"');
        }
    }

    fn end_line(&mut self, name: &str) {
        if BLOCKS.contains(&name) {
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_text_stay_in_their_place() {
        let mut html = Html::new("x");
        html.element("a", &[("title", "\" onclick=\"x")], |html| html.text("</a><b>"));
        assert_eq!(
            html.into_markup(),
            "<a title=\"&quot; onclick=&quot;x\">&lt;/a&gt;&lt;b&gt;</a>"
        );
    }

    #[test]
    fn commands_are_set_as_such_and_a_lone_backquote_is_text() {
        let mut html = Html::new("x");
        html.prose("Run `a <b>` or `c`; a ` alone");
        assert_eq!(
            html.into_markup(),
            "Run <code>a &lt;b&gt;</code> or <code>c</code>; a ` alone"
        );
    }
}
