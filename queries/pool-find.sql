-- title: Blocks of a pool tag
-- description: The blocks of pool that have a tag.
-- debugger: !poolfind $tag [*]
-- chart: histogram x=size_bytes
-- param: tag VARCHAR -- the tag; % or * stands for any text
-- needs: pool_allocations
SELECT address, size_bytes, tag, pool_type, state, process
FROM pool_allocations
WHERE tag LIKE CASE WHEN $tag LIKE '%*%' OR $tag LIKE '%!%%' ESCAPE '!' THEN replace($tag, '*', '%') ELSE rpad($tag, 4, ' ') END
ORDER BY address;
