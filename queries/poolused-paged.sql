-- title: Paged pool by tag
-- description: The tags that use most paged pool, with their nonpaged pool and the drivers that may use them.
-- debugger: !poolused 4|5 [$tag]
-- chart: bar x=tag y=paged_bytes
-- param: tag VARCHAR = % -- the tag; % or * stands for any text
-- needs: pool_tags
SELECT tag, paged_allocs, paged_frees, paged_diff, paged_bytes, nonpaged_diff, nonpaged_bytes, description,
       coalesce(binary, owner_modules) AS driver
FROM pool_tags
WHERE rtrim(tag) LIKE rtrim(replace($tag, '*', '%')) AND session IS NULL AND (paged_bytes > 0 OR paged_diff > 0)
ORDER BY paged_bytes DESC NULLS LAST, tag;
