-- title: Session pool by tag
-- description: The tags that use most session pool, which holds windows, menus and bitmaps, by tag and session.
-- debugger: !poolused 8|9 [$tag]
-- chart: bar x=tag y=paged_bytes
-- param: tag VARCHAR = % -- the tag; % or * stands for any text
-- needs: pool_tags
SELECT session, tag, paged_diff, paged_bytes, nonpaged_diff, nonpaged_bytes, description,
       coalesce(binary, owner_modules) AS driver
FROM pool_tags
WHERE rtrim(tag) LIKE rtrim(replace($tag, '*', '%')) AND session IS NOT NULL AND (paged_diff > 0 OR paged_bytes > 0 OR nonpaged_diff > 0 OR nonpaged_bytes > 0)
ORDER BY session, paged_bytes DESC NULLS LAST, tag;
