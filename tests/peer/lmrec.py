"""What the peer scripts share: documents of a stream, and ids of lm-tok compared with those of another encoder."""

import sys


def read(f):
    """The head, less its @, and the body of each record of an open file."""
    for head in iter(f.readline, b""):
        if head[:1] == b"@":
            yield head[1:], f.read(int(head.split(None, 2)[1]) + 1)[:-1]


def parse(head):
    """type, attributes; values still escaped"""
    kind, _, *attrs = head.split()
    return kind, dict(a.partition(b"=")[::2] for a in attrs)


def records(path):
    """type, attributes, body of each record"""
    with open(path, "rb") as f:
        for head, body in read(f):
            yield *parse(head), body


def documents(path):
    """the bodies alone"""
    with open(path, "rb") as f:
        for _, body in read(f):
            yield body


def write(f, docs, attrs=()):
    """A stream of a list of bodies; attrs: one more attribute of each, or none."""
    f.write(b"%lm 1\n")
    for i, d in enumerate(docs):
        more = " " + attrs[i] if attrs and attrs[i] else ""
        f.write(b"@doc %d id=%032x%b\n%b\n" % (len(d), i, more.encode(), d))
    f.write(b"%%end n=%d b=%d\n" % (len(docs), sum(map(len, docs))))


def token_ids(attrs, body):
    import numpy  # what only reads documents does without it

    return numpy.frombuffer(body, {b"u16": "<u2", b"u32": "<u4"}[attrs[b"dt"]]).tolist()


def name(attrs):
    return (attrs.get(b"path") or attrs.get(b"id") or b"?").decode()


def differs(ours, theirs, words=None):
    """Where two lists or arrays of ids begin to differ, in words; None if they do not. words: the token of an id"""
    import numpy

    a, b = (numpy.asarray(x, "i8") for x in (ours, theirs))
    n = min(len(a), len(b))
    other = numpy.flatnonzero(a[:n] != b[:n])
    if not len(other) and len(a) == len(b):
        return None
    k = int(other[0]) if len(other) else n
    show = [[words.get(i, i) if words else i for i in x[k : k + 8].tolist()] for x in (a, b)]
    return "id %d: %s, not %s" % (k, *show)


def batches(docs, ids, text, size=4000000):
    """Lists of (name, body, ids), each of about size bytes; text: None for a document that is not UTF-8."""
    out, n = [], 0
    for (_, attrs, body), (kind, how, tokens) in zip(records(docs), records(ids), strict=True):
        assert kind == b"tok"
        try:
            if text:
                body.decode()
            out.append((name(attrs), body, token_ids(how, tokens)))
        except UnicodeDecodeError:
            out.append(None)
        n += len(body)
        if n > size:
            yield out
            out, n = [], 0
    if out:
        yield out


def compare(docs, ids, encode, text=True, who="", words=None):
    """encode(list of bodies) gives the ids that ids has, of each document of docs; text: of those that are UTF-8. Prints
    one line; exits at the first other id. who, words: to be told."""
    n = count = size = skipped = 0
    for batch in batches(docs, ids, text):
        good = [x for x in batch if x]
        skipped += len(batch) - len(good)
        for (title, body, ours), theirs in zip(good, encode([x[1] for x in good]), strict=True):
            other = differs(ours, theirs, words)
            if other:
                sys.exit("DIFFERS%s: %s, %s" % (who and " from " + who, title, other))
            n += len(ours)
            size += len(body)
        count += len(good)
    assert count
    left = " (%d not UTF-8 left out)" % skipped if text else ""
    print("equal%s: %d ids of %d documents, %d bytes%s" % (who and " to " + who, n, count, size, left))
