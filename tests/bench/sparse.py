"""sparse.py DIR SHARDS TOKENS: shards of TOKENS zeros of 16 bits that take no room on disk, whole and with right sums."""

import os
import struct
import sys
import zlib

folder, count, tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
VOCAB, BLOCK, SUM, DOC = "0" * 32, 1 << 20, 1 << 16, 1 << 20
blocks, docs = (2 * tokens + BLOCK - 1) // BLOCK, (tokens + DOC - 1) // DOC
size = 2 * tokens
crc = struct.pack("<I", zlib.crc32(bytes(BLOCK))) * (size // BLOCK)
if size % BLOCK:
    crc += struct.pack("<I", zlib.crc32(bytes(size % BLOCK)))
ends = b"".join(struct.pack("<Q", min((i + 1) * DOC, tokens)) for i in range(docs))
shard = "vocab=%s dt=u16 tokens=%d docs=%d seq=0 mode=none hash=%s" % (VOCAB, tokens, docs, "1" * 32)
head = ("%%lm 1\n@shard 0 %s\n\n" % shard).encode()
line = "@tok %d dt=u16 shape=%d vocab=%s" % (size, tokens, VOCAB)
line = line + " " * (-(len(head) + len(line) + 1) % 64) + "\n"
body = ends + crc + bytes(-len(ends + crc) % 8)
sums = [zlib.crc32(body[at : at + SUM]) for at in range(0, len(body), SUM)]
with_ = "crc:u32:%d,sum:u32:%d" % (blocks, len(sums))
body += struct.pack("<%dI" % len(sums), *sums)
tail = ("\n@ends %d dt=u64 shape=%d of=tok with=%s\n" % (len(body), docs, with_)).encode() + body
tail += b"\n%%end n=3 b=%d\n" % (size + len(body))
os.makedirs(folder)
index = "%lm 1\n"
for i in range(count):
    with open("%s/%05d.lm" % (folder, i), "wb") as f:
        f.write(head + line.encode())
        f.seek(size, os.SEEK_CUR)
        f.write(tail)
    index += "@shard 0 file=%05d.lm %s\n\n" % (i, shard)
with open(folder + "/index.lm", "w") as f:
    f.write(index + "%%end n=%d b=0\n" % count)
