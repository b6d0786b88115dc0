-- title: Drivers of other companies
-- description: Kernel modules that are not by Microsoft, the oldest first; modules whose version resource is not in the dump are left out.
-- needs: modules
SELECT name, company, file_version, build_time, base, size_bytes, description
FROM modules
WHERE company IS NOT NULL AND company NOT ILIKE '%microsoft%' AND NOT coalesce(is_user, false)
ORDER BY build_time NULLS LAST, name;
