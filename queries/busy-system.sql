-- title: No processor is idle
-- description: The running threads of a system that has no idle processor; no row where one is idle.
-- pattern: Busy System
-- severity: medium
-- meaning: All processors run threads at the time of the dump: there is more work than processors, or threads loop.
-- next: Run ready for those that wait for a processor, and spiking-threads for those that use it.
-- needs: processors
SELECT processor, current_ethread, current_process, irql, is_idle
FROM processors
WHERE (SELECT bool_or(coalesce(is_idle, true)) FROM processors) = false
ORDER BY processor;
