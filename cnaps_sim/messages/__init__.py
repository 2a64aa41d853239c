"""Messages (报文): ISO 20022 documents in a CNAPS envelope, built, judged and read.

`catalogue` says which messages there are, `envelope` is how they travel, `validate.check` judges what arrives
(transport, XML, schema, profile), and each family of messages is one module: a dataclass per message with
`build_…` (dataclass to bytes) and `read_…` (document to dataclass). Those made for every payment are not frozen, which
would double the time of making one; nobody changes them. Nothing here knows the books or the clock.
"""
