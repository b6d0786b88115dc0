-- title: Objects by directory
-- description: The objects in each object directory, by type.
-- debugger: !object \
-- needs: objects
SELECT coalesce(nullif(regexp_replace(path, '[\\][^\\]*$', ''), ''), '\') AS directory, type, count(*) AS objects,
    sum(handle_count) AS handles
FROM objects
WHERE path <> '\'
GROUP BY ALL
ORDER BY directory, objects DESC, type;
