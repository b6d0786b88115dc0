-- title: Blocks of a pool tag
-- description: The blocks of pool that have a tag.
-- debugger: !poolfind $tag [*]
-- chart: histogram x=size_bytes
-- param: tag VARCHAR -- the tag; % or * stands for any text
-- needs: pool_allocations
SELECT address, size_bytes, tag, pool_type, state, process
FROM pool_allocations
WHERE rtrim(tag) LIKE rtrim(replace($tag, '*', '%'))
ORDER BY address;
