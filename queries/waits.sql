-- title: What threads wait for
-- description: Objects by the number of threads that wait for them; for objects with an owner, the thread that holds the others up.
-- chart: bar x=type y=threads
-- needs: wait_objects
SELECT type, object, name, owner_ethread, count(DISTINCT ethread) AS threads, min(process) AS a_process
FROM wait_objects
GROUP BY type, object, name, owner_ethread
ORDER BY threads DESC, object;
