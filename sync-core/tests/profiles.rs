//! Policy is data: outside the policy itself no code asks which profile it works for.

use acquaint_core::policy::Policy;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn no_code_knows_a_profile_by_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut looked_at = 0;
    for file in files {
        let path = file.strip_prefix(&root).expect("a file below").to_string_lossy().into_owned();
        if path.starts_with("policy") || path.starts_with("testkit") || path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a text");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        assert_eq!(asks_for_a_profile(code), None, "{path}");
        looked_at += 1;
    }
    assert!(looked_at > 40, "only {looked_at} files");
}

#[test]
fn every_way_to_ask_is_seen() {
    for code in
        ["if name == \"DG\" {", "Policy::profile(\"x\")", "policy.base() == x", "match p { \"plin\" => 1 }"]
    {
        assert!(asks_for_a_profile(code).is_some(), "{code}");
    }
    assert_eq!(asks_for_a_profile("//! Where PL ends\nlet x = \"deadline\";"), None);
}

/// The first line of code that does.
fn asks_for_a_profile(code: &str) -> Option<String> {
    let names: Vec<String> =
        Policy::profiles().iter().map(|p| format!("\"{}\"", p.name.to_lowercase())).collect();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let asks = |line: &&str| {
        let lower = line.to_lowercase();
        names.iter().any(|name| lower.contains(name.as_str()))
            || line.contains("Policy::profile(")
            || line.contains(".base()")
    };
    lines.into_iter().find(asks).map(str::to_owned)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
