//! Damaged debugger logs: ten thousand random edits of text; everything in each variant is read.
//! Random edits of bytes are in `hostile.rs`; these know lines, words and numbers, and the changes
//! that publishing makes. No edit may cause a panic or a hang.

use std::path::PathBuf;

use dumpql::internals::dump::Image;
use rayon::prelude::*;

use super::{corpus, hostile};
use crate::watchdog::watch;

const EDITS: usize = 10_000;

/// What breaks careless readers of words.
const WORDS: [&str; 24] = [
    "",
    "0",
    "-1",
    "0x",
    "0x`",
    "`",
    "ffffffffffffffff",
    "fffffffffffffffff",
    "99999999999999999999",
    "18446744073709551616",
    "9223372036854775808",
    "(((((((((",
    "[",
    ")",
    ":",
    "+0x",
    "!",
    "é…“”×",
    "\u{0}",
    "\r",
    "…",
    "kd> k",
    "0: kd> !analyze -v",
    "\t\t\t\t",
];

/// A log of every shape that a reader of stacks, registers and records has to know.
const OWN: &str = "\
Microsoft (R) Windows Debugger Version 10.0.22621.755 AMD64\n\
Loading Dump File [C:\\a.dmp]\n\
Windows 7 Kernel Version 7601 (Service Pack 1) MP (4 procs) Free x64\n\
Debug session time: Mon Aug 17 14:36:36.286 2015 (UTC - 7:00)\n\
System Uptime: 0 days 11:46:55.313\n\
ModLoad: 00007ff8`85350000 00007ff8`85567000   ntdll.dll\n\
BugCheck 8E, {c0000005, ac08f2fa, 93df4a50, 0}\n\
Probably caused by : a.sys ( a!b+1 )\n\
3: kd> kvn;r\n\
 # Child-SP          RetAddr               : Args to Child : Call Site\n\
00 ffff8287`1fbd71d0 fffff804`5e40c800     : 0000000000000001 2 3 4 : nt!KiSwapContext+0x76 [a.c @ 7]\n\
0b (Inline Function) --------`--------     App!main+0x22 [x.cpp @ 78]\n\
rax=0000000000000000 rbx=0000000000000000 rcx=ffffc88ab6420f60\n\
iopl=0         nv up ei pl nz na po nc\n\
nt!Foo+0x1:\n\
fffff804`5e40c800 488b10          mov     rdx,qword ptr [rax] ds:00000000`00000000=????????\n\
kd> !running\n\
System Processors f (affinity mask)\n\
     Prcb      Current   Next\n\
  1  f7737120  8a3da020            ................\n\
0:000> dps 1\n\
f4265bec  f79c9743 nt!KeBugCheckEx+0x1b\n\
ExceptionAddress: 682e4083 (FORMATS!ReadXPM_W+0x00003de3)\n\
   ExceptionCode: c0000409 (Security check failure)\n\
NumberParameters: 1\n\
   Parameter[0]: 00000002\n\
0:000> ~*k\n\
.  0  Id: f0f0.15c Suspend: 1 Teb: 00000000`7fff8000 Unfrozen \"name\"\n\
f4265bec f79c9743 nt!KeBugCheckEx(int a = 0n1,\n   int b = 0n2)+0x1b\n";

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end.max(1) as u64).unwrap()
    }

    /// One edit of the lines of a text.
    fn edit(&mut self, lines: &mut Vec<String>) {
        let (at, other) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(10) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(other, lines[at].clone()),
            2 => lines.swap(at, other),
            3 => {
                // A line is broken, as mail does.
                let cut = self.place(&lines[at]);
                let rest = lines[at].split_off(cut);
                lines.insert(at + 1, rest);
            }
            4 if at + 1 < lines.len() => {
                let next = lines.remove(at + 1);
                lines[at].push_str(&next);
            }
            5 => {
                let cut = self.place(&lines[at]);
                lines[at].truncate(cut);
            }
            6 => lines[at] = lines[at].split_whitespace().collect::<Vec<_>>().join(" "),
            7 => {
                let cut = self.place(&lines[at]);
                lines[at].insert_str(cut, WORDS[self.below(WORDS.len())]);
            }
            _ => {
                let mut words: Vec<&str> = lines[at].split(' ').collect();
                let word = self.below(words.len());
                words[word] = WORDS[self.below(WORDS.len())];
                lines[at] = words.join(" ");
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }

    fn place(&mut self, line: &str) -> usize {
        let mut at = self.below(line.len() + 1);
        while !line.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

fn read_everything(bytes: Vec<u8>) {
    hostile::read_everything(Image::from_bytes("log", bytes), 0);
}

/// Encodes a text as debuggers and editors do.
fn encoded(text: &str, how: usize) -> Vec<u8> {
    match how {
        0 => {
            [&b"\xff\xfe"[..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()]
                .concat()
        }
        1 => [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(),
        2 => text.replace('\n', "\r\n").into_bytes(),
        3 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(0x85)).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

fn hammer(name: &str, text: &str, edits: usize, seed: u64) {
    for number in 0..edits {
        let mut random = Random(seed.wrapping_mul(1 << 20).wrapping_add(number as u64));
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.push(String::new());
        for _ in 0..=random.below(12) {
            random.edit(&mut lines);
        }
        let bytes = encoded(&lines.join("\n"), random.below(12));
        let _watched = watch(format!("{name}: variant {number} of seed {seed}"));
        let found = std::panic::catch_unwind(|| read_everything(bytes));
        assert!(found.is_ok(), "{name}: variant {number} of seed {seed} failed");
    }
}

fn samples() -> Vec<PathBuf> {
    let Some(logs) = corpus::folder().map(|corpus| corpus.join("logs")) else { return Vec::new() };
    let folders = std::fs::read_dir(logs).into_iter().flatten().flatten().map(|e| e.path());
    let files = folders.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[test]
fn edited_logs_are_read_or_rejected() {
    hammer("own", OWN, EDITS / 2, 0);
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn edited_real_logs_are_read_or_rejected() {
    let samples = samples();
    let share = EDITS / 2 / samples.len().max(1);
    let all: Vec<(u64, &PathBuf)> = (1..).zip(&samples).collect();
    all.into_par_iter().for_each(|(seed, path)| {
        let text = String::from_utf8_lossy(&std::fs::read(path).expect("samples are readable"))
            .into_owned();
        // Of long samples, the first part has every shape.
        let end = text.char_indices().map(|(at, _)| at).nth(8000).unwrap_or(text.len());
        hammer(&path.display().to_string(), &text[..end], share, seed);
    });
}
