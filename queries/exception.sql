-- title: The exception
-- description: What was raised, where, and what its parameters say.
-- alias: .exr
-- needs: exception
SELECT dump, code, name, description, address, symbol, tid, is_continuable
FROM exception;
