-- title: Handles to an object
-- description: Which processes have a handle to an object whose name has a part: who holds a file, a key or an event.
-- param: part TEXT = '' -- part of the name, in any case
-- needs: handles
SELECT process, pid, handle, type, name, granted_access
FROM handles
WHERE name ILIKE '%' || $part || '%'
ORDER BY name, process, pid, handle;
