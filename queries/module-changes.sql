-- title: Modules that came, went or changed
-- description: Over two or more dumps: modules of the last dump that the first does not have in that build, and the other way round.
-- dumps: together
-- needs: dump, modules
WITH times AS (
    SELECT dump, row_number() OVER (ORDER BY system_time, dump) AS nth, count(*) OVER () AS dumps FROM dump
),
ends AS (
    SELECT m.name, m.timestamp, m.size_bytes, max(m.file_version) AS file_version,
           bool_or(nth = 1) AS in_first, bool_or(nth = dumps) AS in_last
    FROM modules AS m
    JOIN times ON times.dump = m.dump
    WHERE dumps > 1 AND (nth = 1 OR nth = dumps)
    GROUP BY m.name, m.timestamp, m.size_bytes
)
SELECT name, CASE WHEN in_first THEN 'only in the first' ELSE 'only in the last' END AS change, file_version, timestamp, size_bytes
FROM ends
WHERE in_first <> in_last
ORDER BY name, change;
