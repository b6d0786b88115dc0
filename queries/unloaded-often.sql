-- title: Drivers loaded and unloaded again and again
-- description: Names that occur several times among the unloaded modules. A driver that comes and
--   goes may leave its pool allocations behind each time.
-- pattern: Drivers that come and go
-- severity: low
-- meaning: A driver was loaded and unloaded again and again; what it left behind each time adds up.
-- next: Compare its pool tags with pool-leak.
-- param: times INTEGER = 2 -- how often is often
-- needs: unloaded_modules
SELECT name, count(*) AS times, count(DISTINCT start) AS places, min(start) AS lowest, max("end") AS highest
FROM unloaded_modules
GROUP BY name
HAVING count(*) >= $times
ORDER BY times DESC, name;
