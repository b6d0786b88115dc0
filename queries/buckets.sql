-- title: Equal crashes over many dumps
-- description: Dumps by bucket, the most frequent first. Open a folder of dumps with it.
-- needs: bugcheck
SELECT bucket_id, count(*) AS dumps, min(name) AS name, min(module) AS module, min(dump) AS example
FROM bugcheck
GROUP BY bucket_id
ORDER BY dumps DESC, bucket_id;
