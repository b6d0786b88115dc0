-- title: System services and interrupts outside known modules
-- description: System services and interrupts that neither the kernel nor a loaded driver handles.
-- pattern: Hooked Functions
-- severity: high
-- meaning: System services or interrupts lead out of the kernel into code that no loaded driver owns: a filter that hides, or a rootkit.
-- next: Look at the address with module-at, and at the code with uf.
-- needs: ssdt, idt
-- optional: ssdt, idt
SELECT 'service' AS kind, index AS number, address, symbol FROM ssdt WHERE is_outside_module
UNION ALL
SELECT 'interrupt', vector, address, symbol FROM idt WHERE is_outside_module AND module IS NULL
ORDER BY kind, number;
