-- title: Summary of the pool
-- description: The limit of each pool in pages, and how many pages are in use according to its page map.
-- debugger: !xpool -summary
-- needs: pool_pages, vm, sessions
WITH pools AS (
    SELECT pool_type, session, count(*) FILTER (WHERE state <> 'unused') AS pages_in_use,
           count(*) FILTER (WHERE state IS NULL) AS pages_unknown
    FROM pool_pages
    GROUP BY pool_type, session
),
limits AS (
    SELECT CASE name WHEN 'NonPagedPool Max' THEN 'nonpaged' ELSE 'paged' END AS pool_type, pages
    FROM vm
    WHERE name IN ('NonPagedPool Max', 'PagedPool Maximum')
)
SELECT pools.pool_type, pools.session, coalesce(limits.pages, sessions.paged_pool_limit_bytes // 0x1000) AS maximum_pages,
       pools.pages_in_use,
       round(100.0 * pools.pages_in_use / coalesce(limits.pages, sessions.paged_pool_limit_bytes // 0x1000), 1) AS percent,
       pools.pages_unknown
FROM pools
LEFT JOIN limits ON limits.pool_type = pools.pool_type
LEFT JOIN sessions ON sessions.session = pools.session
ORDER BY pools.pool_type, pools.session NULLS FIRST;
