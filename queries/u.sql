-- title: Instructions from an address on
-- description: The code at an address or a symbol, one instruction per row.
-- debugger: u [$address] [L$count]
-- param: address VARCHAR = 'nt' -- an address or a symbol such as nt!KiIdleLoop
-- param: count INTEGER = 8 -- how many instructions
SELECT address, bytes, mnemonic, operands FROM disasm($address, $count);
