-- title: What opened, and what would help
-- description: What each file is and whether it is whole, which memory it holds, what could not be read and why, and the symbol
--   files that are missing, with the place where a symbol store keeps each.
-- reading: Put a missing file below a folder that --symbols names, at its store_path, or name a server: --symbols srv*CACHE*URL. Tables whose values say `no symbols` fill then.
-- needs: dump
-- optional: coverage, problems, needed_symbols
SELECT path, format, dump_type, os, build, build_lab, arch, is_complete, file_bytes, physical_bytes FROM dump;
SELECT kind, space, count(*) AS ranges, sum(size_bytes) AS bytes FROM coverage GROUP BY kind, space ORDER BY bytes DESC;
SELECT reason, "table", count(*) AS columns, max(count) AS rows FROM problems GROUP BY reason, "table" ORDER BY reason, rows DESC, "table";
SELECT module, status, store_path
FROM needed_symbols
WHERE found_at IS NULL AND pdb IS NOT NULL
ORDER BY module;
