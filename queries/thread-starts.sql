-- title: Threads by what they run
-- description: How many threads started at the same place: a pool that grew without bound shows as
--   one row with a large number.
-- chart: bar x=started_at y=threads
-- needs: threads
SELECT coalesce(win32_start_symbol, start_symbol, '(unknown)') AS started_at, count(*) AS threads,
       min(create_time) AS first, max(create_time) AS last
FROM threads
GROUP BY 1
ORDER BY threads DESC, started_at;
