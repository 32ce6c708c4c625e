# PASS
import tempfile

def f():
    with tempfile.NamedTemporaryFile('w+') as t:
        t.write('1')
        t.seek(0)
        return int(t.read())
