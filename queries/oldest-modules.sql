-- title: The oldest modules
-- description: Images by the date in their header, oldest first. Reproducible builds put a hash
--   there, so dates before 1995 or after the dump are left out.
-- param: top INTEGER = 15 -- how many
-- needs: modules
SELECT m.name, to_timestamp(m.timestamp) AS built, m.base, m.size_bytes
FROM modules AS m JOIN dump AS d ON m.dump = d.dump
WHERE to_timestamp(m.timestamp) BETWEEN TIMESTAMP '1995-01-01' AND d.system_time
ORDER BY built, m.name
LIMIT $top;
