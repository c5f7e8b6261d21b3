//! Names on the command line as inputs: files, folders, and patterns.

use super::input::Input;
use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The inputs that names stand for.
#[derive(Debug, Default)]
pub struct Expanded {
    /// The files: in the order of the names, those of a folder or pattern by path.
    pub inputs: Vec<Input>,
    /// What was passed over that people may have meant, in sentences.
    pub notes: Vec<String>,
}

/// What is in a folder, or matches a pattern, before it is in order.
#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    notes: Vec<String>,
}

/// The files that these names stand for. A folder stands for all files in it and in its folders, but for those
/// whose names begin with `.` or `_`, and but for stores and Delta tables. A name that nothing has is a pattern if
/// it has one of `*?[`; `**` stands for any folders.
pub fn expand(paths: &[PathBuf]) -> Result<Expanded> {
    let mut expanded = Expanded::default();
    for path in paths {
        let mut found = Found::default();
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                refuse_table(path)?;
                found.walk(path)?;
                if found.files.is_empty() {
                    expanded.notes.push(format!("there is no file in `{}`", path.display()));
                }
            }
            Ok(_) => found.files.push(path.clone()),
            Err(error) => match pattern_of(path) {
                Some(pattern) if error.kind() == io::ErrorKind::NotFound => found.matching(pattern)?,
                _ => return Err(Error::io("read", path.display(), error)),
            },
        }
        found.files.sort_unstable();
        expanded.inputs.extend(found.files.into_iter().map(Input::File));
        expanded.notes.append(&mut found.notes);
    }
    Ok(expanded)
}

fn is_table(folder: &Path) -> bool {
    folder.join(layout::DELTA_LOG).is_dir()
}

fn refuse_table(folder: &Path) -> Result<()> {
    if !is_table(folder) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, format!("`{}` is a Daybook store or a Delta table", folder.display()))
        .with_hint("export its events and ingest those, or name the Parquet files that are meant"))
}

fn pattern_of(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.contains(['*', '?', '[']))
}

impl Found {
    /// Adds all files in a folder. Links to folders are not followed, so that nothing is read twice or for ever.
    fn walk(&mut self, folder: &Path) -> Result<()> {
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            if is_table(&folder) {
                self.notes.push(passed_over(&folder));
                continue;
            }
            let entries =
                fs::read_dir(&folder).map_err(|error| Error::io("read", folder.display(), error))?;
            for entry in entries {
                let entry = entry.map_err(|error| Error::io("read", folder.display(), error))?;
                if matches!(entry.file_name().as_encoded_bytes().first(), Some(b'.' | b'_')) {
                    continue;
                }
                let kind =
                    entry.file_type().map_err(|error| Error::io("look at", entry.path().display(), error))?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    self.files.push(entry.path());
                } else if kind.is_symlink() {
                    self.link(entry.path());
                } else {
                    self.notes.push(format!("`{}` is no file and was left out", entry.path().display()));
                }
            }
        }
        Ok(())
    }

    fn link(&mut self, path: PathBuf) {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => self.files.push(path),
            Ok(metadata) if metadata.is_dir() => {
                self.notes.push(format!("`{}` is a link to a folder and was left out", path.display()));
            }
            Ok(_) => self.notes.push(format!("`{}` is no file and was left out", path.display())),
            Err(_) => self.notes.push(format!("`{}` is a link to nothing and was left out", path.display())),
        }
    }

    fn matching(&mut self, pattern: &str) -> Result<()> {
        let wrong = |error: glob::PatternError| {
            Error::new(
                ErrorKind::Invalid,
                format!("`{pattern}` is neither a file nor a pattern: {}", error.msg),
            )
        };
        match pattern.contains("**") {
            true => self.matching_anywhere(&glob::Pattern::new(pattern).map_err(wrong)?)?,
            false => {
                for path in glob::glob_with(pattern, OPTIONS).map_err(wrong)? {
                    let path = path.map_err(|error| {
                        let place = error.path().display().to_string();
                        Error::io("read", place, error.into())
                    })?;
                    self.matched(path)?;
                }
            }
        }
        if self.files.is_empty() {
            let error = Error::new(ErrorKind::NotFound, format!("no file matches `{pattern}`"));
            return Err(match self.notes.first() {
                Some(note) => error.with_hint(note.clone()),
                None => error,
            });
        }
        Ok(())
    }

    fn matched(&mut self, path: PathBuf) -> Result<()> {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.walk(&path),
            Ok(_) => {
                self.files.push(path);
                Ok(())
            }
            Err(_) => {
                self.link(path);
                Ok(())
            }
        }
    }

    /// Walks the folder before the first sign, since patterns of their own would follow links in circles.
    fn matching_anywhere(&mut self, pattern: &glob::Pattern) -> Result<()> {
        let text = Path::new(pattern.as_str());
        let is_plain = |part: &Component<'_>| {
            part.as_os_str().to_str().is_some_and(|part| !part.contains(['*', '?', '[']))
        };
        let mut base: PathBuf = text.components().take_while(is_plain).collect();
        let below_here = base.as_os_str().is_empty();
        if below_here {
            base.push(".");
        }
        if !base.is_dir() {
            return Ok(());
        }
        let mut all = Found::default();
        all.walk(&base)?;
        self.notes.append(&mut all.notes);
        let named = all.files.into_iter().map(|path| match path.strip_prefix(".") {
            Ok(rest) if below_here => rest.to_path_buf(),
            _ => path,
        });
        self.files.extend(named.filter(|path| pattern.matches_path_with(path, OPTIONS)));
        Ok(())
    }
}

const OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

fn passed_over(folder: &Path) -> String {
    format!("`{}` is a Daybook store or a Delta table and was left out", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder with these files.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}\n").unwrap();
        }
        folder
    }

    /// The inputs and notes for names in a folder, without its path.
    fn found(folder: &tempfile::TempDir, names: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
        let base = format!("{}/", folder.path().display());
        let plain = |text: String| text.replace(&base, "");
        let paths: Vec<PathBuf> = names.iter().map(|name| folder.path().join(name)).collect();
        let expanded = expand(&paths).map_err(|error| plain(error.to_string()))?;
        let names = expanded.inputs.iter().map(|input| plain(input.name())).collect();
        Ok((names, expanded.notes.into_iter().map(plain).collect()))
    }

    fn check(folder: &tempfile::TempDir, names: &[&str], files: &[&str]) {
        let (inputs, notes) = found(folder, names).unwrap();
        assert_eq!(
            (inputs, notes),
            (files.iter().map(|file| file.to_string()).collect(), Vec::new()),
            "{names:?}"
        );
    }

    #[test]
    fn files_stay_in_order_and_folders_are_sorted() {
        let folder = folder(&[
            "b.log",
            "a.log",
            "in/2.log",
            "in/10.log",
            "in/a/x",
            "in/.hidden",
            "in/_SUCCESS",
            "in/_x/y",
            ".z/w",
        ]);
        check(&folder, &["b.log", "a.log", "b.log"], &["b.log", "a.log", "b.log"]);
        check(&folder, &["b.log", "in"], &["b.log", "in/10.log", "in/2.log", "in/a/x"]);
        check(&folder, &["in/_x", ".z", "in/.hidden"], &["in/_x/y", ".z/w", "in/.hidden"]);
    }

    #[test]
    fn patterns_match_where_no_file_has_the_name() {
        let folder =
            folder(&["a.log", "b.log", "[1].log", "1.log", "d/c.log", "d/e/f.log", "d/e/g.txt", ".h.log"]);
        check(&folder, &["?.log"], &["1.log", "a.log", "b.log"]);
        check(&folder, &["[1].log", "[ab].log"], &["[1].log", "a.log", "b.log"]);
        check(&folder, &["*/*.log"], &["d/c.log"]);
        check(&folder, &["**/*.log"], &["1.log", "[1].log", "a.log", "b.log", "d/c.log", "d/e/f.log"]);
        check(&folder, &["d/**"], &["d/c.log", "d/e/f.log", "d/e/g.txt"]);
        check(&folder, &["d/*"], &["d/c.log", "d/e/f.log", "d/e/g.txt"]);
        assert_eq!(found(&folder, &["*.gz"]).unwrap_err(), "no file matches `*.gz`");
        assert_eq!(found(&folder, &["none/**/*.gz"]).unwrap_err(), "no file matches `none/**/*.gz`");
        assert!(found(&folder, &["[a"]).unwrap_err().starts_with("`[a` is neither a file nor a pattern"));
        assert!(found(&folder, &["a.log", "none.log"]).unwrap_err().starts_with("cannot read `none.log`"));
    }

    #[test]
    fn tables_are_left_out_and_said() {
        let folder = folder(&[
            "a.log",
            "store/_delta_log/0.json",
            "store/day=1/p.parquet",
            "in/store/_delta_log/0.json",
        ]);
        let note = |name: &str| format!("`{name}` is a Daybook store or a Delta table and was left out");
        let (inputs, notes) = found(&folder, &["in/../"]).unwrap();
        assert_eq!((inputs.len(), notes.len()), (1, 2));
        assert_eq!(
            found(&folder, &["*"]).unwrap(),
            (vec!["a.log".into()], vec![note("in/store"), note("store")])
        );
        assert_eq!(found(&folder, &["store"]).unwrap_err(), "`store` is a Daybook store or a Delta table");
        check(&folder, &["store/day=1"], &["store/day=1/p.parquet"]);
    }

    #[test]
    fn links_to_files_are_followed_and_circles_are_not() {
        let folder = folder(&["in/a.log", "other.log"]);
        let at = |name: &str| folder.path().join(name);
        symlink(at("other.log"), at("in/link.log")).unwrap();
        symlink(at("in"), at("in/circle")).unwrap();
        symlink(at("nothing"), at("in/dead")).unwrap();
        symlink(at("in"), at("also")).unwrap();
        let (inputs, notes) = found(&folder, &["in"]).unwrap();
        assert_eq!(inputs, ["in/a.log", "in/link.log"]);
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert_eq!(found(&folder, &["in/**/*.log"]).unwrap().0, ["in/a.log", "in/link.log"]);
        assert_eq!(found(&folder, &["also"]).unwrap().0, ["also/a.log", "also/link.log"]);
    }

    #[test]
    fn an_empty_folder_is_said_and_many_files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(expand(&[folder.path().to_path_buf()]).unwrap().notes.len(), 1);
        for file in 0..3_000 {
            fs::write(folder.path().join(format!("{file:05}.log")), "").unwrap();
        }
        let inputs = expand(&[folder.path().to_path_buf()]).unwrap().inputs;
        assert_eq!(inputs.len(), 3_000);
        assert!(inputs.is_sorted_by_key(Input::name));
    }
}
