-- title: Timers by module
-- description: The modules of active timers, how many timers are periodic, and the shortest period.
-- debugger: !timer [*]
-- chart: bar x=module y=timers
-- needs: timers
SELECT regexp_replace(routine_symbol, '[!+].*$', '') AS module, count(*) AS timers,
    count(*) FILTER (WHERE is_periodic) AS periodic,
    min(period_ms) FILTER (WHERE is_periodic) AS shortest_ms, min(due_time) AS next_due
FROM timers
GROUP BY module
ORDER BY timers DESC, module;
