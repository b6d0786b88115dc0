-- title: DPC queues
-- description: The deferred procedure calls (DPCs) that are queued for each processor. A long queue behind one routine names the driver that runs too long.
-- debugger: !dpcs [*]
-- needs: dpcs
SELECT processor, type, regexp_replace(routine_symbol, '[!+].*$', '') AS module, routine_symbol, count(*) AS queued
FROM dpcs
GROUP BY processor, type, module, routine_symbol
ORDER BY processor, queued DESC, routine_symbol;
