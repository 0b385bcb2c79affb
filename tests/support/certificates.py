"""Certificates for servers of tests."""
import subprocess


def self_signed(folder, *key):
    """Certificate and key of localhost, in files; `key` is what makes it, for openssl."""
    files = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", *key, "-nodes", "-out", files[0], "-keyout", files[1], "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return files
