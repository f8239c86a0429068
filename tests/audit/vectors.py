"""The published test vectors of the formats (version 1): one installation, one workspace."""

from uuid import UUID

INSTALL = UUID("5b1f2c1e-7d1a-4a53-9d5e-0f6a7f0c2a11")
WORKSPACE = UUID("78e51061-7311-48a3-82ce-6f447ed4d57b")
SLOT = 2
CREATED = "2026-03-01T00:00:00.000000Z"
GENESIS = "211ee21a56f117dd2130870f440effbda00bf5677ec1b74cdd45be692b64cabf"
EVENT = (
    '{"act":{"id":"usr_6","kind":"user"},"eid":"a648a7dd-0683-4eb9-85b6-e6e307d4bedc",'
    '"obj":{"id":"cmp_3","type":"campaign"},"op":"campaign.approve",'
    '"t":"2026-03-01T00:00:00.000000Z","v":1,"why":"café №3 \\"q\\" \\\\",'
    '"ws":"78e51061-7311-48a3-82ce-6f447ed4d57b"}'
).encode()
LEAF = "016d3894b38823dcab850b55036f7aa895b6578f4cdd5fe7c9933ee1d61c07fc"
AT = "2026-03-01T00:00:00.040000Z"
ENTRY = "674ad254d64f9821e8c0685d0f8f91acdde2729425211483f168caa1857e8df2"
HEAD_HASH = "79361a16b9dbf13b1f8d7ad5fc2e08ff196924ae7ca318ce0061f46df535404c"
NONCE = "ac6dfa1b6ee228fcc54eaec4900802748e699a662742bfc9b189db7e22e46793"
HEAD_TEXT = (
    b"smsc-audit-head/v1\n2\n78e51061-7311-48a3-82ce-6f447ed4d57b\n2\n"
    b"79361a16b9dbf13b1f8d7ad5fc2e08ff196924ae7ca318ce0061f46df535404c\n"
    b"ac6dfa1b6ee228fcc54eaec4900802748e699a662742bfc9b189db7e22e46793\n"
)
HEAD_LEAF = "6196b656c3ff85c90e41f6e9d52abc1658fffaefe853eb30ebbd646e17d224a7"
EPOCH = (
    b'{"at":"2026-03-01T01:00:00.000000Z","chains":5,"epoch":0,'
    b'"heads":"3b663af72e6c01f926a524977d779e4883ecbcd30f4e80a158095449af2d8c2c",'
    b'"prev":"0000000000000000000000000000000000000000000000000000000000000000","v":1}'
)
EPOCH_LEAF = "6e84fbdd7368f4b777d7110a005e65d83906b44fc991e96af8d54c81d583a2bc"
ORIGIN = "audit.telco.example/5b1f2c1e-7d1a-4a53-9d5e-0f6a7f0c2a11"
LOG_KEY = f"{ORIGIN}+5bf2f405+AZJzCPU9Z2VQPStkwQOrWqRyBqs5UCz+j5hEL9tUMQC3"
WITNESS_KEY = "witness.regulator.example/w1+a97158a6+BMhAafoiFsbtwdUsqDqhHCZ91UQK+lJgkMpD69DKhqnP"
CHECKPOINT = (
    f"{ORIGIN}\n1\nboT73XNo9Ld31xEKAF5l2DkGtE/Jkelq+NVMgdWDorw=\n\n"
    f"— {ORIGIN} W/L0BcfmqVLw3M/RoCUOH7kcBPVodIhJGQ0n5Zah4DilYHkPIrPtT/5TlvUx0njuSFGv"
    "Jem2tTOnt5cxh667LG95Cgk=\n"
    "— witness.regulator.example/w1 qXFYpgAAAABppK2ALiUXUY0SHNDo6QTAb5EWU0yRm6Hk0odJfZREb"
    "EvEbic5cj+hOT280Yc2o8ZfkcyBzWDeP07Dxf+Lj6oV2xaUCg==\n"
)
COMMITMENT = "9c962d8550a68eb68b38302dbadf1a36a2b71fe7fdb19dd3900cd9a6a781f901"
