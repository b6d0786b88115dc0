-- title: The oldest modules
-- description: Images by the date in their header, oldest first. Reproducible builds have a hash
--   instead of a date and are left out.
-- param: top INTEGER = 15 -- how many
-- needs: modules
SELECT name, build_time AS built, base, size_bytes
FROM modules
WHERE build_time IS NOT NULL
ORDER BY built, name
LIMIT $top;
