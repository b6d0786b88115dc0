-- title: Pool leaks
-- description: Tags with many allocations of which a large part was never freed, and tags that use a large part of the pool's limit.
-- chart: bar x=tag y=bytes series=pool
-- pattern: Insufficient Memory (kernel pool)
-- severity: medium
-- meaning: Tags hold very many allocations that were never freed, or a large part of what their pool may have: where a leak shows.
-- next: Find the driver behind a tag by its column driver, and compare with a dump that was made later (pool-growth).
-- param: least INTEGER = 10000 -- minimum number of allocations that were not freed
-- param: percent INTEGER = 20 -- minimum percentage of all allocations of the tag
-- param: share INTEGER = 5 -- minimum percentage of the pool's limit
-- needs: pool_tags
-- optional: vm, sessions
WITH used AS (
    SELECT tag, 'nonpaged' AS pool, nonpaged_allocs AS allocs, nonpaged_diff AS not_freed, nonpaged_bytes AS bytes,
           coalesce(binary, owner_modules) AS driver, session, dump, log_target
    FROM pool_tags
    UNION ALL
    SELECT tag, 'paged', paged_allocs, paged_diff, paged_bytes, coalesce(binary, owner_modules), session, dump, log_target
    FROM pool_tags
),
limits AS (
    SELECT CASE name WHEN 'NonPagedPool Max' THEN 'nonpaged' ELSE 'paged' END AS pool, -1 AS session, dump, log_target, max(bytes) AS most
    FROM vm
    WHERE name IN ('NonPagedPool Max', 'PagedPool Maximum')
    GROUP BY name, dump, log_target
    UNION ALL
    SELECT 'paged', session, dump, log_target, max(paged_pool_limit_bytes) FROM sessions GROUP BY session, dump, log_target
)
SELECT used.tag, used.pool, used.allocs, used.not_freed, used.bytes,
       round(100.0 * used.bytes / limits.most, 1) AS percent_of_limit, used.driver, used.session
FROM used
LEFT JOIN limits ON limits.pool = used.pool AND limits.session = coalesce(used.session, -1) AND limits.dump = used.dump
    AND coalesce(limits.log_target, 0) = coalesce(used.log_target, 0)
WHERE used.not_freed >= $least AND used.not_freed * 100 >= $percent * used.allocs
   OR used.bytes * 100 >= $share * limits.most
ORDER BY used.bytes DESC, used.tag, used.pool, used.session NULLS FIRST;
