-- title: Modules that differ between dumps
-- description: Modules of one name that were built at several times, over all open dumps: the one
--   machine with the old driver stands out.
-- chart: bar x=name y=builds
-- param: pattern VARCHAR = % -- names to look at, as for LIKE
-- needs: modules
SELECT name, count(DISTINCT timestamp) AS builds, count(DISTINCT dump) AS dumps,
       min(build_time) AS oldest, max(build_time) AS newest
FROM modules
WHERE name ILIKE $pattern
GROUP BY name
HAVING count(DISTINCT timestamp) > 1
ORDER BY builds DESC, name;
