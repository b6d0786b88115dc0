-- title: Lists of physical pages
-- description: How many pages each list of the memory manager holds.
-- debugger: !memusage [*]
-- chart: bar x=list y=bytes
-- needs: memory_lists
SELECT list, pages, bytes FROM memory_lists ORDER BY pages DESC NULLS LAST, list;
