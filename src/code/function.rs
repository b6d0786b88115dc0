//! The basic blocks of a function: the code that branches reach from its start within its bounds.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fetch, Flow, Instruction, Isa, Window, decode};

/// Upper limit on the instructions of a function; the rest is left out.
const MAX_INSTRUCTIONS: usize = 50_000;
const BREAKPOINT: &[u8] = &[0xcc];

/// A basic block: branches lead only to its first instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its address.
    pub start: u64,
    /// Its instructions.
    pub instructions: Vec<Instruction>,
}

/// The blocks of the function that starts at an address, in address order. `belongs` says whether
/// an address may be code of the function. A block ends where code cannot be read or decoded.
pub fn function(
    isa: Isa,
    start: u64,
    fetch: Fetch<'_>,
    belongs: &dyn Fn(u64) -> bool,
) -> Vec<Block> {
    let mut code: BTreeMap<u64, Instruction> = BTreeMap::new();
    let mut leaders = BTreeSet::from([start]);
    let mut open = vec![start];
    let mut window = Window::new(fetch);
    while let Some(mut at) = open.pop() {
        while !code.contains_key(&at) {
            if code.len() >= MAX_INSTRUCTIONS {
                return blocks(&code, &leaders);
            }
            let found = decode(isa, at, window.at(at)).filter(|i| i.flow != Flow::Invalid);
            let Some(instruction) = found else { break };
            code.insert(at, instruction);
            let next = instruction.end();
            if let Some(target) = instruction.target.filter(|_| instruction.is_jump())
                && belongs(target)
            {
                leaders.insert(target);
                open.push(target);
            }
            let goes_on = match instruction.flow {
                Flow::Jump | Flow::Return | Flow::Stop | Flow::Invalid => false,
                Flow::Branch => {
                    leaders.insert(next);
                    true
                }
                // Consecutive breakpoint instructions are padding between functions.
                Flow::Next if instruction.bytes() == BREAKPOINT => {
                    !window.at(next).starts_with(BREAKPOINT)
                }
                Flow::Next | Flow::Call => true,
            };
            if !goes_on || next <= at || !belongs(next) {
                break;
            }
            at = next;
        }
    }
    blocks(&code, &leaders)
}

/// Cuts code into blocks: at branch targets, and where the preceding code does not fall through.
fn blocks(code: &BTreeMap<u64, Instruction>, leaders: &BTreeSet<u64>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut end = None;
    for (address, instruction) in code {
        match blocks.last_mut() {
            Some(block) if end == Some(*address) && !leaders.contains(address) => {
                block.instructions.push(*instruction);
            }
            _ => blocks.push(Block { start: *address, instructions: vec![*instruction] }),
        }
        end = Some(instruction.end());
    }
    blocks
}
