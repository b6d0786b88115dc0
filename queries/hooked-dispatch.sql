-- title: Dispatch routines outside the driver
-- description: Dispatch routines that are neither in their driver's image nor in the kernel. Port and class drivers, which handle IRPs for other drivers, are left out.
-- debugger: !chkdrv
-- param: libraries VARCHAR = classpnp,storport,scsiport,ataport,ndis,usbport,usbhub,hidclass,ks,portcls,videoprt,dxgkrnl,wdf01000,fltmgr,watchdog,battc,stream,bthport,rdbss -- modules that handle IRPs for other drivers
-- needs: driver_dispatch
SELECT driver, major_name, address, symbol, module_of(address) AS module
FROM driver_dispatch
WHERE is_outside_module
  AND NOT contains(',' || $libraries || ',', ',' || lower(coalesce(module_of(address), '?')) || ',')
ORDER BY driver, major;
