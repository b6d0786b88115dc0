-- title: Piles of I/O requests
-- description: Drivers that hold more than a number of requests and more than a part of all; pipes and file systems do so when all is well.
-- chart: bar x=driver y=irps
-- pattern: IRP Distribution Anomaly
-- severity: medium
-- meaning: One driver holds a large part of all IRPs that are not completed: requests pile up below or in it.
-- next: Run irps-by-device for the devices, !irp with the address of one of the IRPs, and look at the threads that wait for them.
-- param: least INTEGER = 50 -- how many requests make a pile
-- param: percent INTEGER = 25 -- which part of all requests does
-- needs: irps
WITH active AS (
    SELECT driver, count(*) AS irps FROM irps WHERE NOT coalesce(is_completed, false) GROUP BY driver
)
SELECT driver, irps, round(100.0 * irps / (SELECT sum(irps) FROM active), 1) AS percent
FROM active
WHERE irps >= $least
  AND irps * 100 >= $percent * (SELECT sum(irps) FROM active)
  AND lower(driver) NOT IN ('\filesystem\npfs', '\filesystem\ntfs')
ORDER BY irps DESC, driver;
