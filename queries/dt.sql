-- title: A structure at an address
-- description: The fields of a structure in memory, by its type.
-- debugger: dt $type $address, dt nt!$type $address, dt -r|-b|-v $type $address
-- param: type VARCHAR = _LIST_ENTRY -- the type, such as _ETHREAD
-- param: address VARCHAR = 'nt' -- an address or a symbol
FROM struct($type, $address);
