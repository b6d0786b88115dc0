-- title: What the dump holds
-- description: Ranges of memory in the file by kind, so that a number from a partial dump is read
--   with its doubt.
-- chart: bar x=kind y=bytes
-- needs: coverage
SELECT kind, space, count(*) AS ranges, sum(size_bytes) AS bytes, min(start) AS lowest, max("end") AS highest
FROM coverage
GROUP BY kind, space
ORDER BY bytes DESC;
