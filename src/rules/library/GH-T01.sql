-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T01
--@ title: An answer to a DNS query that did not come from the server
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: published measurements of injected DNS answers (Hoang et al., USENIX Security 2021), from memory
--@ lookalike: A resolver that answers a repeated query twice, with addresses in turn: both answers come from one distance, and are told as info by
--| another rule.
--@ explain: Two answers to one query that name different addresses and that travelled different ways, or an answer of a kind that no server gives.
--| Somebody between the phone and its resolver answered first, so that a name leads where they want. What is compared is in the packets named here:
--| time to live, identification, fragment flag, addresses.
--|
--| The capture does not show who did it, or where on the way. A provider's filter, a hotel's network and a state's look alike. It does not prove
--| that a connection went to the false address: look at the party's line in the table for that.
--@ verify: tshark -r {input} -Y 'dns.flags.response==1' -T fields -e frame.number -e ip.ttl -e ip.id -e dns.id -e dns.qry.name -e dns.a
--@ next: Keep the capture. Repeat it on another network: if the answers agree there, the first network answers falsely. Use encrypted DNS (Private
--| DNS in Android) or a VPN that you trust there.
SELECT o.file_id AS file_id, o.at AS at, 'packet '||o.packet||': '||CAST(o.value AS TEXT)||coalesce(', asked for '||CAST((SELECT m.qname FROM dns_messages m
	WHERE m.file_id=o.file_id AND m.packet=o.packet) AS TEXT),'') AS evidence,
	'packet '||o.packet AS subject FROM traffic_oddities o WHERE o.kind='dns_forged' AND o.score>=100;
