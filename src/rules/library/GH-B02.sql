-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B02
--@ title: The start-up check of the system is switched off
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin avb
--@ case: counterfeit phones and television boxes
--@ lookalike: guides for generic system images tell owners to flash such a vbmeta on an unlocked phone; on a developer build
--|  the row is lowered. Only the flags of the first vbmeta count, those of chained ones are ignored by the phone and told as
--|  low
--@ explain: The signed list that the phone checks at start-up carries a mark: do not verify. With it, changes to the system go
--|  unnoticed.
--|
--|  A locked phone of an honest maker refuses such a list, unless the maker signed it. The mark does not show that the system
--|  was changed: it shows that the phone would not tell.
--@ verify: gifthorse cat {input} {image} | tail -c +$(({offset} + 121)) | head -c 4 | od -An -tx1   # last byte:
--|  01 hash tree off, 02 check off, 03 both; avbtool info_image prints it as "Flags"
--@ next: Keep the firmware file and this report first. Then compare with the maker's published build; do not rely on a good
--|  start-up message.
WITH image(file_id, at, name, flags, state) AS (
  -- "vbmeta_a", "vbmeta.img" and "vbmeta" are the same thing
  SELECT file_id, at, replace(replace(replace(COALESCE(partition,'vbmeta')||'.','.img.',''),'_a.',''),'_b.',''), flags, state FROM avb_images)
SELECT i.file_id AS file_id, i.at AS at,
       printf('%s flags %d:%s%s, %s', rtrim(i.name,'.'), i.flags, CASE WHEN i.flags & 1 THEN ' hashtree disabled' ELSE '' END,
              CASE WHEN i.flags & 2 THEN ' verification disabled' ELSE '' END,
              CASE i.state WHEN 'verified' THEN 'its signature holds' WHEN 'unsigned' THEN 'without signature' WHEN 'failed' THEN 'its signature does not hold'
                ELSE 'its signature was not verified' END) AS evidence,
       CASE WHEN rtrim(i.name,'.')<>'vbmeta' THEN 'low'
            WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END AS severity,
       rtrim(i.name,'.') AS subject
FROM image i, scan s
WHERE (i.flags & 3)<>0;
