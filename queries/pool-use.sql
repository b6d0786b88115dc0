-- title: Where the pool is in use
-- description: Pages in use of each part of the pool: 4 MB a row, in 64 parts of 16 pages. The picture of the map of the pool.
-- chart: heat x=part y=address value=pages_in_use
-- needs: pool_pages
SELECT pool_type, session, align_down(address, 0x400000) AS address,
       (address - align_down(address, 0x400000)) // 0x10000 AS part,
       count(*) FILTER (WHERE state <> 'unused') AS pages_in_use
FROM pool_pages
GROUP BY pool_type, session, align_down(address, 0x400000), (address - align_down(address, 0x400000)) // 0x10000
ORDER BY pool_type, session NULLS FIRST, address, part;
