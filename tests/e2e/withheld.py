"""A kernel that lacks what the walls of workers are made of: calls that fail as they would there, by libseccomp."""
import ctypes
import errno

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NEW_LISTENER, SET_MODE_FILTER = 1 << 3, 1
MASKED_EQ, EQ = 7, 4
RLIMIT_AS, RLIMIT_NPROC = 9, 6
CLONE_NEWUSER = 0x10000000

library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p


class Condition(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def equal(argument, value):
    return Condition(argument, EQ, value, 0)


def has_bits(argument, bits):
    return Condition(argument, MASKED_EQ, bits, bits)


# What is missing → the calls that fail, with which error and under which conditions.
WITHOUT = {
    "Landlock": [("landlock_create_ruleset", errno.ENOSYS)],
    "seccomp": [("seccomp", errno.EINVAL, equal(0, SET_MODE_FILTER))],
    "notifications": [("seccomp", errno.EINVAL, equal(0, SET_MODE_FILTER), has_bits(1, NEW_LISTENER))],
    "namespaces": [("unshare", errno.EPERM)],
    "user namespaces": [("unshare", errno.EPERM, has_bits(0, CLONE_NEWUSER)),
                        ("clone", errno.EPERM, has_bits(0, CLONE_NEWUSER))],
    "mounts": [("move_mount", errno.ENOSYS)],
    "users": [("setresuid", errno.EPERM)],
    "capabilities": [("capset", errno.EPERM)],
    "limits": [(call, errno.EPERM, equal(argument, limit)) for call, argument in (("setrlimit", 0), ("prlimit64", 1))
               for limit in (RLIMIT_AS, RLIMIT_NPROC)],
}


def withhold(feature):
    """From this process and all that it starts, for ever."""
    context = ctypes.c_void_p(library.seccomp_init(ALLOW))
    for name, error, *conditions in WITHOUT[feature]:
        number = library.seccomp_syscall_resolve_name(name.encode())
        array = (Condition * max(len(conditions), 1))(*conditions)
        failed = library.seccomp_rule_add_array(context, ERRNO | error, number, len(conditions), array)
        assert failed == 0, (feature, name, failed)
    assert library.seccomp_load(context) == 0, feature
    library.seccomp_release(context)
