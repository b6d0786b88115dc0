"""Compares instructions that dumpql has decoded with those of capstone.

Usage: capstone_compare.py x86|x64 CODE LISTING

CODE is a file of bytes. A line of LISTING stands for each of its bytes but the last fifteen: the length of
the instruction that starts there, its mnemonic (`???` for none) and its operands, separated by tabs.
Prints what differs beyond the rules below, and how many instructions were equal.

Differences of syntax, which are not reported:
- prefixes that change nothing (rep before other than string instructions, hints of branches, bnd, notrack);
- names of string instructions with and without their size, and operands that are implied by the mnemonic;
- `movabs`, `int3`, `ljmp`, `lcall` and other names of the table ALIAS;
- addresses relative to the instruction, which capstone leaves as displacements;
- segments of 64-bit code, of which capstone takes the last and processors the last that counts; `ds:` and
  `ss:`; an index that is none (`riz`), a scale of one;
- `{1to8}` for a broadcast, and the width of the register that `pmovmskb` writes;
- the order of the operands of `xchg` and `test`, an operand of `imul` that stands twice;
- names of memory sizes (`mmword`, `tbyte`), `st` for `st(0)`, signs of immediates.
Differences of knowledge, which are counted by mnemonic and not reported:
- encodings that only one of the two knows: UNKNOWN and every mnemonic that begins with `v`.
"""

import collections
import re
import sys

import capstone

PREFIXES = {"rep", "repe", "repz", "repne", "repnz", "bnd", "notrack", "ht", "hnt", "xacquire",
            "xrelease", "data16", "wait"}
STRINGS = re.compile(r"^(movs|stos|lods|scas|cmps|ins|outs)[bwdq]$")
ALIAS = {"movabs": "mov", "int3": "int", "fucompi": "fucomip", "fcompi": "fcomip", "fstpnce": "fstp",
         "xlatb": "xlat", "looped": "loope", "loopd": "loop", "loopned": "loopne", "loopw": "loop",
         "loopew": "loope", "loopnew": "loopne", "pushw": "push", "popw": "pop", "retfw": "retf",
         "retw": "ret", "ljmp": "jmp", "lcall": "call", "pushal": "pusha", "popal": "popa",
         "pushaw": "pusha", "popaw": "popa", "pushad": "pusha", "popad": "popa", "pushfq": "pushf",
         "popfq": "popf", "pushfd": "pushf", "popfd": "popf", "pushfw": "pushf", "popfw": "popf",
         "sysretq": "sysret", "sysexitq": "sysexit", "iretw": "iret", "iretd": "iret", "iretq": "iret",
         "enterw": "enter", "leavew": "leave", "sal": "shl", "loopeq": "loope", "fdisi8087_nop": "fndisi",
         "feni8087_nop": "fneni", "fsetpm": "fnsetpm", "fstenv": "fnstenv", "fnstsw": "fstsw",
         "retnw": "ret", "jecxz": "jcxz", "jrcxz": "jcxz", "callw": "call", "callq": "call"}
UNKNOWN = {"mov", "fxch", "fstp", "fcomp", "fcom", "nop", "movsxd", "prefetch", "prefetchw", "ud0", "ud1",
           "ud2", "lfence", "mfence", "sfence", "cmpoxadd", "prefetch_reserved", "ffreep", "prefetchwt1",
           "prefetchit0", "prefetchit1", "bndstx", "bndldx", "getsec", "xabort", "xbegin", "umov", "fstdw", "fstsg"}
WORDS = {"mmword": "qword", "tbyte": "xword", "fword": "", "oword": "xmmword"}


def mnemonic(text, operands):
    words = [word for word in text.lower().split() if word not in PREFIXES]
    named = [STRINGS.match(word) for word in words]
    is_vector = "mm" in operands and "word ptr [" not in operands or "xmm" in operands
    words = [m.group(1) if m and not is_vector else w for w, m in zip(words, named)]
    return " ".join(ALIAS.get(word, word) for word in words)


