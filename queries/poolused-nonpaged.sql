-- title: Nonpaged pool by tag
-- description: The tags that use most nonpaged pool, or that have most allocations that were not freed.
-- debugger: !poolused 2|3 [$tag]
-- chart: bar x=tag y=nonpaged_bytes
-- param: tag VARCHAR = % -- the tag; % or * stands for any text
-- needs: pool_tags
SELECT tag, nonpaged_allocs, nonpaged_frees, nonpaged_diff, nonpaged_bytes, description,
       coalesce(binary, owner_modules) AS driver
FROM pool_tags
WHERE rtrim(tag) LIKE rtrim(replace($tag, '*', '%')) AND session IS NULL AND (nonpaged_bytes > 0 OR nonpaged_diff > 0)
ORDER BY nonpaged_bytes DESC NULLS LAST, nonpaged_diff DESC NULLS LAST, tag;
