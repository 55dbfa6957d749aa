-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T12
--@ title: DNS sent past the network's own resolver
--@ severity: info
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture, resolvers, knowledge encrypted_dns
--@ case: devices with a resolver of their own, as in public captures
--@ lookalike: Android's Private DNS and browsers use encrypted DNS on purpose, and are told as what they are.
--@ explain: The network told the phone which resolvers to use (DHCP), and names were asked elsewhere: at another server, or by encrypted DNS. The
--| owner may have set that; so may an app, to be seen by nobody in the network.
--|
--| Names that were asked by encrypted DNS are not visible in this capture.
--@ verify: tshark -r {input} -Y 'dns || tcp.port==853' -T fields -e frame.number -e ip.dst -e dns.qry.name
--@ next: Look whether Private DNS is set in Android's settings. If not, find the app that asks.
SELECT m.file_id AS file_id, min(m.at) AS at, 'packet '||min(m.packet)||': '||count(*)||' queries to '||m.server AS evidence, 'dns '||m.server AS subject FROM
	dns_messages m WHERE m.response=0 AND EXISTS(SELECT 1 FROM resolvers r WHERE r.file_id=m.file_id)
	AND m.server NOT IN (SELECT r.address FROM resolvers r WHERE r.file_id=m.file_id) GROUP BY m.file_id, m.server
	UNION ALL SELECT f.file_id, min(f.at), 'packet '||min(f.packet)||': encrypted DNS with '||f.party||' port '||f.dport, 'encrypted '||f.party FROM flows f WHERE
	(f.dport=853 OR f.party IN (SELECT name FROM encrypted_dns)) AND f.stream_out>0
	AND EXISTS(SELECT 1 FROM resolvers r WHERE r.file_id=f.file_id) GROUP BY f.file_id, f.party, f.dport;
