-- title: Address space by use
-- description: How much of the address space is committed, reserved and free, by kind; for kernel dumps by process.
-- debugger: !address [-summary]
-- chart: bar x=type y=bytes series=state
-- needs: memory_regions
SELECT process, pid, state, type, count(*) AS regions, sum(size_bytes) AS bytes, format_bytes(sum(size_bytes)) AS size,
       max(size_bytes) AS largest_bytes
FROM memory_regions
GROUP BY process, pid, state, type
ORDER BY process, pid, bytes DESC, state, type;
