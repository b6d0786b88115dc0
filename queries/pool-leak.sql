-- title: Pool that is not freed
-- description: Tags with many allocations of which a large part was never freed: where a leak shows.
-- param: least INTEGER = 10000 -- allocations that are not freed
-- param: percent INTEGER = 20 -- which part of all allocations they are
-- needs: pool_tags
SELECT tag, 'nonpaged' AS pool, nonpaged_allocs AS allocs, nonpaged_diff AS not_freed, nonpaged_bytes AS bytes,
       coalesce(binary, owner_modules) AS driver, session
FROM pool_tags
WHERE nonpaged_diff >= $least AND nonpaged_diff * 100 >= $percent * nonpaged_allocs
UNION ALL
SELECT tag, 'paged', paged_allocs, paged_diff, paged_bytes, coalesce(binary, owner_modules), session
FROM pool_tags
WHERE paged_diff >= $least AND paged_diff * 100 >= $percent * paged_allocs
ORDER BY 4 DESC, 1, 7 NULLS FIRST;
