# The project's everyday commands. `just` alone lists them.

default:
    @just --list --unsorted

# Formatting, lints, and the tests that need no dump of the corpus
check:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo test --lib

# Everything there is to test
test *filter:
    cargo test {{filter}}

# The query tests under tests/slt; a filter picks files
slt *filter:
    cargo test --test it slt {{filter}}

# Rewrites expected results that are kept in the source. Review the difference.
bless:
    UPDATE_EXPECT=1 cargo test

# Rewrites docs/generated from the specifications
docs:
    UPDATE_DOCS=1 cargo test --test it docs

# The tests on real dumps, of the folder DUMPQL_CORPUS, and those against other programs
real:
    cargo test --test real

# Feeds every reader with edits of files that are made here, so many seconds each
fuzz seconds *targets:
    cargo run --example fuzz -- {{seconds}} {{targets}}

# At least a million damaged or hostile inputs over all targets; prints the table of docs/reliability.md
reliability inputs="1000000":
    chrt -i 0 cargo run --example fuzz -- --inputs {{inputs}}

# Generated queries under a limit of memory, each against four inputs
budget queries="1000":
    cargo run --example budget -- {{queries}}

# Kills the program in the middle of exports and index writes, so many times
kill times="200":
    DUMPQL_KILLS={{times}} cargo test --test it evidence::killed -- --nocapture

# Threads on one session with queries cancelled at random, for so many minutes
soak minutes="30":
    cargo run --release --example soak -- {{minutes}}

# Known vulnerabilities of dependencies; needs the network
advisories:
    cargo install cargo-deny --locked
    cargo deny check advisories

# The benchmarks
bench:
    cargo bench

# Layout packs from layout files and a folder of symbol tables
packs +inputs:
    tools/make_pack.py --out src/symbol/pack {{inputs}}

# What continuous integration runs
ci:
    .ci/run

# Archives of the program under dist/, for this machine or for the targets that are named
dist *targets:
    tools/dist {{targets}}
