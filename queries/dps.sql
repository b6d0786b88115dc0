-- title: Words with symbols
-- description: Words of memory from an address on, with the symbol that each points to.
-- debugger: dps|dqs|dds|dpp|dq [$address] [L$count]
-- param: address VARCHAR = 'nt' -- an address or a symbol
-- param: count INTEGER = 16 -- how many words
SELECT address, value, symbol FROM words($address, $count);
