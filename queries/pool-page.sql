-- title: The pool around an address
-- description: The blocks of the page that an address lies in, and the large block that holds it.
-- debugger: !pool $address [*]
-- reading: The block that holds the address says true in is_asked. A damaged header before or after it is the mark of a write beyond a block.
-- param: address ADDRESS -- the address
-- needs: pool_allocations
SELECT address, size_bytes, previous_bytes, tag, pool_type, state,
       $address >= address AND $address < address + size_bytes AS is_asked, process, description
FROM pool_allocations
WHERE page = align_down($address, 0x1000)
   OR coalesce(is_big, false) AND $address >= address AND $address < address + size_bytes
ORDER BY address;
