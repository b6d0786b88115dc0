-- title: What is at an address
-- description: The loaded or unloaded module that contains an address. An address in an unloaded
--   module means that a driver was unloaded while references to it remained.
-- debugger: lm|lmv a $address
-- param: address ADDRESS -- the address
SELECT 'loaded' AS state, name, base AS start, "end", $address - base AS offset_bytes
FROM modules WHERE $address >= base AND $address < "end"
UNION ALL
SELECT 'unloaded', name, start, "end", $address - start
FROM unloaded_modules WHERE $address >= start AND $address < "end";
