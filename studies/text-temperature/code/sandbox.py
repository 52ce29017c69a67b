"""Runs Python that a model wrote, where it can do no harm. Linux only, without root's rights.

The program runs in namespaces of its own: a file system that holds Python and an empty folder and
nothing else, read-only but for that folder, which is in memory; no network, not even the loopback;
no other process in sight; no capabilities, no new privileges. Calls that make processes, threads,
sockets or namespaces are refused. Its time is bounded, and its memory, the number of its files, and
the bytes that it may write or print. Where the system doesn't allow all this, nothing is run and
`Unavailable` is raised.

    python3 sandbox.py    tries to break out in several ways, and fails if one of them works
"""

import ctypes
import json
import os
import resource
import select
import shutil
import signal
import struct
import sys
import tempfile
import time

# Of processor time; on a busy machine that takes longer by the clock.
SECONDS, WAIT = 5, 12
MEMORY = 512 << 20
WRITTEN = 1 << 20
PRINTED = 1 << 20

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG = 24, 38, 1
PR_SET_SECCOMP, FILTER = 22, 2
MNT_DETACH = 2
MOUNT_SETATTR, PIVOT_ROOT = 442, {"x86_64": 155, "aarch64": 41}
# By architecture: its number, and those of clone (fork, vfork), clone3, unshare, setns, socket,
# socketpair, ptrace, mount, bpf, keyctl, perf_event_open, userfaultfd, io_uring_setup.
REFUSED = {
    "x86_64": (0xC000003E, [56, 57, 58, 435, 272, 308, 41, 53, 101, 165, 321, 250, 298, 323, 425]),
    "aarch64": (0xC00000B7, [220, 435, 97, 268, 198, 199, 117, 40, 280, 219, 241, 282, 425]),
}
AT_FDCWD, AT_RECURSIVE = -100, 0x8000

libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """There is no sandbox here."""


def call(name, *args):
    """A function of the C library; a failure is an error."""
    if getattr(libc, name)(*args) == -1:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind=None, flags=0, data=None):
    text = [t and os.fsencode(t) for t in (source, target, kind)]
    call("mount", *text, ctypes.c_ulong(flags), data and data.encode())


