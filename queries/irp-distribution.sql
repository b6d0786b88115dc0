-- title: IRPs by driver
-- description: IRPs that are not completed, by the driver that has them. A driver with unusually many is suspicious.
-- debugger: !irpfind [-v] [*] [*]
-- chart: bar x=driver y=irps
-- reading: Pipes and file systems hold many IRPs when all is well; a pile at another driver is the anomaly.
-- needs: irps
SELECT driver, count(*) AS irps, count(DISTINCT ethread) AS threads, count(DISTINCT device_object) AS devices,
       round(100.0 * count(*) / (SELECT count(*) FROM irps WHERE NOT coalesce(is_completed, false)), 1) AS percent
FROM irps
WHERE NOT coalesce(is_completed, false)
GROUP BY driver
ORDER BY irps DESC, driver;
