-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B23
--@ title: A partition is not the one that the signed list names
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin avb, plugin verity
--@ case: K03 counterfeit phones, 2025; K56 television boxes with rewritten systems
--@ lookalike: a partition that is missing, cut short, or has no parameters of its own is not matched: it was not checked. Where
--|  verification is switched off by a flag (GH-B02) a difference is what was meant to pass: high. Stored hashes of another kind, and a
--|  footer that nobody signed which speaks of another hash, are high
--@ explain: The signed list says what the bytes of this partition must be. They were computed here, and are others. A phone that checks
--|  would refuse to start, or refuse the first block that differs.
--|
--|  It does not show who changed the partition. Owners who root a phone do this; so does whoever plants something; so does a firmware
--|  package put together from two builds.
--@ verify: gifthorse cat {input} {image} > part.img && avbtool verify_image --image part.img
--@ next: Keep the firmware file and this report first. Compare the partition with the one in the maker's published build.
SELECT v.file_id AS file_id, v.at AS at, printf('%s, %s named by %s: %s', v.partition, v.kind, v.by_partition, v.why) AS evidence,
       CASE WHEN v.state<>'differs' THEN 'high'
            WHEN EXISTS (SELECT 1 FROM avb t WHERE t.kind='vbmeta' AND t.partition='vbmeta' AND (t.flags & 3)<>0) THEN 'high'
            WHEN s.build_type IN ('userdebug','eng') THEN 'high' END AS severity,
       v.partition AS subject
FROM avb v, scan s
WHERE v.kind IN ('hash','hashtree','table') AND v.state IN ('differs','other tree','other footer');
