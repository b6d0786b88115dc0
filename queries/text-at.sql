-- title: Text at an address
-- description: The zero-terminated text at an address, read as ASCII and as UTF-16.
-- debugger: da|du|ds $address [*]
-- param: address ADDRESS = 0 -- the address
SELECT $address AS address, ascii($address) AS ascii, utf16($address) AS utf16;
