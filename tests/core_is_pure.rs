//! The core has no clock, no randomness, no thread, no order of a hash map, and no arithmetic that differs between
//! machines: a partition replayed from its log gives the same bits. The sources are read, because a call that slipped in
//! would show as a different estimate on somebody else's machine, long afterwards.
//!
//! This reads Rust as far as needed: comments, literals, and what is compiled for tests only are passed over.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Modules of the core, under `src`.
const CORE: [&str; 7] = ["event", "circadian", "traveller", "household", "planner", "flight", "units.rs"];

/// Names that have no place in the core, and why.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    ("a clock: time comes with the records", &["SystemTime", "Instant", "Utc::now", "Local::now", "SystemClock"]),
    (
        "randomness: a replay could not repeat it",
        &[
            "rand",
            "thread_rng",
            "getrandom",
            "fastrand",
            "Uuid::new_v4",
            "Uuid::now_v7",
            "RandomState",
            "DefaultHasher",
        ],
    ),
    (
        "a hash map: its order is not the log's; take a BTreeMap or a sorted list",
        &["HashMap", "HashSet", "FxHashMap", "FxHashSet", "DashMap", "DashSet", "hashbrown", "rustc_hash", "IndexMap"],
    ),
    (
        "the world outside: the core is given a state, an event and a time",
        &["std::thread", "std::env", "std::fs", "std::net", "std::process", "tokio", "rdkafka", "crate::kafka"],
    ),
];

/// Methods of floats whose last bits are the platform's business. `sqrt`, `abs`, `floor`, `rem_euclid` … are exact.
const INEXACT: [&str; 33] = [
    "mul_add",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sin_cos",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "exp",
    "exp2",
    "exp_m1",
    "ln",
    "ln_1p",
    "log",
    "log2",
    "log10",
    "powf",
    "powi",
    "cbrt",
    "hypot",
    "gamma",
    "ln_gamma",
    "erf",
    "erfc",
    "fadd_fast",
    "fmul_fast",
];
const INEXACT_BECAUSE: &str = "differs between platforms: take it from libm (and a × b + c instead of mul_add)";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Word(String),
    Text(String),
    Sign(char),
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    line: usize,
}

/// Words, texts and signs; comments, numbers, characters and lifetimes are left out.
fn tokens(source: &str) -> Vec<Token> {
    let characters: Vec<char> = source.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let (mut tokens, mut index, mut line) = (Vec::new(), 0, 1);
    while index < characters.len() {
        let begun = index;
        let kind = match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < characters.len() && at(index) != '\n' {
                    index += 1;
                }
                None
            }
            '/' if at(index + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(index), at(index + 1)) {
                        ('/', '*') => (depth, index) = (depth + 1, index + 2),
                        ('*', '/') => (depth, index) = (depth - 1, index + 2),
                        _ => index += 1,
                    }
                    if depth == 0 || index >= characters.len() {
                        break;
                    }
                }
                None
            }
            '"' => {
                index += 1;
                while index < characters.len() && at(index) != '"' {
                    index += if at(index) == '\\' { 2 } else { 1 };
                }
                index += 1;
                let end = (index - 1).min(characters.len());
                Some(Kind::Text(characters[(begun + 1).min(end)..end].iter().collect()))
            }
            '\'' if at(index + 1) == '\\' => {
                index += 3;
                while index < characters.len() && at(index) != '\'' {
                    index += 1;
                }
                index += 1;
                None
            }
            '\'' if at(index + 2) == '\'' => {
                index += 3;
                None
            }
            '\'' => {
                index += 1;
                while at(index).is_alphanumeric() || at(index) == '_' {
                    index += 1;
                }
                None
            }
            first if first.is_alphabetic() || first == '_' => {
                while at(index).is_alphanumeric() || at(index) == '_' {
                    index += 1;
                }
                let word: String = characters[begun..index].iter().collect();
                let hashes = (index..characters.len()).take_while(|place| at(*place) == '#').count();
                if matches!(word.as_str(), "r" | "br" | "cr") && at(index + hashes) == '"' {
                    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                    index += hashes + 1;
                    while index < characters.len() && !characters[index..].starts_with(&end) {
                        index += 1;
                    }
                    index += end.len();
                    None
                } else {
                    Some(Kind::Word(word))
                }
            }
            // With its suffix and exponent; a method of a literal is still seen as one.
            first if first.is_ascii_digit() => {
                while at(index).is_alphanumeric()
                    || at(index) == '_'
                    || at(index) == '.' && at(index + 1).is_ascii_digit()
                {
                    index += 1;
                }
                None
            }
            sign => {
                index += 1;
                (!sign.is_whitespace()).then_some(Kind::Sign(sign))
            }
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, line });
        }
        line += characters[begun..index.min(characters.len())].iter().filter(|character| **character == '\n').count();
    }
    tokens
}

