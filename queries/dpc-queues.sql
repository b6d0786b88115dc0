-- title: Deferred calls
-- description: What is queued for each processor; a long queue behind one routine names the driver that is late.
-- debugger: !dpcs [*]
-- needs: dpcs
SELECT processor, type, regexp_replace(routine_symbol, '[!+].*$', '') AS module, routine_symbol, count(*) AS queued
FROM dpcs
GROUP BY processor, type, module, routine_symbol
ORDER BY processor, queued DESC, routine_symbol;
