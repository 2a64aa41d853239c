"""Signatures (数字签名): what stands in the signature block, behind two small interfaces.

The algorithm is Ed25519 from `cryptography`. `Keys` derives every participant's key from a seed, so that a run can
be repeated to the byte; whoever knows the seed has all the keys, which is right for a simulation and for nothing
else. A signature is over all bytes after the signature block, and it is the sender's in the transport header.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cnaps_sim.messages.envelope import Envelope
from cnaps_sim.messages.faults import Code, Fault, Layer, Refused


class Signer(Protocol):
    """Signs for its participants."""

    def sign(self, member: str, data: bytes) -> bytes:
        """The signature of the participant with this bank code (0000 the centre) over `data`."""


class Verifier(Protocol):
    """Knows whose signature is whose."""

    def verify(self, member: str, data: bytes, signature: bytes) -> bool:
        """Whether `signature` is this participant's over exactly `data`."""


class Keys:
    """Ed25519 keys of all participants, derived from one seed: signer and verifier of a simulation.

    seed: the run's seed; the same seed gives the same keys and, Ed25519 being deterministic, the same signatures
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._private: dict[str, Ed25519PrivateKey] = {}
        self._public: dict[str, Ed25519PublicKey] = {}

    def sign(self, member: str, data: bytes) -> bytes:
        return self._key(member).sign(data)

    def verify(self, member: str, data: bytes, signature: bytes) -> bool:
        public = self._public.get(member)
        if public is None:
            public = self._public[member] = self._key(member).public_key()
        try:
            public.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _key(self, member: str) -> Ed25519PrivateKey:
        key = self._private.get(member)
        if key is None:
            text = f"cnaps-sim signature key of {member}, seed {self.seed}"
            key = Ed25519PrivateKey.from_private_bytes(hashlib.blake2b(text.encode(), digest_size=32).digest())
            self._private[member] = key
        return key


def signature_block(signer: Signer, member: str, app_header: bytes, document: bytes) -> str:
    """What `envelope.write` takes as signature: base64 of the sender's signature over header and document."""
    return base64.b64encode(signer.sign(member, app_header + document)).decode("ascii")


def check_signature(verifier: Verifier, envelope: Envelope) -> None:
    """Nothing if the sender has signed. Refused at the transport layer if the signature is missing or wrong."""
    if not envelope.signature:
        raise _fault("the signature is missing")
    try:
        signature = base64.b64decode(envelope.signature, validate=True)
    except binascii.Error:
        raise _fault("the signature is not base64") from None
    if not verifier.verify(envelope.header.sender, envelope.signed_bytes, signature):
        raise _fault(f"the signature is not that of {envelope.header.sender} over this message")


def _fault(reason: str) -> Refused:
    return Refused(Fault(Layer.TRANSPORT, "signature", reason, Code.SIGNATURE))
