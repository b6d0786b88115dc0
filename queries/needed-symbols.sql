-- title: Symbol files that are needed
-- description: The symbol file of each module that none was found for: what to fetch, and the folder that a symbol store keeps it in.
-- debugger: .sympath, !sym *
-- needs: needed_symbols
SELECT module, pdb, guid, age, status, store_path
FROM needed_symbols
WHERE found_at IS NULL AND pdb IS NOT NULL
ORDER BY module;
