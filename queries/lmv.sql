-- title: Loaded modules in full
-- description: All that is known of loaded images: times, sizes, versions, companies, symbol files.
-- debugger: lmv|lmvm|lmdvm [$pattern], lmv|lmdv m $pattern, lm v m $pattern, !lmi $pattern
-- param: pattern VARCHAR = % -- names to list; % or * stands for any text
-- needs: modules
SELECT base, "end", name, symbol_status, path, image_name, build_time, timestamp, checksum, size_bytes,
       file_version, product_version, company, description, copyright, original_name, internal_name,
       language, pdb_name, pdb_guid, pdb_age, load_order, is_user, process
FROM modules
WHERE name ILIKE replace($pattern, '*', '%')
ORDER BY base;
