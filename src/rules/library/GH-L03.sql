-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L03
--@ title: A program of the system waits for connections from the network
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: the phone's own word
--@ needs: plugin live, live sockets
--@ case: T95 television box, 2023: adb open on port 5555
--@ lookalike: addresses of the phone itself (127.0.0.0/8, ::1) are not matched; ports of apps have the uid of an app; tethering and
--|  name look-ups have uids of their own; which program it is can be told only with root, so it is said to be unknown
--@ explain: A program with the rights of the system or of the shell listens on an address that others in the same network can
--|  reach.
--|
--|  Wireless debugging, switched on by the owner, does this too. Without root the phone does not tell which program
--|  listens; an open port is not yet an open door.
--@ verify: grep -n LISTEN live/netstat.txt; grep -n ' 0A ' live/proc_net_tcp.txt
--@ next: Keep the firmware file and what was pulled. Use the phone in no network that you care about until it is known what
--|  listens there.
SELECT min(s.file_id) AS file_id, min(s.line) AS at, printf('%s %s:%d uid %d, program %s', s.proto, s.local, s.lport, s.uid,
    COALESCE(max(s.program),'not known')) AS evidence,
  CASE WHEN s.uid IN (0,2000) AND EXISTS(SELECT 1 FROM live_settings t WHERE t.key='adb_wifi_enabled' AND t.value='1') THEN 'medium' END AS severity,
  printf('%s %s %d', s.proto, s.local, s.lport) AS subject
FROM live_sockets s
WHERE s.state='LISTEN' AND s.proto LIKE 'tcp%' AND s.uid IN (0,1000,1001,2000) AND s.local NOT LIKE '127.%' AND s.local<>'::1' AND s.local NOT LIKE
    '::ffff:127.%'
GROUP BY s.proto, s.local, s.lport, s.uid;
