-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T14
--@ title: Packets that say two things about the same bytes
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: Weaver et al. (NDSS 2009), RFC 5722 on overlapping fragments
--@ lookalike: A segment sent again says the same again and is not counted; one byte before the awaited one is a keep-alive.
--@ explain: Two copies of one piece of a connection, or of one datagram, differ. A sender repeats what it said, so one of the two came from somebody
--| else, or was changed on the way. Which one the phone took cannot be seen; here the first one was read.
--|
--| Faulty equipment does this too.
--@ verify: tshark -r {input} -o tcp.analyze_sequence_numbers:TRUE -Y 'tcp.analysis.retransmission || ip.fragment.overlap.conflict'
--@ next: Keep the capture. Compare with one from another network.
WITH odd AS MATERIALIZED (SELECT o.*, (SELECT f.party FROM flows f WHERE f.file_id=o.file_id AND f.blob_id=o.blob_id AND f.flow=o.flow) AS party
	FROM traffic_oddities o WHERE o.kind IN ('tcp_overlap','fragment_overlap'))
	SELECT file_id AS file_id, at AS at, 'packet '||packet||': '||CASE kind WHEN 'tcp_overlap' THEN 'a copy of a segment with other bytes' ELSE
	'fragments that overlap with other bytes' END||coalesce(', '||party,'') AS evidence, kind||' '||packet AS subject FROM odd;
