# FAIL
with open('main.py', 'w') as t:
    t.write('def f():\n    return 1\n')

def f():
    return 2
