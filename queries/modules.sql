-- title: Loaded modules
-- description: Loaded images by address, with the build date if the header has one.
-- debugger: lm|lmk|lmf|lmt|lmn|lmu|lmnt, lm m|vm $pattern
-- param: pattern VARCHAR = % -- names to list; % or * stands for any text
-- needs: modules
SELECT base, "end", name, image_name, size_bytes, file_version,
       build_time AS built, checksum, pdb_name
FROM modules
WHERE name ILIKE replace($pattern, '*', '%')
ORDER BY base;
