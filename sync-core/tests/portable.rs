//! No file of the project may depend on where it was written: on a folder of one machine, or on the host name of a
//! package registry (the package clients know theirs, and a mirror may stand in).

use std::fs;
use std::path::{Path, PathBuf};

/// Put together here, so that this file does not name them.
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("npm", "js.org"),
    concat!("repo.maven", ".apache.org"),
    concat!("repo1.maven", ".org"),
    concat!("plugins.gradle", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("deb.debian", ".org"),
];
const FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];

const TEXT: &[&str] = &[
    "rs", "toml", "md", "sh", "py", "php", "kt", "kts", "java", "swift", "json", "yml", "yaml", "txt", "sql",
    "scenario", "run", // .ci/run has no extension
];

#[test]
fn no_file_names_a_registry_host_or_a_folder_of_one_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut files = Vec::new();
    collect(root, &mut files);
    assert!(files.len() > 20, "only {} files under {}", files.len(), root.display());

    let mut wrong = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a text file of the project is readable and UTF-8");
        for (number, line) in text.lines().enumerate() {
            if let Some(what) = offence(line) {
                let path = file.strip_prefix(root).unwrap_or(file);
                wrong.push(format!("{}:{}: {what}", path.display(), number + 1));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} lines tie the project to one place:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    );
}

#[test]
fn each_offence_is_seen_and_nothing_else() {
    for host in HOSTS {
        assert_eq!(offence(&format!("see https://{host}/x")), Some(*host));
    }
    for folder in FOLDERS {
        for line in [format!("{folder}shared"), format!("open(\"{folder}x\")"), format!("DIR={folder}")] {
            assert_eq!(offence(&line), Some(*folder), "{line}");
        }
        // A part of a longer path, on any machine.
        assert_eq!(offence(&format!("https://example.org{folder}x $HOME{folder} {{state}}{folder}")), None);
    }
}

fn offence(line: &str) -> Option<&'static str> {
    let host = HOSTS.iter().find(|host| line.contains(**host));
    let folder = || {
        FOLDERS.iter().find(|folder| {
            line.match_indices(**folder).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || "_-.}/".contains(c))
            })
        })
    };
    host.or_else(folder).copied()
}

/// Text files of the project; not what tools put beside them (`target`, hidden folders but `.ci`).
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_symlink() || (name.starts_with('.') && name != ".ci") {
            continue;
        }
        if path.is_dir() {
            if !["target", "build", "node_modules", "__pycache__", "venv"].contains(&name) {
                collect(&path, files);
            }
        } else if TEXT.contains(&name.rsplit('.').next().unwrap_or_default()) {
            files.push(path);
        }
    }
}
