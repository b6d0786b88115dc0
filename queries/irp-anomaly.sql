-- title: Drivers with unusually many IRPs
-- description: Drivers that have more than a number of IRPs and more than a percentage of all. Pipes and file systems do so on a healthy system, too.
-- chart: bar x=driver y=irps
-- pattern: IRP Distribution Anomaly
-- severity: medium
-- meaning: One driver holds a large part of all IRPs that are not completed: requests pile up below or in it.
-- next: Run irps-by-device for the devices, !irp with the address of one of the IRPs, and look at the threads that wait for them.
-- param: least INTEGER = 50 -- minimum number of IRPs
-- param: percent INTEGER = 25 -- minimum percentage of all IRPs
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
