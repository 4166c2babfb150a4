//! Reads the query protocol's XML by element names, whatever the namespace.

use roxmltree::{Document, Node};

/// The text of the first element with this name.
pub fn text_of(xml: &str, name: &str) -> Option<String> {
    let document = Document::parse(xml).ok()?;
    let found = document
        .descendants()
        .find(|node| node.tag_name().name() == name)?;
    found.text().map(str::to_owned)
}

/// The text of the child with this name, or "".
pub fn child_text(node: Node<'_, '_>, name: &str) -> String {
    child(node, name)
        .and_then(|child| child.text())
        .unwrap_or_default()
        .to_owned()
}

pub fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children()
        .find(|child| child.tag_name().name() == name)
}

/// The members of the descendant list with this name.
pub fn members<'a, 'input>(node: Node<'a, 'input>, list: &str) -> Vec<Node<'a, 'input>> {
    let list = node
        .descendants()
        .find(|node| node.tag_name().name() == list);
    list.map(|list| {
        list.children()
            .filter(|child| child.tag_name().name() == "member")
            .collect()
    })
    .unwrap_or_default()
}
