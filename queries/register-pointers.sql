-- title: Registers that point into modules
-- description: The modules and symbols that the registers of the crash point to.
-- needs: registers
SELECT tid, name, value, symbol
FROM registers
WHERE is_in_module
ORDER BY tid, value, name;
