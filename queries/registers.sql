-- title: Registers
-- description: The registers of each context that the dump holds, with the symbols that they point to.
-- debugger: r, r $name
-- param: name VARCHAR = % -- the register; % stands for any text
-- needs: registers
SELECT tid, processor, name, value, symbol, ascii, utf16
FROM registers
WHERE name ILIKE ltrim($name, '@')
ORDER BY processor NULLS FIRST, tid;
