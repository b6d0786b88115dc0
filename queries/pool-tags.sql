-- title: Pool by tag
-- description: What each tag has of the paged and of the non-paged pool, by tag.
-- debugger: !poolused [0|1] [$tag]
-- chart: bar x=tag y=bytes
-- param: tag VARCHAR = % -- the tag; % or * stands for any text
-- needs: pool_tags
SELECT tag, nonpaged_diff, nonpaged_bytes, paged_diff, paged_bytes,
       coalesce(nonpaged_bytes, 0) + coalesce(paged_bytes, 0) AS bytes, description,
       coalesce(binary, owner_modules) AS driver
FROM pool_tags
WHERE session IS NULL AND rtrim(tag) LIKE rtrim(replace($tag, '*', '%'))
ORDER BY tag;
