-- title: Queued spin locks
-- description: Queued spin locks that processors own or wait for.
-- debugger: !qlocks
-- needs: queued_locks
SELECT name, processor, state, position FROM queued_locks ORDER BY name, position;
