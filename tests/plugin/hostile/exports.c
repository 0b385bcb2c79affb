/* A library that exports name_0 to name_(COUNT - 1), and is no plugin. */
#define TEXT_OF(value) #value
#define TEXT(value) TEXT_OF(value)

__asm__(
    ".data\n"
    ".altmacro\n"
    ".macro export number\n"
    ".globl name_\\number\n"
    "name_\\number: .byte 0\n"
    ".endm\n"
    ".set at, 0\n"
    ".rept " TEXT(COUNT) "\n"
    "export %at\n"
    ".set at, at + 1\n"
    ".endr\n"
    ".noaltmacro\n"
    ".text\n");
