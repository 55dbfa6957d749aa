-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T18
--@ title: A TLS alert that came from another distance than its sender
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: middleboxes that end handshakes with an alert of their own, from memory
--@ lookalike: A server that ends a handshake itself: its alert comes from the distance of its other packets. A path that changes by up to three hops is
--| not counted.
--@ explain: A fatal alert in the clear ended this connection, and its time to live differs by more than three from that of its side's first packet. A
--| middlebox that answers in the server's place looks like this; so does a load balancer that hands a connection over to a machine further away.
--|
--| Alone it does not prove interference, and it does not tell who did it.
--@ verify: tshark -r {input} -Y 'tls.alert_message.level==2' -T fields -e frame.number -e ip.src -e ip.ttl -e tls.alert_message.desc
--@ next: Try the same connection on another network and through a VPN: what works there is disturbed here.
WITH odd AS MATERIALIZED (SELECT o.*, (SELECT coalesce(f.party, f.dst) FROM flows f WHERE f.file_id=o.file_id AND f.blob_id=o.blob_id AND f.flow=o.flow) AS party
	FROM traffic_oddities o WHERE o.kind='tls_alert_odd')
	SELECT file_id AS file_id, at AS at, 'packet '||packet||': '||CAST(value AS TEXT)||', with '||party AS evidence, party||' '||packet AS subject FROM odd;
