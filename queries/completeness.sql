-- title: What the dump holds
-- description: Ranges of memory in the file by kind. A total over a partial dump covers only what these ranges hold.
-- chart: bar x=kind y=bytes
-- needs: coverage
SELECT kind, space, count(*) AS ranges, sum(size_bytes) AS bytes, min(start) AS lowest, max("end") AS highest
FROM coverage
GROUP BY kind, space
ORDER BY bytes DESC;
