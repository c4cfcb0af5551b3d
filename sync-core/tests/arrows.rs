//! The architecture of the core, as a test: its modules form layers, and arrows only go down.
//!
//! A module may use the modules of the layers below its own, and in its own layer those that stand before it. What
//! counts is every `crate::` or `super::` path outside comments and `#[cfg(test)]` modules: tests may look upwards.

use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom to the top; within a layer from left to right.
const LAYERS: &[&[&str]] = &[
    &["id", "time", "limits", "redact", "error"],
    &["contact"],
    &["capability", "policy"],
    &["identity", "merge"],
    &["source", "store"], // traits and their plain types
    &["library"],         // records, links and rows: what the plan decides about
    &["plan"],
    &["engine"],
    &["directory"],
    &["driver"],
    &["testkit"],
];

/// Arrows that go down and are wrong all the same: the plan is a pure function of values that others have loaded.
const NEVER: &[(&str, &str)] = &[("plan", "store")];

#[test]
fn arrows_only_go_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 10, "only {} files under {}", files.len(), root.display());

    let mut wrong = Vec::new();
    for file in &files {
        let path = file.strip_prefix(&root).expect("a collected file lies under the root");
        let module = module_path(path);
        let text = fs::read_to_string(file).expect("a source file is readable");
        wrong.extend(violations(&module, &text).iter().map(|what| format!("src/{}: {what}", path.display())));
    }
    assert!(wrong.is_empty(), "{} arrows go the wrong way:\n  {}", wrong.len(), wrong.join("\n  "));
}

#[test]
fn every_kind_of_wrong_arrow_is_seen() {
    let in_contact = [
        "use crate::engine::Step;",
        "pub(crate) use crate::store::Store as S;",
        "fn f() { let _ = crate::library::edit(); }",
        "use crate::{id::RemoteId, plan::{self, Plan}};",
        "use crate::{\n    id::RemoteId,\n    merge::merge,\n};",
        "use super::super::engine::Step;",
        "use crate::Contact;",
        "use crate::*;",
        "use crate::nonsense::X;",
    ];
    for text in in_contact {
        assert_eq!(violations(&["contact", "date"], text).len(), 1, "{text}");
    }
    assert_eq!(violations(&["contact"], "use super::engine::Step;").len(), 1);
    assert_eq!(violations(&["time"], "use crate::limits::CAP;").len(), 1, "to the right in the own layer");
    assert_eq!(violations(&["plan"], "use crate::store::Store;").len(), 1, "down, but never");
    assert_eq!(violations(&["journal"], "").len(), 1, "a module that stands in no layer");
}

#[test]
fn the_right_arrows_pass() {
    let in_engine = [
        "use crate::engine::state::State;",
        "use crate::{contact::{Contact, Field}, plan, library::Link};",
        "use super::state::State;",
        "/// See [`crate::driver::run`].\n// crate::testkit\nfn f() {}",
        "#[cfg(test)]\nmod tests {\n    use crate::testkit::World;\n}",
        "macro_rules! m { () => { $crate::m!(); $crate::$then!() } }",
    ];
    for text in in_engine {
        assert_eq!(violations(&["engine", "step"], text), Vec::<String>::new(), "{text}");
    }
}

/// What is wrong with the paths in `text`, the source of the module `module` (its path from the crate root).
fn violations(module: &[&str], text: &str) -> Vec<String> {
    let Some(&own) = module.first() else { return Vec::new() }; // lib.rs, which lists everything
    let Some(own_rank) = rank(own) else {
        return vec![format!("module `{own}` stands in no layer: give it a place in LAYERS")];
    };
    let code = without_comments_and_tests(text);
    let mut wrong = Vec::new();
    for used in used_modules(&code, module.len()) {
        match rank(&used) {
            _ if used == own => {}
            _ if NEVER.contains(&(own, used.as_str())) => {
                wrong.push(format!("`{own}` may never use `{used}`"))
            }
            Some(used_rank) if used_rank < own_rank => {}
            Some(_) => wrong.push(format!("`{own}` may not use `{used}`, which stands above it in LAYERS")),
            None => wrong.push(format!("`crate::{used}` names no module: use the path through its module")),
        }
    }
    wrong
}

fn rank(module: &str) -> Option<(usize, usize)> {
    LAYERS.iter().enumerate().find_map(|(layer, modules)| {
        modules.iter().position(|name| *name == module).map(|place| (layer, place))
    })
}

/// The first names of all paths that start at the crate root, seen from a module `depth` levels below it.
fn used_modules(code: &str, depth: usize) -> Vec<String> {
    let to_root = format!("{}::", vec!["super"; depth].join("::"));
    let mut used = Vec::new();
    for start in ["crate::", to_root.as_str()] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            // `super::` before it or a longer word: another path.
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &code[at + start.len()..];
            if rest.starts_with("super::") {
                continue;
            }
            used.extend(first_names(rest));
        }
    }
    used
}

/// `a::b` gives `a`; `{a::b, c::{d, e}}` gives `a` and `c`; a macro gives nothing.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
        let (name, rest) = path.split_at(end);
        return match (name, rest.chars().next()) {
            (_, Some('!')) | ("", Some('$')) => Vec::new(), // a macro, or its name as a macro's argument
            ("", Some(other)) => vec![other.to_string()],   // a glob
            _ => vec![name.to_owned()],
        };
    };
    let mut names = Vec::new();
    let (mut depth, mut entry) = (0usize, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                if !entry.trim().is_empty() {
                    names.extend(first_names(entry.trim()));
                }
                entry.clear();
                if c == '}' {
                    break;
                }
                continue;
            }
            _ => {}
        }
        entry.push(c);
    }
    names
}

/// Line comments go, and the rest of a file from its test module on: by house style that module comes last.
fn without_comments_and_tests(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end].lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

fn module_path(file: &Path) -> Vec<&str> {
    let mut names: Vec<&str> =
        file.iter().map(|name| name.to_str().expect("source files have plain names")).collect();
    let stem = names.pop().and_then(|name| name.strip_suffix(".rs")).expect("a source file ends in .rs");
    if stem != "mod" && stem != "lib" {
        names.push(stem);
    }
    names
}

/// All sources but those of test modules in files of their own.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("tests") {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}
