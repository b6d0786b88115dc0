-- title: What is at an address
-- description: The loaded or unloaded module that an address lies in. An address in an unloaded
--   module is the mark of a driver that left something of its own behind.
-- debugger: lm|lmv a $address
-- param: address ADDRESS -- the address
SELECT 'loaded' AS state, name, base AS start, "end", $address - base AS offset_bytes
FROM modules WHERE $address >= base AND $address < "end"
UNION ALL
SELECT 'unloaded', name, start, "end", $address - start
FROM unloaded_modules WHERE $address >= start AND $address < "end";
