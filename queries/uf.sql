-- title: A function
-- description: The code of the function that an address or a symbol is in, block by block.
-- debugger: uf [$address]
-- param: address VARCHAR = 'nt' -- an address or a symbol in the function
SELECT block, address, bytes, mnemonic, operands FROM disasm_function($address);
