-- title: Words that point to Unicode text
-- description: Words of memory from an address on, with the UTF-16 text that each points to.
-- debugger: dpu|ddu|dqu [$address] [L$count]
-- param: address VARCHAR = 'nt' -- an address or a symbol
-- param: count INTEGER = 16 -- how many words
SELECT address, value, utf16(value, dump) AS text FROM words($address, $count);
