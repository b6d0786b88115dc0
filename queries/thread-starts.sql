-- title: Threads by start address
-- description: The number of threads with the same start address. A thread pool that grew without bound
--   is one row with a large number.
-- chart: bar x=started_at y=threads
-- needs: threads
SELECT coalesce(win32_start_symbol, start_symbol, '(unknown)') AS started_at, count(*) AS threads,
       min(create_time) AS first, max(create_time) AS last
FROM threads
GROUP BY 1
ORDER BY threads DESC, started_at;
