"""What the peer scripts share: records of a stream, and ids of lm-tok compared with those of another encoder."""
import sys

import numpy


def records(path):
    """type, attributes, body of each record; values still escaped"""
    with open(path, "rb") as f:
        for head in iter(f.readline, b""):
            if head[:1] == b"@":
                kind, size, *attrs = head[1:].split()
                body = f.read(int(size) + 1)[:-1]
                yield kind, dict(a.partition(b"=")[::2] for a in attrs), body


def token_ids(attrs, body):
    return numpy.frombuffer(body, {b"u16": "<u2", b"u32": "<u4"}[attrs[b"dt"]]).tolist()


def name(attrs):
    return (attrs.get(b"path") or attrs.get(b"id") or b"?").decode()


def expect(who, ours, theirs):
    if ours != theirs:
        k = next((i for i, (x, y) in enumerate(zip(ours, theirs)) if x != y), min(len(ours), len(theirs)))
        sys.exit("DIFFERS: %s, id %d: %s, not %s" % (who, k, ours[k : k + 8], theirs[k : k + 8]))


def compare(docs, ids, encode):
    """Each document of docs whose text is UTF-8: encode(bytes) gives the ids that ids has. Prints one line."""
    n = count = skipped = 0
    for (_, attrs, text), (kind, how, body) in zip(records(docs), records(ids), strict=True):
        assert kind == b"tok"
        try:
            text.decode()
        except UnicodeDecodeError:
            skipped += 1
            continue
        ours = token_ids(how, body)
        expect(name(attrs), ours, encode(text))
        n += len(ours)
        count += 1
    assert count
    print("equal: %d ids of %d documents (%d not UTF-8 left out)" % (n, count, skipped))
