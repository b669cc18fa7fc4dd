//! An event as values, from its XML.

use crate::xml;
use roxmltree::Node;

/// Nodes of one event's XML. Real events have up to some hundred.
const NODES_MAX: u32 = 2048;

/// One event of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Number of the event in its log, which counts from 1.
    pub record_id: u64,
    /// When it was written to the log: FILETIME, 100 ns units since 1601 UTC.
    pub written: u64,
    /// Name of the provider.
    pub provider: String,
    /// Identifier of the event, unique within the provider for most.
    pub id: u32,
    /// Upper half of a classic event's identifier.
    pub qualifiers: Option<u16>,
    /// 1 critical, 2 error, 3 warning, 4 information; 0 for events that have none.
    pub level: Option<u8>,
    /// `EventData` or `UserData` in order: name and text. A datum without a name has an empty one. Texts are those
    /// that Windows shows: numbers are decimal but for the types that are shown as `0x80070643`.
    pub data: Vec<(String, String)>,
}

impl Event {
    /// The first datum of that name, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut data = self.data.iter();
        data.find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, text)| text.as_str())
    }

    /// About what it takes of memory.
    pub(super) fn kept_bytes(&self) -> usize {
        let datum = |(name, text): &(String, String)| size_of::<(String, String)>() + name.len() + text.len();
        size_of::<Self>() + self.provider.len() + self.data.iter().map(datum).sum::<usize>()
    }

    /// The event in `text`. `None` if that is not the XML of one.
    pub(super) fn parse(text: &str, record_id: u64, written: u64) -> Option<Self> {
        let document = xml::parse(text, NODES_MAX).ok()?;
        let root = document.root_element();
        let system = child(root, "System")?;
        let number = child(system, "EventID")?;
        Some(Self {
            record_id,
            written,
            provider: child(system, "Provider")?.attribute("Name")?.to_string(),
            id: content(number).trim().parse().ok()?,
            qualifiers: number.attribute("Qualifiers").and_then(|text| text.parse().ok()),
            level: child(system, "Level").and_then(|level| content(level).trim().parse().ok()),
            data: data(root),
        })
    }
}

/// The identifier of the event in `text`, without parsing it; `None` if it is not where it always is. `<` stands in no
/// text and no attribute, and `System` is the first element of an event.
pub(super) fn id_in_text(text: &str) -> Option<u32> {
    let element = text.get(memchr::memmem::find(text.as_bytes(), b"<EventID")?..)?;
    let (_, content) = element.split_once('>')?;
    content.split_once('<')?.0.parse().ok()
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn content(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter(Node::is_text)
        .filter_map(|text| text.text())
        .collect()
}

fn data(root: Node<'_, '_>) -> Vec<(String, String)> {
    let named = |node: Node<'_, '_>| (node.tag_name().name().to_string(), content(node));
    if let Some(event_data) = child(root, "EventData") {
        let items = event_data.children().filter(Node::is_element);
        return items
            .map(|item| match item.tag_name().name() {
                "Data" => (
                    item.attribute("Name").unwrap_or_default().to_string(),
                    content(item),
                ),
                _ => named(item),
            })
            .collect();
    }
    let is_leaf = |node: &Node<'_, '_>| node.is_element() && !node.children().any(|child| child.is_element());
    let user_data = child(root, "UserData").into_iter();
    user_data
        .flat_map(|user_data| user_data.descendants().skip(1))
        .filter(is_leaf)
        .map(named)
        .collect()
}
