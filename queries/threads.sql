-- title: Threads
-- description: Every thread with its start address and its stack.
-- debugger: ~, !threads
-- needs: threads
SELECT tid, process, name, state, coalesce(win32_start_symbol, start_symbol) AS start_symbol,
       stack_base, stack_limit, stack_base - stack_limit AS stack_bytes, teb
FROM threads
ORDER BY process, tid;
