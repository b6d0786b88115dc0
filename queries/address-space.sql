-- title: Address space by process
-- description: Ranges of the address space of each process, by kind and protection. Executable memory that no file backs is suspicious.
-- debugger: !vad [*]
-- chart: bar x=process y=bytes series=type
-- needs: vads
SELECT process, pid, type, protection, count(*) AS ranges, sum(size_bytes) AS bytes, sum(commit_pages) AS commit_pages
FROM vads
GROUP BY process, pid, type, protection
ORDER BY process, pid, bytes DESC, type, protection;
