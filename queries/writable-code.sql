-- title: Memory that is both writable and executable
-- description: Regions from which written bytes can be executed, with the module if they are in one. Copy-on-write images are left out.
-- pattern: Writable Code
-- severity: low
-- meaning: Memory can be both written and run: just-in-time compilers do that, and so does injected code.
-- next: Look at the memory with u, and at the threads that started in it.
-- needs: memory_regions
SELECT pid, process, start, "end", size_bytes, protection, type, coalesce(file, module_of(start, dump)) AS file
FROM memory_regions
WHERE protection ILIKE '%EXECUTE_READWRITE%' OR protection ILIKE '%EXECUTE_WRITECOPY%' AND type <> 'image'
ORDER BY size_bytes DESC, pid, start;
