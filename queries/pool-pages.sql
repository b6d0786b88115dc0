-- title: Pages of the pool
-- description: How many pages of each pool are in use, as single pages and as runs.
-- alias: !xpool
-- needs: pool_pages
SELECT pool_type, state, is_paged_out, count(*) AS pages
FROM pool_pages
GROUP BY pool_type, state, is_paged_out
ORDER BY pool_type, pages DESC, state;
