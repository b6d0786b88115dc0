-- title: Modules that differ between dumps
-- description: Modules with the same name but different build times over all open dumps, which shows
--   the one machine with an old driver.
-- chart: bar x=name y=builds
-- param: pattern VARCHAR = % -- names to compare, as for LIKE
-- dumps: together
-- needs: modules
SELECT name, count(DISTINCT timestamp) AS builds, count(DISTINCT dump) AS dumps,
       min(build_time) AS oldest, max(build_time) AS newest
FROM modules
WHERE name ILIKE $pattern
GROUP BY name
HAVING count(DISTINCT timestamp) > 1
ORDER BY builds DESC, name;
