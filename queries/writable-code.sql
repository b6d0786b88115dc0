-- title: Memory that is both writable and executable
-- description: Regions from which written bytes can be run, with the module if they lie in one.
-- needs: memory_regions
SELECT start, "end", size_bytes, protection, type, coalesce(file, module_of(start)) AS file
FROM memory_regions
WHERE protection ILIKE '%EXECUTE%WRITE%'
ORDER BY size_bytes DESC;
