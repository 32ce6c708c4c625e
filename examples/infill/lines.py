"""lines.py cut IN: of each document of IN one line as the middle, by a hash of its id: fim=pre:..,suf:..,mid:..
lines.py fill IN: these as prompts with a hole (cut=); lines.py left IN: as prompts of what stands before it.
lines.py match IN GEN: of the generations, in the order of IN: how many are that line, and how many there are.
A line has its line end, at least 8 bytes without blanks around it, and a whole line before and behind it."""
import hashlib
import sys


def records(path):
    with open(path, 'rb') as f:
        for head in iter(f.readline, b''):
            if head[:1] == b'@':
                kind, size, *attrs = head[1:].split()
                yield kind, dict(a.partition(b'=')[::2] for a in attrs), f.read(int(size) + 1)[:-1]
    if not head_is_end(path):
        sys.exit(f'lines.py: {path}: no %end')


def head_is_end(path):
    with open(path, 'rb') as f:
        f.seek(max(0, f.seek(0, 2) - 200))
        return f.read().splitlines()[-1].startswith(b'%end ')


def write(recs):
    out, n, size = sys.stdout.buffer, 0, 0
    out.write(b'%lm 1\n')
    for kind, attrs, body in recs:
        line = b' '.join([b'@' + kind, b'%d' % len(body)] + [k + b'=' + v for k, v in attrs.items()])
        out.write(line + b'\n' + body + b'\n')
        n, size = n + 1, size + len(body)
    out.write(b'%%end n=%d b=%d\n' % (n, size))


def parts(attrs, body):
    size = dict(p.split(b':') for p in attrs[b'fim'].split(b','))
    pre, suf = int(size[b'pre']), int(size[b'suf'])
    return body[:pre], body[pre:pre + suf], body[pre + suf:]


def cut(path):
    for kind, attrs, body in records(path):
        lines = body.splitlines(keepends=True) if kind == b'doc' else []
        good = [i for i in range(2, len(lines) - 2) if len(lines[i].strip()) >= 8 and lines[i].endswith(b'\n')]
        if not good:
            continue
        key = attrs[b'id'] + b':' + attrs.get(b'sub', b'')
        i = good[int.from_bytes(hashlib.sha256(key).digest()[:8], 'big') % len(good)]
        pre, mid, suf = b''.join(lines[:i]), lines[i], b''.join(lines[i + 1:])
        yield kind, {**attrs, b'fim': b'pre:%d,suf:%d,mid:%d' % (len(pre), len(suf), len(mid))}, pre + suf + mid


def prompts(path, hole):
    for _, attrs, body in records(path):
        pre, suf, _ = parts(attrs, body)
        yield b'prompt', {b'id': attrs[b'id'], **({b'cut': b'%d' % len(pre)} if hole else {})}, pre + suf if hole else pre


def match(path, gen):
    found = [body for kind, _, body in records(gen) if kind == b'gen']
    want = [parts(attrs, body)[2] for _, attrs, body in records(path)]
    if len(found) != len(want):
        sys.exit(f'lines.py: {gen}: {len(found)} generations of {len(want)} lines')
    print(sum(f.rstrip() == w.rstrip() for f, w in zip(found, want)), len(want), sep='\t')


if sys.argv[1] == 'match':
    match(*sys.argv[2:])
else:
    write(cut(sys.argv[2]) if sys.argv[1] == 'cut' else prompts(sys.argv[2], sys.argv[1] == 'fill'))
