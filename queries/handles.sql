-- title: Handles
-- description: The open handles, all or those of one process or one type.
-- debugger: !handle 0|-1 *, !handle 0 * $pid, !handle 0 * $pid $type
-- param: pid INTEGER = 0 -- id of the process; 0 for all
-- param: type VARCHAR = % -- type of the objects; % or * stands for any text
-- needs: handles
SELECT process, pid, handle, type, name, granted_access, object
FROM handles
WHERE ($pid = 0 OR pid = $pid) AND type ILIKE replace($type, '*', '%')
ORDER BY process, pid, handle;