/// Whether the tokens begin with these.
fn begins_with(tokens: &[Token], expected: &[Token]) -> bool {
    tokens.len() >= expected.len() && tokens.iter().zip(expected).all(|(is, expected)| is.kind == expected.kind)
}

/// Takes out what is compiled for tests only. Returns the rest, and the modules (name, `#[path]`) that are test files.
fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<(String, Option<String>)>) {
    let (mut kept, mut test_modules, mut index) = (Vec::new(), Vec::new(), 0);
    let for_tests = self::tokens("#[cfg(test)]");
    while index < tokens.len() {
        if !begins_with(&tokens[index..], &for_tests) {
            kept.push(tokens[index].clone());
            index += 1;
            continue;
        }
        let mut path = None;
        let mut name = None;
        let mut depth = 0;
        // Attributes, then one item: up to its semicolon, or to the end of its braces.
        while index < tokens.len() {
            match &tokens[index].kind {
                Kind::Word(word) if word == "path" && depth == 1 => {
                    if let Some(Kind::Text(text)) = tokens.get(index + 2).map(|token| &token.kind) {
                        path = Some(text.clone());
                    }
                }
                Kind::Word(word) if word == "mod" && depth == 0 => {
                    if let Some(Kind::Word(word)) = tokens.get(index + 1).map(|token| &token.kind) {
                        name = Some(word.clone());
                    }
                }
                Kind::Sign('[' | '(' | '{') => depth += 1,
                Kind::Sign(']' | ')') => depth -= 1,
                Kind::Sign('}') => {
                    depth -= 1;
                    if depth == 0 {
                        name = None;
                        break;
                    }
                }
                Kind::Sign(';') if depth == 0 => break,
                _ => {}
            }
            index += 1;
        }
        index += 1;
        test_modules.extend(name.map(|name| (name, path)));
    }
    (kept, test_modules)
}

/// What is wrong in tokens that are compiled into the program: line and reason.
fn faults(tokens: &[Token]) -> Vec<(usize, String)> {
    let forbidden: Vec<(&str, &str, Vec<Token>)> = FORBIDDEN
        .iter()
        .flat_map(|(because, names)| names.iter().map(move |name| (*name, *because, self::tokens(name))))
        .collect();
    let mut faults = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let Kind::Word(word) = &token.kind else { continue };
        for (name, because, expected) in &forbidden {
            if begins_with(&tokens[index..], expected) {
                faults.push((token.line, format!("{name} is {because}")));
            }
        }
        let before = |back: usize| index.checked_sub(back).map(|place| &tokens[place].kind);
        let is_called = tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Sign('('));
        let is_method = is_called && before(1) == Some(&Kind::Sign('.'));
        let of_a_float = before(1) == Some(&Kind::Sign(':'))
            && matches!(before(3), Some(Kind::Word(owner)) if owner == "f64" || owner == "f32");
        if INEXACT.contains(&word.as_str()) && (is_method || of_a_float) {
            faults.push((token.line, format!("{word} {INEXACT_BECAUSE}")));
        }
    }
    faults
}

fn faults_of(source: &str) -> Vec<String> {
    faults(&without_tests(&tokens(source)).0).into_iter().map(|(line, fault)| format!("{line}: {fault}")).collect()
}

fn rust_files(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
        return;
    }
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
            rust_files(&path, files);
        }
    }
}

/// Where a module that a file declares lies: the file, and the folder of its own modules.
fn places(file: &Path, name: &str, path: Option<&str>) -> [PathBuf; 2] {
    let folder = file.parent().expect("a folder");
    if let Some(path) = path {
        return [folder.join(path), folder.join(path).with_extension("")];
    }
    let own =
        if file.file_name().is_some_and(|name| name == "mod.rs") { folder.to_owned() } else { file.with_extension("") };
    [own.join(name).with_extension("rs"), own.join(name)]
}

