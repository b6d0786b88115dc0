//! Commands that change how the prompt shows results.

use std::path::PathBuf;

use clap::ValueEnum as _;

use super::super::{OutputFile, Repl};
use super::words;
use crate::cli::args::{Format, Mode};
use crate::cli::pager::Pager;
use crate::cli::table::push_clean;
use crate::export::FileFormat;

/// The maximum nesting of files that read files.
pub(super) const MAX_READS: usize = 16;

impl Repl<'_> {
    pub(super) fn set_mode(&mut self, name: &str) {
        if name.is_empty() {
            let name = format!("{:?}\n", self.mode).to_ascii_lowercase();
            return self.print(&name);
        }
        match Format::from_str(name, true).map(Mode::from) {
            Ok(Mode::File(format)) if !format.is_text() || format.is_picture() => {
                let ending = format.extension();
                self.complain(&format!(
                    "{name} goes to a file: .export NAME.{ending} writes the last result, \
                     .output NAME.{ending} those that follow"
                ));
            }
            Ok(mode) => self.mode = mode,
            Err(_) if name == "excel" => self.mode = Mode::File(FileFormat::ExcelCsv),
            Err(_) => self.complain(&format!(
                "there is no mode {name}; modes are auto, table, line, csv, tsv, json, jsonl, md and html"
            )),
        }
    }

    pub(super) fn set_output(&mut self, path: Option<PathBuf>) {
        let is_binary = matches!(self.mode, Mode::File(format) if !format.is_text());
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
                } else if is_binary {
                    self.mode = Mode::Table;
                }
            }
        }
    }

    pub(super) fn set_pager(&mut self, name: &str) {
        if name.is_empty() {
            let mut text = String::new();
            push_clean(&self.pager.to_string(), &mut text);
            return self.print(&(text + "\n"));
        }
        self.pager = Pager::named(name);
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
