-- title: Commands of a log
-- description: What a debugger log holds, and how much of it was understood.
-- needs: log_commands
SELECT n, line, end_line, command, tables, rows, unread_lines FROM log_commands ORDER BY n;
