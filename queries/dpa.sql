-- title: Words that point to ASCII text
-- description: Words of memory from an address on, with the null-terminated ASCII text that each points to.
-- debugger: dpa|dda|dqa [$address] [L$count]
-- param: address VARCHAR = 'nt' -- an address or a symbol
-- param: count INTEGER = 16 -- how many words
SELECT address, value, ascii(value, dump) AS text FROM words($address, $count);
