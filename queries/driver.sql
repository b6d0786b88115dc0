-- title: One driver
-- description: The dispatch routines of a driver, with the modules that they are in.
-- debugger: !drvobj $driver [*]
-- param: driver VARCHAR -- name, with or without its directory, or address of the driver object
-- needs: driver_dispatch
SELECT driver_object, driver, major_name, address, symbol, module_of(address, dump) AS module, is_outside_module
FROM driver_dispatch
WHERE lower(driver) = lower($driver) OR ends_with(lower(driver), '\' || lower($driver))
   OR driver_object::VARCHAR = '0x' || lower(replace(replace($driver, '0x', ''), '`', ''))
ORDER BY driver, major;
