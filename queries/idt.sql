-- title: Interrupt descriptor table
-- description: The handler of each interrupt vector.
-- debugger: !idt [-a|*]
-- needs: idt
SELECT processor, vector, address, module, symbol, interrupt_object, is_outside_module
FROM idt
ORDER BY processor, vector;
