-- title: Pages of the pool
-- description: How many pages of each pool are in use, as single pages and as runs.
-- debugger: !xpool
-- chart: bar x=state y=pages series=pool_type
-- needs: pool_pages
SELECT pool_type, state, is_paged_out, count(*) AS pages
FROM pool_pages
GROUP BY pool_type, state, is_paged_out
ORDER BY pool_type, pages DESC, state;
