-- title: Address space by use
-- description: How much of the address space is committed, reserved and free, and as what.
-- alias: !address
-- needs: memory_regions
SELECT state, type, count(*) AS regions, sum(size_bytes) AS bytes, format_bytes(sum(size_bytes)) AS size,
       max(size_bytes) AS largest_bytes
FROM memory_regions
GROUP BY state, type
ORDER BY bytes DESC;
