-- title: Drivers that were loaded and unloaded repeatedly
-- description: Names that occur several times among the unloaded modules. A driver that is loaded and
--   unloaded repeatedly may leak pool each time.
-- pattern: Drivers that come and go
-- severity: low
-- meaning: A driver was loaded and unloaded again and again; what it left behind each time adds up.
-- next: Compare its pool tags with pool-leak.
-- param: times INTEGER = 2 -- minimum number of times
-- needs: unloaded_modules
SELECT name, count(*) AS times, count(DISTINCT start) AS places, min(start) AS lowest, max("end") AS highest
FROM unloaded_modules
GROUP BY name
HAVING count(*) >= $times
ORDER BY times DESC, name;
