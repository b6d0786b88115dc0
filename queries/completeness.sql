-- title: What the dump holds
-- description: Ranges of memory in the file by kind. It shows how far the numbers from a partial dump can be trusted.
-- needs: coverage
SELECT kind, space, count(*) AS ranges, sum(size_bytes) AS bytes, min(start) AS lowest, max("end") AS highest
FROM coverage
GROUP BY kind, space
ORDER BY bytes DESC;