#[test]
fn the_core_calls_nothing_that_a_replay_could_not_repeat() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for module in CORE {
        let before = files.len();
        rust_files(&source.join(module), &mut files);
        assert!(files.len() > before, "nothing was read of {module}");
    }
    let parsed: Vec<_> = files
        .iter()
        .map(|file| (file, without_tests(&tokens(&std::fs::read_to_string(file).expect("a source file")))))
        .collect();
    let tests: BTreeSet<PathBuf> = parsed
        .iter()
        .flat_map(|(file, (_, modules))| modules.iter().map(move |(name, path)| places(file, name, path.as_deref())))
        .flatten()
        .collect();
    let mut found = String::new();
    let mut read = 0;
    for (file, (tokens, _)) in &parsed {
        if file.ancestors().any(|place| tests.contains(place)) {
            continue;
        }
        read += 1;
        for (line, fault) in faults(tokens) {
            let _ = writeln!(found, "{}:{line}: {fault}", file.strip_prefix(&source).expect("below src").display());
        }
    }
    assert!(found.is_empty(), "the core is not pure:\n{found}");
    assert!(
        read > 50 && tests.len() > 20,
        "{read} files were read, {} are tests: what became of the rest?",
        tests.len()
    );
}

#[test]
fn every_rule_bites() {
    for (_, names) in FORBIDDEN {
        for name in names {
            for snippet in [format!("fn f() {{ let x = {name}::new(); }}"), format!("use {name};")] {
                let found = faults_of(&snippet);
                assert!(found.iter().any(|fault| fault.contains(name)), "{snippet}: {found:?}");
            }
        }
    }
    for name in INEXACT {
        for snippet in [format!("x.{name}(y)"), format!("2.0_f64.{name}()"), format!("list.map(f64::{name})")] {
            assert_eq!(faults_of(&snippet).len(), 1, "{snippet}");
        }
    }
    assert_eq!(faults_of("#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { a.sin() }").len(), 1, "after the tests");
    assert!(faults_of("\n\nfn f() { x.exp() }")[0].starts_with("3: "), "the line is named");
    assert_eq!(
        faults_of("fn f<'a>(x: &'a str) { x.ln(); '\\''; y.cos() }").len(),
        2,
        "behind a lifetime and a character"
    );
}

#[test]
fn what_is_allowed_passes() {
    for snippet in [
        "libm::sin(x) + libm::exp(y) - x.sqrt() * y.abs().rem_euclid(2.0)",
        "use libm::{exp, sin}; fn f() { exp(sin(x)) }",
        "// Instant and x.sin()\n/* HashMap /* SystemTime */ thread_rng */ fn f() {}",
        r##"let text = "Instant::now() \" x.sin()"; let raw = r#"HashMap "x.exp()" "#;"##,
        "#[cfg(test)]\nmod tests { use std::time::Instant; fn f() { x.sin(); } }",
        "#[cfg(test)]\n#[allow(dead_code)]\nfn f() -> f64 { x.sin() }",
        "#[cfg(test)]\nuse std::collections::HashMap;",
        "struct Local; let instant = local(); log(x); self.exponent(); parameters.gamma * x",
        "const LOG: f64 = 1.0; fn sin() {}",
    ] {
        assert_eq!(faults_of(snippet), Vec::<String>::new(), "{snippet}");
    }
}

#[test]
fn files_of_tests_are_known_by_their_declarations() {
    let (_, modules) = without_tests(&tokens(
        "#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"merge_tests.rs\"]\nmod more;\nmod real;\n#[cfg(test)]\nmod inline { mod x; }",
    ));
    assert_eq!(modules, [("tests".to_owned(), None), ("more".to_owned(), Some("merge_tests.rs".to_owned()))]);
    let [file, folder] = places(Path::new("src/event/line/mod.rs"), "tests", None);
    assert_eq!((file.to_str(), folder.to_str()), (Some("src/event/line/tests.rs"), Some("src/event/line/tests")));
    let [file, _] = places(Path::new("src/flight/merge.rs"), "tests", Some("merge_tests.rs"));
    assert_eq!(file.to_str(), Some("src/flight/merge_tests.rs"));
    let [file, _] = places(Path::new("src/circadian/light.rs"), "tests", None);
    assert_eq!(file.to_str(), Some("src/circadian/light/tests.rs"));
}
