//! The prompt as a person sees it: typed in a terminal of 80 and of 200 columns, and read from its
//! screen.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::cli::Folder;

/// How long a screen may take to show what is waited for, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A terminal with a program in it.
struct Terminal {
    /// The name of its server, which is its own.
    name: String,
    folder: Folder,
}

impl Terminal {
    fn new(name: &str, (columns, lines): (usize, usize), environment: &str) -> Self {
        let folder = Folder::new(name);
        let name = format!("dumpql-{name}-{}", std::process::id());
        let home = folder.path().display();
        let program = env!("CARGO_BIN_EXE_dumpql");
        let caches = crate::cli::CACHES;
        let command = format!(
            "cd {home} && env -u PAGER -u DUMPQL_PAGER -u NO_COLOR HOME={home} XDG_CACHE_HOME={caches} \
             {environment} {program} --sample"
        );
        let terminal = Self { name, folder };
        let (columns, lines) = (columns.to_string(), lines.to_string());
        let started = terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &columns,
            "-y",
            &lines,
            &command,
        ]);
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        terminal.wait("the first prompt", is_asking);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        Command::new("tmux").args(["-L", &self.name]).args(arguments).output().expect("tmux runs")
    }

    fn write(&self, text: &str) {
        // A semicolon at the end of an argument would end the command for tmux.
        let text = text.strip_suffix(';').map_or(text.to_owned(), |text| format!("{text}\\;"));
        self.tmux(&["send-keys", "-l", &text]);
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// What is on the screen.
    fn screen(&self) -> String {
        let seen = self.tmux(&["capture-pane", "-p"]);
        String::from_utf8_lossy(&seen.stdout).trim_end().to_owned()
    }

    /// What is on the screen, and what left it at its upper end.
    fn all(&self) -> String {
        let seen = self.tmux(&["capture-pane", "-p", "-S", "-"]);
        String::from_utf8_lossy(&seen.stdout).trim_end().to_owned()
    }

    fn wait(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "no {what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Types a line, leaves the pager that it may open, and returns what was printed.
    fn answer(&self, line: &str) -> String {
        let before = self.all();
        let asked = before.matches("dumpql>").count();
        self.write(line);
        self.press("Enter");
        let start = Instant::now();
        loop {
            let screen = self.screen();
            assert!(!screen.contains("panicked"), "{line}:\n{screen}");
            if is_paging(&screen) {
                self.press("q");
            } else {
                let all = self.all();
                if is_asking(&all) && all.matches("dumpql>").count() > asked {
                    let last = all.trim_end_matches("dumpql>").trim_end();
                    let from = last.rfind("dumpql>").unwrap_or(0);
                    return last.get(from..).unwrap_or_default().to_owned();
                }
            }
            assert!(start.elapsed() < PATIENCE, "no answer to {line}:\n{screen}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn is_asking(screen: &str) -> bool {
    screen.lines().last().is_some_and(|line| line.trim_end() == "dumpql>")
}

fn is_paging(screen: &str) -> bool {
    screen.lines().last().is_some_and(|line| line.contains("q leaves"))
}

/// The debugger commands and queries that a guide gives to `-c`.
fn commands(guide: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let of_shell = guide.lines().filter(|line| line.starts_with("dumpql --sample "));
    for line in of_shell {
        let words = crate::cli::shell_words(line);
        let pairs = words.windows(2).filter(|pair| pair[0] == "-c" || pair[0] == "-q");
        for pair in pairs {
            let is_query = pair[0] == "-q" && !pair[1].starts_with('!');
            let command = if is_query { format!(".run {}", pair[1]) } else { pair[1].clone() };
            let is_sql = command.starts_with("SELECT") || command.starts_with("FROM");
            commands.push(if is_sql { command + ";" } else { command });
        }
    }
    commands
}

fn type_the_tutorial(name: &str, columns: usize) {
    let terminal = Terminal::new(name, (columns, 40), "");
    let guide = include_str!("../../docs/tutorial.md");
    let commands = commands(guide);
    assert!(commands.len() > 12, "{commands:?}");
    for command in &commands {
        let answer = terminal.answer(command);
        assert!(!answer.contains("error"), "{command}: {answer}");
        assert!(answer.lines().count() > 2, "{command}: {answer}");
        let fits = |line: &&str| unicode_width::UnicodeWidthStr::width(*line) <= columns;
        assert!(answer.lines().all(|line| fits(&line)), "{command}: {answer}");
    }
    terminal.answer("!irpfind");
    assert!(terminal.answer(".sql").contains("FROM irps"));
    assert!(terminal.answer(".chart").contains('█'));
    assert!(terminal.answer("SELECT count(*) AS drivers FROM _;").contains("drivers"));
    assert!(terminal.answer(".export out.png").contains("error") || cfg!(feature = "png"));
    terminal.answer("!irpfind");
    let said = terminal.answer(".export irps.csv");
    assert!(said.contains("irps.csv: 5 rows"), "{said}");
    let written = std::fs::read_to_string(terminal.folder.file("irps.csv")).unwrap();
    assert_eq!(written.lines().count(), 6, "{written}");
}

#[test]
#[ignore = "needs the terminal tmux"]
fn the_tutorial_can_be_typed_at_80_columns() {
    type_the_tutorial("prompt80", 80);
}

#[test]
#[ignore = "needs the terminal tmux"]
fn the_tutorial_can_be_typed_at_200_columns() {
    type_the_tutorial("prompt200", 200);
}

#[test]
#[ignore = "needs the terminal tmux"]
fn what_the_screen_does_not_hold_is_paged() {
    let terminal = Terminal::new("pager", (80, 24), "");
    terminal.write("SELECT * FROM threads ORDER BY tid;");
    terminal.press("Enter");
    let first = terminal.wait("pager", is_paging);
    let head = first.lines().next().unwrap_or_default().to_owned();
    assert!(head.contains("process") && first.contains(" rows 1-21 of "), "{first}");
    terminal.press("PageDown");
    let next = terminal.wait("second page", |screen| screen.contains(" rows 22-42 of "));
    assert_eq!(next.lines().next(), Some(head.as_str()), "the header stays");
    terminal.press("Right");
    let right = terminal.wait("other columns", |s| s.lines().next() != Some(head.as_str()));
    assert!(right.contains(" rows 22-42 of "), "{right}");
    // The first column stays.
    let start = |text: &str| text.chars().take(9).collect::<String>();
    assert_eq!(start(&right), start(&head));
    terminal.press("g");
    terminal.write("/OUTLOOK");
    terminal.press("Enter");
    terminal.wait("a row", |screen| is_paging(screen) && !screen.contains(" rows 1-21 of "));
    terminal.press("End");
    terminal.wait("the end", |screen| screen.contains("-867 of 867"));
    // What moves nothing was meant for the prompt.
    terminal.write("SELECT 41 + 1 AS answer;");
    terminal.press("Enter");
    let left =
        terminal.wait("an answer", |s| is_asking(s) && s.contains("answer") && s.contains("42"));
    assert!(left.contains("867 rows; .last shows them again"), "{left}");
    assert!(terminal.answer(".last").contains("42"));
    terminal.answer("SELECT 1 AS one, 2 AS two, 3 AS three;");
    let picked = terminal.answer(".columns 1 three");
    assert!(picked.contains("│ one │ three │"), "{picked}");
    let listed = terminal.answer(".columns");
    assert!(listed.contains("1 *one, 2 two, 3 *three"), "{listed}");
    // Another program, and none.
    terminal.answer(".pager head -n 2");
    terminal.write("SELECT tid FROM threads;");
    terminal.press("Enter");
    terminal.wait("the end", |s| is_asking(s) && s.contains("867 rows"));
    terminal.answer(".pager off");
    let all = terminal.answer("SELECT tid FROM threads LIMIT 100;");
    assert!(all.lines().count() > 100, "{all}");
}

#[test]
#[ignore = "needs the terminal tmux"]
fn what_is_typed_is_hinted_at_and_completed() {
    let terminal = Terminal::new("hints", (100, 24), "");
    terminal.write("SELECT substr(name, ");
    let seen = terminal.wait("the signature", |s| s.contains("substring(VARCHAR, INTEGER"));
    let line = seen.lines().position(|line| line.contains("SELECT substr")).unwrap();
    let hint = seen.lines().position(|line| line.contains("substring(VARCHAR")).unwrap();
    assert_eq!(hint, line + 1, "{seen}");
    terminal.write("2) FROM modules LIMIT 1;");
    terminal.wait("no hint", |s| !s.contains("substring(VARCHAR"));
    terminal.press("C-u");
    terminal.write("SELECT count(*) FROM struct('_ERESO");
    terminal.press("Tab");
    terminal.wait("the type", |s| s.contains("struct('_ERESOURCE"));
    terminal.press("C-u");
    terminal.write("FROM list(nt, '_ERESOURCE', 'SystemR");
    terminal.press("Tab");
    terminal.wait("the field", |s| s.contains("'SystemResourcesList"));
    terminal.press("C-u");
    terminal.write("!poolused ");
    terminal.wait("the forms", |s| s.contains("!poolused 2|3 [$tag]"));
    terminal.press("C-u");
    let said = terminal.answer(".mode parquet");
    assert!(said.contains(".export NAME.parquet"), "{said}");
    assert!(terminal.answer("SELECT 1 AS one;").contains("│ one │"));
}

#[test]
#[ignore = "needs the terminal tmux"]
fn files_that_are_no_dumps_are_said_and_survived() {
    let terminal = Terminal::new("damaged", (80, 24), "");
    for (name, bytes) in
        [("empty.dmp", &b""[..]), ("text.dmp", b"no dump"), ("cut.dmp", b"PAGEDU64\x0f\0\0\0")]
    {
        std::fs::write(terminal.folder.file(name), bytes).unwrap();
        let said = terminal.answer(&format!(".open {name}"));
        assert!(said.contains("error") || said.contains("open"), "{name}: {said}");
        let still = terminal.answer("SELECT count(*) AS n FROM bugcheck;");
        assert!(still.contains("│ n"), "{name}: {still}");
    }
}
