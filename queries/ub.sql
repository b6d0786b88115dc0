-- title: Instructions before an address
-- description: The code that ends at an address, such as the call before a return address.
-- debugger: ub [$address] [L$count]
-- param: address VARCHAR = 'nt' -- an address or a symbol
-- param: count INTEGER = 8 -- how many instructions
SELECT address, bytes, mnemonic, operands, alignment FROM disasm_back($address, $count);
