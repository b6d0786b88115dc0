//! Commands that change how the prompt shows results.

use std::path::PathBuf;

use clap::ValueEnum as _;

use super::super::{OutputFile, Repl};
use super::words;
use crate::cli::args::{Format, Mode};
use crate::cli::table::push_clean;
use crate::export::FileFormat;

/// Files may read files, but not forever.
pub(super) const MAX_READS: usize = 16;

impl Repl<'_> {
    pub(super) fn set_mode(&mut self, name: &str) {
        if name.is_empty() {
            let name = format!("{:?}\n", self.mode).to_ascii_lowercase();
            return self.print(&name);
        }
        match Format::from_str(name, true).map(Mode::from) {
            Ok(Mode::File(FileFormat::Svg)) => {
                self.complain("a picture goes to a file: .export NAME.svg");
            }
            Ok(Mode::File(FileFormat::Xlsx)) => {
                self.complain("a workbook goes to a file: .output NAME.xlsx");
            }
            Ok(mode) => self.mode = mode,
            Err(_) if name == "excel" => self.mode = Mode::File(FileFormat::ExcelCsv),
            Err(_) => self.complain(&format!(
                "there is no mode {name}; modes are auto, table, line, csv, tsv, json, jsonl, md and html"
            )),
        }
    }

    pub(super) fn set_output(&mut self, path: Option<PathBuf>) {
        let workbook = self.mode == Mode::File(FileFormat::Xlsx);
        match path {
            Some(path) if path.as_os_str() != "stdout" => {
                if !self.may_write(&path) {
                    return;
                }
                let extension = path.extension().unwrap_or_default().to_string_lossy();
                if let Some(format) = FileFormat::from_extension(&extension) {
                    self.mode_before.get_or_insert(self.mode);
                    self.mode = Mode::File(format);
                }
                self.output = Some(OutputFile { path, answers: Vec::new() });
            }
            _ => {
                self.output = None;
                if let Some(mode) = self.mode_before.take() {
                    self.mode = mode;
                } else if workbook {
                    self.mode = Mode::Table;
                }
            }
        }
    }

    pub(super) fn set_param(&mut self, rest: &str) {
        match rest.split_once('=') {
            Some((name, value)) => {
                let name = name.trim().trim_start_matches('$').to_owned();
                self.params.insert(name, words(value).join(" "));
            }
            None if rest.is_empty() => {
                let mut clean = String::new();
                for (name, value) in &self.params {
                    push_clean(&format!("${name} = {value}"), &mut clean);
                    clean.push('\n');
                }
                self.print(&clean);
            }
            None => self.complain("expected NAME=VALUE: .param pid=4"),
        }
    }
}
