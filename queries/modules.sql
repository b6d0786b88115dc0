-- title: Loaded modules
-- description: Loaded images by address, with the build date if the header has one.
-- alias: lm
-- param: pattern VARCHAR = % -- names to list, as for LIKE
-- needs: modules
SELECT base, "end", name, image_name, size_bytes, file_version,
       build_time AS built, checksum, pdb_name
FROM modules
WHERE name ILIKE $pattern
ORDER BY base;
