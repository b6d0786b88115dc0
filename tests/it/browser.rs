//! Reports in a real browser: tables sort and filter, and no value of a dump is run.
//!
//! A page that may look into the report (by options of the browser that nobody browses with) clicks
//! what a person clicks, and writes down what it sees.

use std::process::Command;

use crate::cli::{Folder, program};

/// Cells that would run where they are not escaped, in an order that is no order.
const HOSTILE: &str = r#"-- title: Hostile names
-- pattern: Hostile <i>names</i>
-- severity: high
-- meaning: Names <b>that</b> hold <script>window.hacked = 5</script>.
-- next: Nothing.
-- chart: bar x=a y=v
SELECT range AS n, '<img src=x onerror="window.hacked=1">' AS a,
    '</td></tr></table><script>window.hacked=2</script>' AS b,
    CASE WHEN range = 4 THEN NULL ELSE range * 7 % 11 END AS v
FROM range(12);
"#;

const DRIVER: &str = r#"<iframe id="page" width="1000" height="800"></iframe><pre id="out">not run</pre>
<script>
var frame = document.getElementById('page'), out = [];
function say(name, value) { out.push(name + '=' + value); }
frame.onload = function () {
  try {
    var page = frame.contentDocument, view = frame.contentWindow;
    var all = Array.prototype.slice.call(page.querySelectorAll('table.rows'));
    var table = all.filter(function (t) { return t.tHead.textContent.indexOf('nabv') === 0; })[0];
    var cells = function (at) {
      var rows = Array.prototype.slice.call(table.tBodies[0].rows);
      return rows.filter(function (row) { return row.offsetHeight > 0; })
        .map(function (row) { return row.cells[at].textContent; }).join(' ');
    };
    var head = table.tHead.rows[0].cells[3];
    say('first', cells(3));
    head.click();
    say('up', cells(3) + ' ' + head.getAttribute('aria-sort'));
    head.click();
    say('down', cells(3) + ' ' + head.getAttribute('aria-sort'));
    table.tHead.rows[0].cells[0].dispatchEvent(new view.KeyboardEvent('keydown', { key: 'Enter' }));
    say('key', cells(0));
    var filter = table.parentNode.querySelector('input[type=search]');
    filter.value = '10';
    filter.dispatchEvent(new view.Event('input'));
    say('filtered', cells(0));
    filter.value = 'NULL';
    filter.dispatchEvent(new view.Event('input'));
    say('null', cells(0));
    var copy = page.querySelector('details.sql button');
    copy.click();
    say('copy', copy.textContent);
    var script = page.createElement('script');
    script.textContent = 'window.hacked = 4';
    page.body.appendChild(script);
    say('hacked', view.hacked);
    say('images', page.images.length);
    say('loaded', view.performance.getEntriesByType('resource').length);
  } catch (error) { say('error', error); }
  document.getElementById('out').textContent = out.join('\n');
};
frame.src = 'report.html';
</script>
"#;

fn browser() -> Command {
    Command::new(std::env::var("DUMPQL_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned()))
}

#[test]
#[ignore = "needs the browser Chromium (DUMPQL_CHROMIUM)"]
fn a_report_sorts_filters_and_runs_nothing_of_the_dump() {
    let folder = Folder::new("browser");
    let (library, report) = (folder.file("hostile.sql"), folder.file("report.html"));
    std::fs::write(&library, HOSTILE).unwrap();
    std::fs::write(folder.file("drive.html"), DRIVER).unwrap();
    let written =
        program().args(["--sample", "--library", &library, "--report", &report]).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let seen = browser()
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"])
        .args(["--disable-web-security", "--allow-file-access-from-files"])
        .arg("--virtual-time-budget=20000")
        .arg(format!("--user-data-dir={}", folder.file("profile")))
        .arg(format!("file://{}", folder.file("drive.html")))
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&seen.stdout).into_owned();
    let said = page.split_once("<pre id=\"out\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let said = said.map_or(page.as_str(), |(said, _)| said);
    let wanted = [
        "first=0 7 3 10 NULL 2 9 5 1 8 4 0",
        "up=0 0 1 2 3 4 5 7 8 9 10 NULL ascending",
        "down=10 9 8 7 5 4 3 2 1 0 0 NULL descending",
        "key=0 1 2 3 4 5 6 7 8 9 10 11",
        "filtered=3 10",
        "null=4",
        "copy=copied",
        "hacked=undefined",
        "images=0",
        "loaded=0",
    ];
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines, wanted);
}
