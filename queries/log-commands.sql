-- title: Commands of a log
-- description: The commands of a debugger log, and how much of their output was recognised.
-- needs: log_commands
SELECT n, line, end_line, command, tables, rows, unread_lines FROM log_commands ORDER BY n;
