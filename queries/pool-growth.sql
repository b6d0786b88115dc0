-- title: Pool tags that grew
-- description: Over two or more dumps of one system: tags that have more in the last dump than in the first, by their growth.
-- reading: A tag that grows from dump to dump is what leaks. Open the dumps of one system, made one after the other.
-- chart: bar x=tag y=grown_bytes
-- dumps: together
-- needs: dump, pool_tags
WITH times AS (
    SELECT dump, row_number() OVER (ORDER BY system_time, dump) AS nth, count(*) OVER () AS dumps FROM dump
),
used AS (
    SELECT dump, tag, sum(coalesce(nonpaged_bytes, 0) + coalesce(paged_bytes, 0)) AS bytes,
           sum(coalesce(nonpaged_diff, 0) + coalesce(paged_diff, 0)) AS blocks,
           min(coalesce(binary, owner_modules)) AS driver
    FROM pool_tags
    GROUP BY dump, tag
),
ends AS (
    SELECT used.tag, max(driver) AS driver,
           sum(CASE WHEN nth = 1 THEN bytes ELSE 0 END) AS first_bytes, sum(CASE WHEN nth = dumps THEN bytes ELSE 0 END) AS last_bytes,
           sum(CASE WHEN nth = 1 THEN blocks ELSE 0 END) AS first_blocks, sum(CASE WHEN nth = dumps THEN blocks ELSE 0 END) AS last_blocks
    FROM used
    JOIN times ON times.dump = used.dump
    WHERE dumps > 1
    GROUP BY used.tag
)
SELECT tag, first_bytes, last_bytes, last_bytes - first_bytes AS grown_bytes, last_blocks - first_blocks AS grown_blocks, driver
FROM ends
WHERE last_bytes > first_bytes
ORDER BY grown_bytes DESC, tag;
