-- title: The exception
-- description: The exception code, the address, and the meaning of the parameters.
-- alias: .exr
-- needs: exception
SELECT dump, code, name, description, address, symbol, tid, is_continuable
FROM exception;