def read_only(path):
    """Makes a mount and those below it read-only, without devices and setuid programs."""
    attributes = (ctypes.c_uint64 * 4)(MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    path = os.fsencode(path)
    call("syscall", MOUNT_SETATTR, AT_FDCWD, path, AT_RECURSIVE, attributes, size)


def needed():
    """Folders that Python needs, each once, and links to them."""
    folders = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", sys.base_prefix]
    folders = [folder for folder in folders if os.path.isdir(folder)]
    links = [folder for folder in folders if os.path.islink(folder)]
    real = sorted({os.path.realpath(folder) for folder in folders})
    real = [f for f in real if not any(f != g and f.startswith(g + "/") for g in real)]
    return real, links


def enter(root):
    """Goes into the namespaces and into the new root. The caller forks once more."""
    uid, gid = os.getuid(), os.getgid()
    call("unshare", NEWUSER | NEWNS | NEWNET | NEWPID | NEWIPC | NEWUTS)
    for name, text in [("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"),
                       ("gid_map", f"1000 {gid} 1")]:
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=16m,nr_inodes=256,mode=755")
    real, links = needed()
    for folder in real:
        os.makedirs(root + folder, exist_ok=True)
        mount(folder, root + folder, None, MS_BIND | MS_REC)
    for link in links:
        if not os.path.lexists(root + link):
            os.makedirs(os.path.dirname(root + link), exist_ok=True)
            os.symlink(os.path.realpath(link), root + link)
    os.makedirs(root + "/box")
    read_only(root)
    mount("tmpfs", root + "/box", "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,nr_inodes=64,mode=777")
    os.chdir(root)
    call("syscall", PIVOT_ROOT[os.uname().machine], b".", b".")
    call("umount2", b".", MNT_DETACH)
    os.chdir("/box")


def give_up_rights(seconds):
    """Limits, then no capabilities and no way to new ones."""
    for kind, limit in [(resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, MEMORY),
                        (resource.RLIMIT_FSIZE, WRITTEN), (resource.RLIMIT_NOFILE, 32),
                        (resource.RLIMIT_CORE, 0)]:
        resource.setrlimit(kind, (limit, limit))
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refuse_calls()


def refuse_calls():
    """Has the kernel refuse some calls (EPERM), and kill a program of another architecture."""
    architecture, refused = REFUSED[os.uname().machine]
    load, equal, from_here, give = 0x20, 0x15, 0x35, 0x06
    n = len(refused)
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, 0x80000000),
               (load, 0, 0, 0), (from_here, n + 1, 0, 0x40000000)]
    program += [(equal, n - i, 0, number) for i, number in enumerate(refused)]
    program += [(give, 0, 0, 0x7FFF0000), (give, 0, 0, 0x00050001)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    whole = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    call("prctl", PR_SET_SECCOMP, FILTER, ctypes.c_char_p(whole), 0, 0)


def child(program, root, out, seconds):
    """The sandboxed process. Never returns."""
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    enter(root)
    inner = os.fork()
    if inner == 0:
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        for to in (0, 1, 2):
            os.dup2(out, to)
        os.closerange(3, 65536)
        give_up_rights(seconds)
        python = os.path.realpath(sys.executable)
        os.execve(python, [python, "-I", "-S", "-B", "-c", program], {"LC_ALL": "C.UTF-8"})
    os.waitpid(inner, 0)
    os._exit(0)


def run(program, seconds=SECONDS):
    """What the program prints, on standard output and error; what comes after its time or beyond
    the bounds is cut."""
    if sys.platform != "linux" or os.uname().machine not in PIVOT_ROOT:
        raise Unavailable("the sandbox is made of Linux's namespaces")
    root = tempfile.mkdtemp(prefix="sandbox-")
    reader, writer = os.pipe()
    failed_reader, failed_writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            child(program, root, writer, seconds)
        except BaseException as error:
            os.write(failed_writer, str(error).encode()[:1000] or b"failed")
        os._exit(1)
    os.close(writer)
    os.close(failed_writer)
    printed, end = b"", time.monotonic() + WAIT * seconds
    while len(printed) <= PRINTED and select.select([reader], [], [], end - time.monotonic() if
                                                    end > time.monotonic() else 0)[0]:
        piece = os.read(reader, 65536)
        if not piece:
            break
        printed += piece
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    failure = os.read(failed_reader, 1000)
    os.close(reader)
    os.close(failed_reader)
    shutil.rmtree(root, ignore_errors=True)
    if failure:
        raise Unavailable(f"no sandbox can be made here: {failure.decode()}")
    return printed[:PRINTED].decode("utf-8", "replace")


# Each prints "out" if it gets what it must not.
ATTEMPTS = {
    "read a file of the user's": "open({own!r}).read(); print('out')",
    "write among Python's files": "open(__import__('os').__file__ + 'x', 'w'); print('out')",
    "write into the root": "open('/x', 'w'); print('out')",
    "fill the memory": "x = bytearray(1 << 30); print('out')",
    "fill the folder": "for i in range(9): open(str(i), 'w').write('x' * 1000_000)\nprint('out')",
    "write a large file": "open('x', 'w').write('x' * 3_000_000); print('out')",
    "start a process": "import os\nif os.fork() == 0: print('out')",
    "start a thread": "import _thread, time\n_thread.start_new_thread(lambda: print('out'), ())\n"
                      "time.sleep(1)",
    "reach the network": "import socket\nsocket.create_connection(('1.1.1.1', 53), 1); "
                         "print('out')",
    "reach this machine": "import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)\n"
                          "print('out')",
    "mount": "import ctypes\nlibc = ctypes.CDLL(None)\n"
             "if libc.mount(b'x', b'/box', b'tmpfs', 0, None) == 0: print('out')",
    "make new namespaces": "import ctypes\n"
                           "if ctypes.CDLL(None).unshare(0x10000000) == 0: print('out')",
    "see other processes": "import os\n"
                           "if os.path.exists('/proc/self') or os.getpid() != 1: print('out')",
    "kill a process outside": "import os\nos.kill({pid}, 0); print('out')",
    "compute for ever": "while True: pass\nprint('out')",
    "sleep for ever": "import time\ntime.sleep(1000); print('out')",
    "print for ever": "while True: print('x' * 1000)",
    "open many files": "x = [open(str(i), 'w') for i in range(40)]; print('out')",
}


def main():
    import socket
    with tempfile.NamedTemporaryFile("w") as own, socket.create_server(("127.0.0.1", 0)) as server:
        own.write("a secret")
        own.flush()
        facts = {"own": own.name, "port": server.getsockname()[1], "pid": os.getpid()}
        open(own.name).read()
        socket.create_connection(server.getsockname(), 1).close()
        assert run("print(6 * 7)") == "42\n"
        assert run("open('x', 'w').write('kept'); print(open('x').read())") == "kept\n"
        out = 0
        for name, attempt in ATTEMPTS.items():
            begun = time.monotonic()
            said = run(attempt.format(**facts), seconds=1)
            is_out = "out\n" in said or len(said) > PRINTED or time.monotonic() - begun > 20
            out += is_out
            print("OUT:" if is_out else "held:", name, json.dumps(said.strip()[-60:]))
    sys.exit(out)


if __name__ == "__main__":
    main()
