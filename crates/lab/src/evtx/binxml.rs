//! Templates in binary XML: elements with literal texts and places for values.

use super::chunk::Chunk;

const OPEN_ELEMENT: u8 = 0x01;
const CLOSE_START: u8 = 0x02;
const CLOSE_EMPTY: u8 = 0x03;
const END_ELEMENT: u8 = 0x04;
const VALUE_TEXT: u8 = 0x05;
const ATTRIBUTE: u8 = 0x06;
const SUBSTITUTION: u8 = 0x0D;
const OPTIONAL_SUBSTITUTION: u8 = 0x0E;
/// Flag of the first two tokens: there are attributes; another one follows.
const MORE: u8 = 0x40;
const TYPE_TEXT: u8 = 0x01;
/// Dependency of an element on no value.
const INDEPENDENT: u16 = 0xFFFF;

/// Start of every fragment: token, version 1.1, no flags.
pub(super) const FRAGMENT: [u8; 4] = [0x0F, 1, 1, 0];
/// End of every fragment.
pub(super) const END: u8 = 0;

/// An element of a template.
pub(super) struct Element {
    pub name: &'static str,
    pub attributes: Vec<(&'static str, Content)>,
    pub content: Vec<Content>,
}

/// What is in an element or attribute.
pub(super) enum Content {
    /// An element. Not in attributes.
    Element(Element),
    /// A text that is the same in every instance.
    Text(&'static str),
    /// The value of this index and type.
    Value(u16, u8),
    /// The same; without a value the element is not there.
    Optional(u16, u8),
}

impl Element {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            content: Vec::new(),
        }
    }

    pub fn attribute(mut self, name: &'static str, content: Content) -> Self {
        self.attributes.push((name, content));
        self
    }

    pub fn with(mut self, content: Content) -> Self {
        self.content.push(content);
        self
    }

    pub fn element(self, element: Element) -> Self {
        self.with(Content::Element(element))
    }

    /// The value without which the element is not there.
    fn dependency(&self) -> u16 {
        let optional = self.content.iter().find_map(|content| match content {
            Content::Optional(index, _) => Some(*index),
            _ => None,
        });
        optional.unwrap_or(INDEPENDENT)
    }
}

impl Chunk {
    /// Appends an element and all in it.
    pub(super) fn element(&mut self, element: &Element) {
        let has_attributes = !element.attributes.is_empty();
        self.put(&[OPEN_ELEMENT | if has_attributes { MORE } else { 0 }]);
        self.put(&element.dependency().to_le_bytes());
        let size = self.reserve_size();
        self.name(element.name);
        if has_attributes {
            let size = self.reserve_size();
            let last = element.attributes.len() - 1;
            for (index, (name, content)) in element.attributes.iter().enumerate() {
                self.put(&[ATTRIBUTE | if index < last { MORE } else { 0 }]);
                self.name(name);
                self.content(content);
            }
            self.fill_size(size);
        }
        if element.content.is_empty() {
            self.put(&[CLOSE_EMPTY]);
        } else {
            self.put(&[CLOSE_START]);
            element.content.iter().for_each(|content| self.content(content));
            self.put(&[END_ELEMENT]);
        }
        self.fill_size(size);
    }

    fn content(&mut self, content: &Content) {
        let mut value = |token: u8, index: u16, kind: u8| {
            self.put(&[token]);
            self.put(&index.to_le_bytes());
            self.put(&[kind]);
        };
        match content {
            Content::Element(element) => self.element(element),
            Content::Text(text) => {
                self.put(&[VALUE_TEXT, TYPE_TEXT]);
                self.counted_text(text);
            }
            Content::Value(index, kind) => value(SUBSTITUTION, *index, *kind),
            Content::Optional(index, kind) => value(OPTIONAL_SUBSTITUTION, *index, *kind),
        }
    }
}
