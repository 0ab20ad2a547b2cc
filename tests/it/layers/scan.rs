//! Reads a Rust file and lists every path in it from its root on: `use` declarations, paths in code, in types, in attributes and in
//! the bodies of macros. `self` and `super` are resolved, so that `crate` is always the first segment of an own path.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Item, ItemMod, ItemUse, Macro, Meta, Path, UseTree,
    visit::{self, Visit},
};

/// A path, and the line on which it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

/// All paths of at least two segments in a file that is this module of its crate.
pub(super) fn mentions(text: &str, module: &[String]) -> Vec<Mention> {
    let file = syn::parse_file(text).expect("the file is Rust");
    let mut scan = Scan { module: module.to_vec(), found: Vec::new() };
    scan.visit_file(&file);
    scan.found
}

struct Scan {
    module: Vec<String>,
    found: Vec<Mention>,
}

impl Scan {
    /// Notes a path; one segment alone names nothing outside of the file.
    fn note(&mut self, line: usize, segments: &[String], from_use: bool) {
        if segments.len() > 1 || from_use {
            self.found.push(Mention { line, segments: self.resolve(segments) });
        }
    }

    fn resolve(&self, segments: &[String]) -> Vec<String> {
        let mut base: Option<Vec<String>> = None;
        let mut rest = segments;
        while let [first, others @ ..] = rest {
            match first.as_str() {
                "crate" => base = Some(Vec::new()),
                "self" => base = base.or_else(|| Some(self.module.clone())),
                "super" => {
                    let mut above = base.unwrap_or_else(|| self.module.clone());
                    above.pop();
                    base = Some(above);
                }
                _ => break,
            }
            rest = others;
        }
        let own = base.map(|base| [vec!["crate".to_owned()], base].concat());
        [own.unwrap_or_default(), rest.to_vec()].concat()
    }

    fn note_use(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.note_use(&path.tree, &with(&path.ident)),
            UseTree::Name(name) => self.note(name.ident.span().start().line, &with(&name.ident), true),
            UseTree::Rename(name) => self.note(name.ident.span().start().line, &with(&name.ident), true),
            UseTree::Glob(glob) => {
                self.note(glob.star_token.spans[0].start().line, &[before, &["*".to_owned()]].concat(), true);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_use(tree, before)),
        }
    }

    /// `a :: b` in tokens that nobody has parsed; a generic argument or a call ends a path.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut line, mut colons) = (Vec::new(), 0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.note(line, &path, false);
                        path.clear();
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.note_tokens(group.stream());
                    colons = 0;
                }
                _ => colons = 0,
            }
        }
        self.note(line, &path, false);
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_use(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
        self.note(line, &segments, false);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.note_tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.note_tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if let Item::ExternCrate(outer) = item {
            self.note(outer.ident.span().start().line, &[outer.ident.to_string()], true);
        }
        visit::visit_item(self, item);
    }
}
