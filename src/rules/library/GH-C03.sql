-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-C03
--@ title: Names of servers are bent to other addresses
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin hosts
--@ case: configuration that redirects traffic
--@ lookalike: localhost and the ip6- names are on every phone; lists that block advertising point to 0.0.0.0, :: or 127.x and
--|  are not matched
--@ explain: A file in the firmware decides for these names which computer answers, before the network is asked. Connections to
--|  the name go to that address instead. Stock Android names only itself here.
--|
--|  Encryption still protects apps that check certificates. A maker's test server is the harmless reason.
--@ verify: gifthorse cat {input} {path} | grep -nvE '^ *(#|$)'
--@ next: Keep the firmware file and this report first. Find out who holds the address. Until then enter no passwords on the
--|  phone for the names concerned.
SELECT h.file_id AS file_id, h.line AS at, h.ip||' '||h.host AS evidence, h.host AS subject
FROM hosts_entries h
WHERE h.host NOT IN ('localhost','localhost.localdomain','broadcasthost') AND h.host NOT LIKE 'ip6-%'
  AND h.ip NOT LIKE '127.%' AND h.ip NOT IN ('0.0.0.0','::1','::','0','255.255.255.255','fe80::1%lo0');
