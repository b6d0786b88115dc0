-- a remark; not a statement
SELECT /* one /* two */ 'still' */ 1 -- the end
;
SELECT a-- b
, c /**/ FROM/* */t;
SELECT 1　AS n;
