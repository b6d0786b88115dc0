-- title: System services and interrupts outside known modules
-- description: System services and interrupts that neither the kernel nor a loaded driver handles.
-- needs: ssdt, idt
-- optional: ssdt, idt
SELECT 'service' AS kind, index AS number, address, symbol FROM ssdt WHERE is_outside_module
UNION ALL
SELECT 'interrupt', vector, address, symbol FROM idt WHERE is_outside_module AND module IS NULL
ORDER BY kind, number;
