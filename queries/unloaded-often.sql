-- title: Drivers that were loaded and unloaded repeatedly
-- description: Names that occur several times among the unloaded modules. A driver that is loaded and
--   unloaded repeatedly may leak pool each time.
-- param: times INTEGER = 2 -- minimum number of times
-- needs: unloaded_modules
SELECT name, count(*) AS times, count(DISTINCT start) AS places, min(start) AS lowest, max("end") AS highest
FROM unloaded_modules
GROUP BY name
HAVING count(*) >= $times
ORDER BY times DESC, name;
