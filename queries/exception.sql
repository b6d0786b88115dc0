-- title: The exception
-- description: The exception code, the address, and the meaning of the parameters.
-- debugger: .exr [-1], .ecxr
-- needs: exception
SELECT dump, code, name, description, address, symbol, tid, is_continuable
FROM exception;
