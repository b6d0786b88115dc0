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
