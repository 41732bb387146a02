#!/usr/bin/env python3
"""Verifies a Sallyport journal by docs/journal.md alone: python3 verify_journal.py FOLDER [CHAIN] [PUBLIC_KEY.pem]"""
import base64, hashlib, json, os, re, shutil, subprocess, sys, tempfile

def fail(where, why):
    sys.exit(f"NOT OK  {where}: {why}")

def openssl():
    path = shutil.which("openssl")
    version = subprocess.run([path, "version"], capture_output=True, text=True).stdout if path else ""
    return path if re.match(r"OpenSSL ([3-9]|\d\d)", version) else None

def signature_holds(tool, key_file, message, signature):
    with tempfile.TemporaryDirectory() as place:
        for name, content in (("message", message), ("signature", signature)):
            with open(os.path.join(place, name), "wb") as file:
                file.write(content)
        command = [tool, "pkeyutl", "-verify", "-pubin", "-inkey", os.path.abspath(key_file), "-rawin", "-in", "message", "-sigfile", "signature"]
        return subprocess.run(command, cwd=place, capture_output=True).returncode == 0

folder, chain = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "0"
key_file = sys.argv[3] if len(sys.argv) > 3 else os.path.join(folder, "journal.pub")
tool = openssl()
if not tool:
    print("signatures are not checked: no openssl 3 on this machine")
segments = sorted(int(m[1]) for m in (re.fullmatch(re.escape(chain) + r"-(\d{6,})\.jsonl", n) for n in os.listdir(folder)) if m)
if not segments or segments != list(range(1, len(segments) + 1)):
    fail(folder, f"segments are missing, there are {segments}")
seq, prev, signed = 0, "0" * 64, 0
for number in segments:
    name, closed = f"{chain}-{number:06d}.jsonl", False
    with open(os.path.join(folder, name), "rb") as lines:
        for count, line in enumerate(lines, 1):
            where = f"{name} line {count}"
            form = re.fullmatch(rb'(\{"v":1,"seq":(\d+),"at":"([^"]*)","prev":"([0-9a-f]{64})",.*),"hash":"([0-9a-f]{64})"\}\n', line, re.S)
            if not form:
                fail(where, "not a whole record")
            hashed, its_seq, at, its_prev, its_hash = form[1], int(form[2]), form[3].decode(), form[4].decode(), form[5].decode()
            if hashlib.sha256(hashed).hexdigest() != its_hash:
                fail(where, "edited: the hash is not that of the line")
            if closed or its_seq != seq + 1 or its_prev != prev:
                fail(where, f"lines were dropped, inserted or moved: record {its_seq} follows {seq}")
            seq, prev, record = its_seq, its_hash, json.loads(line)
            if record["kind"] != "checkpoint":
                continue
            event, closed, signed = record["event"], True, seq
            message = f"sallyport journal checkpoint v1\n{chain}\n{number}\n{seq}\n{at}\n{its_prev}\n".encode()
            if tool and not signature_holds(tool, key_file, message, base64.b64decode(event["signature"])):
                fail(where, "the signature is wrong")
    if not closed and number != segments[-1]:
        fail(name, "the segment does not end with a checkpoint")
print(f"OK  {seq} records in {len(segments)} segments, signed up to {signed}, last hash {prev}")
