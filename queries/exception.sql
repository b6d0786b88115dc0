-- title: The exception
-- description: What was raised, where, and what its parameters say.
-- debugger: .exr [-1], .ecxr
-- needs: exception
SELECT dump, code, name, description, address, symbol, tid, is_continuable
FROM exception;
