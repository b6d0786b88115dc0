-- title: Handles to an object
-- description: Processes with a handle to an object whose name contains a text, to find out who has a file, a key or an event open.
-- param: part TEXT = '' -- part of the name, in any case
-- needs: handles
SELECT process, pid, handle, type, name, granted_access
FROM handles
WHERE name ILIKE '%' || $part || '%'
ORDER BY name, process, pid, handle;
