-- title: Registers that point into modules
-- description: Where the registers of the crash lead to.
-- needs: registers
SELECT tid, name, value, symbol
FROM registers
WHERE is_in_module
ORDER BY tid, value, name;
