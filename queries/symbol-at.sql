-- title: The symbol at an address
-- description: The symbol that an address belongs to, and the module.
-- debugger: ln $address
-- param: address ADDRESS = 0 -- the address
SELECT $address AS address, symbol($address) AS symbol, module_of($address) AS module;