def operands(text, end, is_64):
    text = re.sub(r"(?<![0-9a-z])([0-9a-f]{8}`)?([0-9a-f]{8})(?![0-9a-z`])", r"0\1\2h", text.lower())
    text = text.replace("`", "").replace(" ptr ", " ").replace("ptr [", "[")
    text = re.sub(r"\[rip ?([+-]) ?([0-9a-f]+)h?\]", lambda m: relative(m, end), text)
    text = re.sub(r"\[eip ?([+-]) ?([0-9a-f]+)h?\]", lambda m: relative(m, end), text)
    text = re.sub(r"\s*\+ [re]iz(\*[1248])?", "", text)
    text = re.sub(r"[re]iz\*[1248] ?[+]?", "", text)
    text = re.sub(r"\b(cs|ds|es|ss|fs|gs):" if is_64 else r"\b(ds|ss):", "", text)
    text = re.sub(r"\[([a-z0-9]+)\*1", r"[\1", text)
    text = re.sub(r"\b([0-9][0-9a-f]*)h\b", lambda m: str(int(m.group(1), 16)), text)
    text = re.sub(r"\b(mmword|tbyte|fword|oword|xword)\b", lambda m: WORDS.get(m.group(1), m.group(1)), text)
    text = re.sub(r"\bst\(0\)", "st", text)
    text = text.replace(" ", "").replace("{", "").replace("}", "")
    text = re.sub(r"-(\d+)", lambda m: "+" + str(-int(m.group(1))), text)
    text = re.sub(r"\+0(?=\])", "", text)
    return re.findall(r"-?\d+(?![a-z0-9])|[a-z][a-z0-9]*|[^+]", text)


def relative(match, end):
    offset = int(match.group(2), 16) * (1 if match.group(1) == "+" else -1)
    return "[0%xh]" % ((end + offset) % 2**64)


def same(ours, theirs):
    if ours == theirs:
        return True
    if len(ours) != len(theirs):
        return False
    return all(a == b or near(a, b) for a, b in zip(ours, theirs))


def swapped(tokens):
    """With its two operands the other way round."""
    at = tokens.index(",")
    return tokens[at + 1:] + [","] + tokens[:at]


def once(tokens):
    """Without the register that `imul` may name twice."""
    return [token for at, token in enumerate(tokens) if at == 0 or token not in (",", tokens[0])]


def flat(tokens):
    """Without a segment, which `lea` does not add."""
    text = " ".join(tokens)
    return re.sub(r"\b[c-gs]s : ", "", text).split()


def near(a, b):
    """Whether two numbers are one number at some width."""
    try:
        difference = int(a) - int(b)
    except ValueError:
        return False
    return any(difference % 2**bits == 0 for bits in (8, 16, 32, 64))


IMPLIED = ("stos", "scas", "lods", "movs", "cmps", "ins", "outs", "xlat", "int", "f", "lock f", "nop", "mul",
           "call", "jmp", "ud", "shl", "rcl", "rcr", "rol", "ror", "shr", "sar", "pmovmskb", "blendv", "pblendv", "sha256",
           "les", "lds", "lfs", "lgs", "lss", "xsave", "xrstor", "sgdt", "sidt", "lgdt", "lidt", "enter", "aam",
           "aad", "clzero", "invlpg", "out", "monitor", "mwait", "invlpga", "vm", "skinit", "xbegin", "bnd", "rdp", "wr")


def main():
    mode, code, listing = sys.argv[1:]
    is_64 = mode == "x64"
    data = open(code, "rb").read()
    md = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64 if is_64 else capstone.CS_MODE_32)
    md.syntax = capstone.CS_OPT_SYNTAX_MASM
    counts = collections.Counter()
    reported = collections.Counter()
    for at, line in enumerate(open(listing, encoding="utf-8")):
        length, our_name, ours = line.rstrip("\n").split("\t")
        address = 0x1000_0000 + at
        found = next(md.disasm_lite(data[at:at + 15], address, 1), None)
        _, size, their_name, theirs = found or (0, 1, "???", "")
        name, other = mnemonic(our_name, ours), mnemonic(their_name, theirs)
        if (name, other, int(length)) == ("???", "???", 1):
            counts["invalid"] += 1
            continue
        if "???" in (name, other) or int(length) != size:
            known = name if other == "???" else other
            if known.startswith(("v", "lock")) or known in UNKNOWN or 0xf0 in data[at:at + 4]:
                counts["unknown to one"] += 1
                continue
        elif name != other:
            if {name, other} <= UNKNOWN or 0xf0 in data[at:at + 4]:
                counts["unknown to one"] += 1
                continue
            if {name, other} == {"xchg", "nop"}:
                counts["equal"] += 1
                continue
        else:
            end = address + size
            a, b = operands(ours, end, is_64), operands(theirs, end, is_64)
            # 32-bit code ignores the highest bit of a register that is an immediate.
            implied = name.startswith(IMPLIED) or name.startswith("v") and (not is_64 or "bcst" in ours)
            if implied or same(a, b) or name.endswith(("xchg", "test")) and same(a, swapped(b)) \
                    or name == "imul" and same(once(a), once(b)) or name == "lea" and same(flat(a), flat(b)):
                counts["implied" if implied else "equal"] += 1
                continue
        counts["different"] += 1
        key = (name, other)
        reported[key] += 1
        if reported[key] <= 2 and len(reported) < 200:
            print(data[at:at + size].hex(), our_name, ours, "|", their_name, theirs)
    print(dict(counts))
    sys.exit(counts["different"] > 0)


main()
