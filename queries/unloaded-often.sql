-- title: Drivers loaded and unloaded again and again
-- description: Names that occur several times among the unloaded modules. A driver that comes and
--   goes may leave its pool allocations behind each time.
-- param: times INTEGER = 2 -- how often is often
-- needs: unloaded_modules
SELECT name, count(*) AS times, count(DISTINCT start) AS places, min(start) AS lowest, max("end") AS highest
FROM unloaded_modules
GROUP BY name
HAVING count(*) >= $times
ORDER BY times DESC, name;
